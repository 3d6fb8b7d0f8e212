"""The one naming authority for value vectors: `L12D345`, and `L12E3D45` in a mixture of experts.

A layer that has both experts and dense (shared) feed-forward weights names the dense ones without `E`.
"""

import re
from typing import NamedTuple, Self

from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.records import limits

_LAYERS = re.compile(r"\s*(\d{1,9})\s*(?:[-–]\s*(\d{1,9}))?\s*", re.ASCII)
_PATTERN = re.compile(r"L(\d{1,9})(?:E(\d{1,9}))?D(\d{1,9})", re.IGNORECASE | re.ASCII)


class ValueName(NamedTuple):
    """Names one value vector: a column of a feed-forward down projection.

    Args:
        layer: index of the layer, from 0.
        dimension: index of the coefficient within the feed-forward (or within the expert), from 0.
        expert: index of the expert, or None for dense feed-forward weights.
    """

    layer: int
    dimension: int
    expert: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `L12D345` or `L12E3D45` (case does not matter).

        Raises:
            ValueNameError: if the text is not such a name.
        """
        match = _PATTERN.fullmatch(text.strip()) if len(text) <= limits.VALUE_NAME else None
        if match is None:
            shown = text if len(text) <= limits.VALUE_NAME else f"{text[:40]}…"
            raise ValueNameError(
                f"{shown!r} does not name a value vector.",
                "Write the layer and the dimension as in L12D345, or L12E3D45 for an expert's.",
            )
        layer, expert, dimension = match.groups()
        return cls(int(layer), int(dimension), None if expert is None else int(expert))

    def __str__(self) -> str:
        expert = "" if self.expert is None else f"E{self.expert}"
        return f"L{self.layer}{expert}D{self.dimension}"


def read_layers(text: str) -> range:
    """Read a range of layers, `12-14` or `12`; both ends belong to it.

    Raises:
        OptionError: if the text is no such range.
    """
    match = _LAYERS.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is not a range of layers.", "Write it as in 12-14.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise OptionError(f"The range of layers {text!r} runs backwards.", f"Write {last}-{first}.")
    return range(first, last + 1)
