"""How many heads a configuration proposes. It only proposes: `split` proves or refuses each number."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transformers import PreTrainedConfig

# Fields of heads in the order in which they are likely to be the token mixer's; never those of keys and values.
_LIKELY = (
    re.compile(r"(decoder_)?(num_)?(attention_heads|heads|n_heads?)|n_head|num_attention_heads_per_layer"),
    re.compile(r"(?!.*(key|kv|index|expert|groups)).*heads?(_per_layer)?"),
)


def proposed_heads(config: PreTrainedConfig) -> tuple[int, ...]:
    """Numbers that the configuration has for heads, likely ones first.

    Half of the likeliest comes last: in differential attention (arXiv 2410.05258) two of the configuration's heads
    make one.
    """
    fields = list(_fields(config.get_text_config(decoder=True).to_dict()))
    found = [number for pattern in _LIKELY for name, number in fields if pattern.fullmatch(name)]
    found += [count // 2 for count in found[:1]]
    # One head is nothing to prove: anything that depends on all channels passes.
    return tuple(dict.fromkeys(count for count in found if count > 1 or found[0] == count == 1))


def _fields(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Names and whole numbers, those of lists by layer and of configurations within included."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _fields({str(inner): entry for inner, entry in value.items()})
        elif isinstance(value, list | tuple):
            yield from ((name, entry) for entry in value if _whole(entry))
        elif _whole(value):
            yield name, value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
