"""Every read-out through a lens equals the lens by hand; the last layer is the model's own under all of them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import LensError
from lm_debugger.lenses.lens import FittedLens
from lm_debugger.readouts.grid import grid
from lm_debugger.readouts.trajectory import trajectory
from lm_debugger.records.lens import LensSummary
from lm_debugger.records.names import read_unit
from lm_debugger.records.search import Filter
from tests.tiny import prompt, shared

TYPES = ("llama", "gpt2", "gemma2", "mixtral", "gptj")


def made(tiny: Debugger, *, offset: bool = False, seed: int = 0) -> FittedLens:
    """A lens of random numbers, near the identity."""
    generator = torch.Generator().manual_seed(seed)
    hidden = tiny.model.anatomy.hidden_size
    layers = tuple(range(tiny.model.layers - 1))
    about = LensSummary(name="made", kind="tuned" if offset else "jacobian", layers=layers, hidden=hidden, prompts=1)
    matrices = {k: torch.eye(hidden) + 0.3 * torch.randn(hidden, hidden, generator=generator) for k in layers}
    offsets = {layer: torch.randn(hidden, generator=generator) for layer in layers}
    return FittedLens(about, matrices, offsets if offset else None)


def by_hand(tiny: Debugger, lens: FittedLens, stream: Tensor, layer: int) -> Tensor:
    """Logits of a stream (hidden,)."""
    if layer in lens.matrices:
        stream = lens.matrices[layer] @ stream + lens.offsets.get(layer, torch.zeros(()))
    return tiny.model.readout.logits(stream[None])[0]


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("model_type", TYPES)
def test_a_trace_through_a_lens(model_type: str, offset: bool) -> None:
    tiny = shared(model_type)
    lens = made(tiny, offset=offset)
    plain = tiny.trace(prompt(6)).view(top_k=5)
    trace = tiny.trace(prompt(6), lens=lens)
    view = trace.view(top_k=5)
    assert (plain.lens, view.lens) == ("logit", "made")
    for layer, found in enumerate(view.layers):
        streams = trace.layer(layer, -1)
        for shown, stream in ((found.before, streams.before[0]), (found.after, streams.after[0])):
            best = by_hand(tiny, lens, stream, layer).topk(5)
            torch.testing.assert_close(torch.tensor([t.logit for t in shown]), best.values, rtol=1e-4, atol=1e-4)
    assert view.layers[-1].after == plain.layers[-1].after
    assert view.layers[-1].before == plain.layers[-1].before
    assert view.output == plain.output
    assert view.layers[0].after != plain.layers[0].after
    # Which units are strongest is no matter of the lens, what they promote is.
    assert [v.value for v in view.layers[0].values] == [v.value for v in plain.layers[0].values]
    for value in view.layers[0].values[:2]:
        carried = lens.matrices[0] @ tiny.model.vector(read_unit(value.value))
        sign = -1 if value.coefficient < 0 else 1
        top = tiny.model.readout.project(sign * carried[None])[0].topk(3).indices.tolist()
        assert value.promotes[:3] == tuple(map(tiny.model.vocabulary.text, top))


@pytest.mark.parametrize("model_type", TYPES)
def test_grid_and_trajectory_through_a_lens(model_type: str) -> None:
    tiny = shared(model_type)
    lens = made(tiny, offset=True)
    trace = tiny.trace(prompt(5), lens=lens)
    plain = grid(tiny.trace(prompt(5)), token=7)
    cells = grid(trace, token=7)
    assert (plain.lens, cells.lens) == ("logit", "made")
    assert cells.token is not None
    path = trajectory(trace, [7], 3)
    assert path.lens == "made"
    for layer in range(tiny.model.layers):
        for position in range(5):
            logits = by_hand(tiny, lens, trace.layer(layer, position).after[0], layer)
            assert cells.id[layer][position] == int(logits.argmax())
            assert cells.token.probability[layer][position] == pytest.approx(float(logits.softmax(-1)[7]), abs=2e-6)
        logits = by_hand(tiny, lens, trace.layer(layer, 3).after[0], layer)
        assert path.tokens[0].logit[2 * layer + 1] == pytest.approx(float(logits[7]), abs=1e-3)
    assert cells.id[-1] == plain.id[-1]
    assert cells.surprise == plain.surprise  # the model's own
    assert grid(trace, token=7) == cells
    assert grid(tiny.trace(prompt(5)), token=7) == plain  # what is remembered of one lens is not taken for another's


@pytest.mark.parametrize("model_type", TYPES)
def test_values_heads_and_why_through_a_lens(model_type: str) -> None:
    tiny = shared(model_type)
    lens = made(tiny)
    name = "L0E1D5" if model_type == "mixtral" else "L0D5"
    view = tiny.value(name, top_k=4, lens=lens)
    logits = tiny.model.readout.project((lens.matrices[0] @ tiny.model.vector(read_unit(name)))[None])[0]
    assert view.lens == "made"
    assert [t.id for t in view.promotes] == logits.topk(4).indices.tolist()
    assert [t.id for t in view.suppresses] == logits.topk(4, largest=False).indices.tolist()
    last = f"L{tiny.model.layers - 1}{name[2:]}"
    assert tiny.value(last, lens=lens).promotes == tiny.value(last).promotes
    table = tiny.heads(prompt(6), lens=lens)
    head = table.heads[0]
    from lm_debugger.units.heads.group import HeadGroup
    from lm_debugger.units.heads.written import HeadStreams

    group = next(g for g in tiny.model.blocks[0].units if isinstance(g, HeadGroup))
    written = HeadStreams(group, tiny.trace(prompt(6)).layer(0, -1)).contributions()[0, 0]
    top = tiny.model.readout.project((lens.matrices[0] @ written)[None])[0].topk(3).indices.tolist()
    assert table.lens == "made"
    assert head.promotes[:3] == tuple(map(tiny.model.vocabulary.text, top))
    plain, found = tiny.why(prompt(6)), tiny.why(prompt(6), lens=lens)
    assert (plain.lens, found.lens) == ("logit", "made")
    assert [part.effect for part in plain.parts] == [part.effect for part in found.parts]
    assert [part.promotes for part in plain.parts] != [part.promotes for part in found.parts]


def test_a_head_s_circuit_through_a_lens() -> None:
    tiny = shared("llama")
    lens = made(tiny)
    plain, found = tiny.head("L0H1", top_k=2), tiny.head("L0H1", top_k=2, lens=lens)
    assert (plain.lens, found.lens) == ("logit", "made")
    from lm_debugger.readouts.head import circuit_of
    from lm_debugger.units.heads.group import HeadGroup

    group, index = tiny.model.unit(read_unit("L0H1"))
    assert isinstance(group, HeadGroup)
    circuit = circuit_of(tiny.model, tiny._lenses.plain, group, index)
    through = circuit_of(tiny.model, tiny._lenses.reading(lens), group, index)
    # Written through the lens: each token's direction is J_0ᵀ·d.
    directions = tiny.model.readout.directions(slice(0, tiny.model.readout.vocabulary))
    rows = group.matrix(index).float()
    torch.testing.assert_close(through.writes, group.adjoint(directions @ lens.matrices[0]) @ rows.T)
    assert not torch.allclose(through.writes, circuit.writes)
    assert found.promotes != plain.promotes


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "mixtral"])
def test_the_transpose_in_search_equals_projected_vectors(model_type: str) -> None:
    tiny = shared(model_type)
    lens = made(tiny, seed=3)
    found = tiny.search("w7, w20", limit=50, lens=lens)
    assert found.lens == "made"
    assert {result.layer for result in found.results} == set(range(tiny.model.layers))
    for result in found.results:
        vector = tiny.model.vector(read_unit(result.value))
        logits = tiny.model.readout.project(lens.vector(vector, result.layer)[None])[0]
        z = (logits - logits.mean()) / logits.std(correction=0)
        assert result.z == pytest.approx(float((z[7] + z[20]) / 2), abs=2e-3)
        assert [match.z for match in result.tokens] == pytest.approx([float(z[7]), float(z[20])], abs=2e-3)
    every = [(abs(result.z or 0), result.value) for result in tiny.search("w7, w20", limit=1000, lens=lens).results]
    assert every == sorted(every, key=lambda each: -each[0])
    assert found.results != tiny.search("w7, w20", limit=50).results


def test_what_writes_a_stream_through_a_lens() -> None:
    """Shares are those of the carried stream: by hand, over the whole vocabulary."""
    tiny = shared("llama")
    lens = made(tiny)
    place = tiny.place(prompt(6), lens=lens)
    found = tiny.find_writers(place, Filter(limit=5), layer=1)
    assert found.lens == "made"
    stream = lens.matrices[1] @ place.run.layer(1, -1).after[0]
    said = tiny.model.readout.project(stream[None])[0]
    said = said - said.mean()
    for result in found.results:
        name = read_unit(result.value)
        assert name.layer <= 1
        group, index = tiny.model.values(name)
        coefficient = group.course(place.run.layer(name.layer, -1), index)[0]
        part = tiny.model.readout.project((lens.matrices[1] @ tiny.model.vector(name))[None])[0] * coefficient
        assert result.score == pytest.approx(float((part - part.mean()) @ said / (said @ said)), abs=1e-4)


def test_a_lens_of_some_layers_says_so(empty_cache: Path) -> None:
    tiny = shared("llama")
    whole = made(tiny)
    about = whole.about.model_copy(update={"layers": (1,), "key": ""})
    part = FittedLens(about, {1: whole.matrices[1]})
    view = tiny.trace(prompt(6), lens=part).view(top_k=3)
    plain = tiny.trace(prompt(6)).view(top_k=3)
    assert view.layers[0].after == plain.layers[0].after
    assert view.layers[1].after != plain.layers[1].after
    assert any("no map for 1 layer" in warning for warning in view.warnings)


def test_a_lens_that_is_not_there(empty_cache: Path) -> None:
    tiny = shared("llama")
    with pytest.raises(LensError, match="lens fit --kind jacobian"):
        tiny.trace(prompt(4), lens="jacobian")
    with pytest.raises(LensError, match="logit"):
        tiny.search("w5", lens="nothing")
    with pytest.raises(LensError, match="no file"):
        tiny.value("L0D5", lens=empty_cache / "none.pt")


def test_the_default_lens(empty_cache: Path) -> None:
    from tests.tiny import debugger

    tiny = debugger("llama")
    tiny.use_lens(made(tiny))
    assert tiny.trace(prompt(4)).view().lens == "made"
    assert tiny.search("w5").lens == "made"
    assert tiny.trace(prompt(4), lens="logit").view().lens == "logit"
    with pytest.raises(LensError):
        tiny.use_lens("nothing")
    assert tiny.value("L0D5").lens == "made"
