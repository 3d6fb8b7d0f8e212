"""Edits along directions equal the same arithmetic in plain PyTorch hooks, in traces and in generation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lm_debugger import Debugger
from lm_debugger.edits.grammar import parse_all
from lm_debugger.records.direction import read_direction
from lm_debugger.units.stream import Along
from lm_debugger.work import UNWATCHED
from tests.tiny import debugger, prompt

TYPES = ["gpt2", "llama", "gemma2", "gpt_neox", "mixtral", "opt", "falcon", "recurrent_gemma"]
IDS = prompt(8)
Change = Callable[[Tensor], Tensor]


def along(tiny: Debugger, text: str) -> Along:
    return tiny._directions.along(read_direction(text), UNWATCHED)


@contextmanager
def hooked(tiny: Debugger, changes: dict[int, Change], start: int = 0) -> Iterator[None]:
    """What leaves layers, changed by hand from a position on."""

    def after(change: Change) -> Callable[[nn.Module, Any, Any], Any]:
        def hook(module: nn.Module, args: Any, output: Any) -> Any:
            stream = output if isinstance(output, Tensor) else output[0]
            changed = stream.clone()
            changed[:, start:] = change(stream[:, start:])
            return changed if isinstance(output, Tensor) else (changed, *output[1:])

        return hook

    network = tiny.model.network
    paths = {layer: tiny.model.anatomy.layers[layer].path for layer in changes}
    handles = [
        network.get_submodule(paths[layer]).register_forward_hook(after(change)) for layer, change in changes.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def logits(tiny: Debugger) -> Tensor:
    with torch.no_grad():
        found: Tensor = tiny.model.network(input_ids=torch.tensor([IDS]), use_cache=False).logits[0]
    return found


@pytest.mark.parametrize("model_type", TYPES)
@pytest.mark.parametrize(
    ("operation", "by_hand"),
    [
        ("+=1.5", lambda x, u, length: x + 1.5 * length * u),
        ("-=0.5", lambda x, u, length: x - 0.5 * length * u),
        ("=0.25", lambda x, u, length: x - (x @ u)[..., None] * u + 0.25 * length * u),
        ("*=3", lambda x, u, length: x + 2 * (x @ u)[..., None] * u),
        ("=off", lambda x, u, length: x - (x @ u)[..., None] * u),
    ],
)
def test_a_change_along_a_direction_is_what_it_says(model_type: str, operation: str, by_hand: Any) -> None:
    tiny = debugger(model_type)
    found = along(tiny, "L0R(random 5)")
    u, length = found.vectors[0][0], found.lengths[0]
    assert float(u.norm()) == pytest.approx(1)
    trace = tiny.trace(IDS, [f"L0R(random 5){operation}@3-7"])
    with hooked(tiny, {0: lambda stream: by_hand(stream, u, length)}, start=3):
        expected = logits(tiny)
    base = logits(tiny)
    torch.testing.assert_close(trace.logits(-1), expected[-1].float(), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(expected[-1], base[-1], atol=1e-4)
    torch.testing.assert_close(trace.logits(2), base[2].float(), rtol=1e-4, atol=1e-4)  # nothing before its scope


@pytest.mark.parametrize("model_type", ["llama", "gemma2", "gpt_neox"])
def test_an_exchange_swaps_the_two_coordinates_and_leaves_the_rest(model_type: str) -> None:
    tiny = debugger(model_type)
    one, other = (along(tiny, f"L0R(random {seed})").vectors[0][0].double() for seed in (1, 2))
    before = tiny.trace(IDS).layer(0).after.double()
    after = tiny.trace(IDS, ["L0R(random 1 <> random 2)=on"]).layer(0).after.double()
    plane = torch.stack([one, other], 1)
    was, became = (torch.linalg.lstsq(plane, stream.T).solution for stream in (before, after))
    torch.testing.assert_close(became, was.flip(0), rtol=1e-4, atol=1e-4)
    rest = [stream - coordinates.T @ plane.T for stream, coordinates in ((before, was), (after, became))]
    torch.testing.assert_close(rest[1], rest[0], rtol=1e-4, atol=1e-4)
    half = tiny.trace(IDS, ["L0R(random 1 <> random 2)=on*0.5"]).layer(0).after.double()
    middle = torch.linalg.lstsq(plane, half.T).solution
    torch.testing.assert_close(middle, was.mean(0).expand(2, -1), rtol=1e-4, atol=1e-4)


def test_an_exchange_holds_in_later_layers() -> None:
    tiny = debugger("llama")
    last = tiny.model.layers - 1
    text = f"L0-{last}R(random 1 <> random 2)=on"
    run = tiny.trace(IDS, [text])
    for layer in range(1, last + 1):
        vectors = along(tiny, f"L{layer}R(random 1 <> random 2)").vectors[layer].double()
        coordinates = torch.linalg.pinv(vectors).T @ run.layer(layer).after.double().T
        assert bool((coordinates[0] <= coordinates[1] + 1e-4).all())


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "gpt_neox", "mixtral"])
def test_generation_is_steered_at_every_step(model_type: str) -> None:
    tiny = debugger(model_type)
    edit = "L0R(random 5)+=2"
    found = tiny.generate(IDS, [edit], max_new_tokens=5)
    ids = list(IDS)
    for token in found.tokens:  # without a cache, a whole forward a token
        if token.id == tiny.model.network.generation_config.eos_token_id:
            break
        assert int(tiny.trace(ids, [edit]).logits(-1).argmax()) == token.id
        ids.append(token.id)


@pytest.mark.parametrize("model_type", ["llama", "gpt2"])
def test_a_word_is_what_the_read_out_reads_it_by(model_type: str) -> None:
    """Along it a word's logit grows by as much as its direction is long, and another's by their product."""
    tiny = debugger(model_type)
    text = tiny.model.vocabulary.text(9)
    found = along(tiny, f'L0R("{text}")').vectors[0][0]
    whole = tiny.model.readout.directions(slice(None))
    expected = whole[9] - whole.mean(0)
    torch.testing.assert_close(found, expected / expected.norm(), rtol=1e-4, atol=1e-4)


def test_prompts_are_the_difference_of_their_streams() -> None:
    tiny = debugger("llama")
    one, other = (tiny.model.vocabulary.decode(prompt(length)) for length in (5, 7))
    found = along(tiny, f'L1R(from "{one}" to "{other}")').vectors[1][0]
    expected = tiny.trace(other).layer(1).after[-1] - tiny.trace(one).layer(1).after[-1]
    torch.testing.assert_close(found, expected / expected.norm(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", TYPES)
def test_the_account_names_what_an_edit_adds(model_type: str) -> None:
    tiny = debugger(model_type)
    found = tiny.why(IDS, interventions=["L0R(random 5)+=2"], top_k=1000)
    assert abs(found.unexplained) < 1e-2 * max(1.0, *(abs(part.effect) for part in found.parts))
    assert any(part.kind == "edit" and part.part == "L0R(random 5)" for part in found.parts)


def test_to_look_for_a_trace_measures_nothing() -> None:
    tiny = debugger("llama")
    edit = "L0R(random 77)+=1"
    assert tiny.find(IDS, [edit]) is None
    assert not tiny._directions.known(parse_all([edit]))
    trace = tiny.trace(IDS, [edit])
    found = tiny.find(IDS, [edit])
    assert found is not None
    assert found.spec == trace.spec
