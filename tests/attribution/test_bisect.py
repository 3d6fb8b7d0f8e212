"""A difference that was planted is found: in a prompt's unit, in an edit, in one column of another model's weights."""

import copy
from typing import Any

import pytest
import torch

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from lm_debugger.records.generation import Generation
from tests.planted import IDS, planted
from tests.tiny import prompt, shared, tokenizer

# Without gemma2: the norms after its blocks and its tied embeddings let no unit by itself change an answer.
TYPES = ("llama", "gpt2", "gpt_neox", "olmo2", "bert", "mixtral", "bloom")


def flipping(debugger: Debugger, top: int) -> tuple[int, str, str]:
    """A unit that changes the answer when it is strong enough."""
    for layer in reversed(range(1, debugger.model.layers)):
        extent = debugger.model.vectors(layer)[0]
        for index in range(extent.units):
            for amount in (8.0, -8.0, 40.0, -40.0):
                edit = f"{extent.name(layer, index)}+={amount}"
                if debugger.trace(IDS, [edit]).view().output[0].id != top:
                    return layer, str(extent.name(layer, index)), edit
    raise AssertionError("no unit changes the answer by itself")


@pytest.mark.parametrize("model_type", TYPES)
def test_the_edit_of_an_edited_run_is_found(model_type: str) -> None:
    debugger = shared(model_type)
    top = debugger.trace(IDS).view().output[0].id
    layer, name, edit = flipping(debugger, top)
    found = debugger.bisect(IDS, interventions=[edit])
    assert (found.answer.id, found.other.id) == (top, debugger.trace(IDS, [edit]).view().output[0].id)
    assert (found.layer, found.part, found.units, found.flips) == (layer, "ffn", (name,), True)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "olmo2", "mixtral", "gpt_neox"])
def test_a_changed_column_between_two_models_is_found(model_type: str) -> None:
    layer = 1
    one, twin, name = planted(model_type, layer)
    found = one.bisect(IDS, other=twin, max_new_tokens=0)
    assert (found.layer, found.part, found.units, found.flips) == (layer, "ffn", (name,), True)
    assert found.other.id == twin.trace(IDS).view().output[0].id
    assert found.position == len(IDS) - 1


def test_two_models_are_compared_at_the_first_token_that_differs(demo: Debugger) -> None:
    other = lm_debugger.load("demo")
    network = other.model.network
    text = "The capital of France is"
    ids = demo.model.vocabulary.encode(text)
    written = demo.generate(ids, max_new_tokens=4).tokens
    with torch.no_grad():
        place = [*ids, *(token.id for token in written[:2])]
        layer = 27
        coefficients = (
            demo.trace(place).model.blocks[layer].groups[0].coefficients(demo.trace(place).layer(layer, -1))[0]
        )
        index = int(coefficients.abs().argmax())
        (token,) = demo.model.vocabulary.encode(" volcano", special=False)
        direction = demo.model.readout.directions(torch.tensor([token]))[0]
        size = 3 * demo.trace(place).layer(layer, -1).after.norm()
        network.model.layers[layer].mlp.down_proj.weight[:, index] = (
            direction / direction.norm() * size / coefficients[index]
        )
    found = demo.bisect(text, other=other, max_new_tokens=4)
    theirs = other.generate(ids, max_new_tokens=4).tokens
    alike = next(n for n, (a, b) in enumerate(zip(written, theirs, strict=True)) if a.id != b.id)
    assert found.generated == alike
    assert (found.answer.id, found.other.id) == (written[alike].id, theirs[alike].id)
    assert (found.layer, found.part, found.units, found.flips) == (layer, "ffn", (f"L{layer}D{index}",), True)
    # Positions that differ only above the middle are in the grid, too.
    assert None not in found.cells[layer]


def test_where_rounding_alone_decided_the_text_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written with a cache, two tokens nearly as likely may part where no forward of the whole text does."""
    one = shared("llama")
    alike = lm_debugger.load(copy.deepcopy(one.model.network), tokenizer(96))
    own = alike.generate

    def rounded(prompt: Any, *arguments: Any, **options: Any) -> Generation:
        found = own(prompt, *arguments, **options)
        if len(prompt) != len(IDS):
            return found
        first, second, *rest = found.tokens
        return found.model_copy(update={"tokens": (first, second.model_copy(update={"id": second.id ^ 1}), *rest)})

    monkeypatch.setattr(alike, "generate", rounded)
    found = one.bisect(IDS, other=alike, max_new_tokens=4)
    assert [warning.startswith("After 1 tokens the models wrote") for warning in found.warnings] == [True, False]
    assert "the same answer" in found.warnings[1]
    written = [token.id for token in one.generate(IDS, max_new_tokens=4).tokens]
    assert [token.id for token in found.tokens] == [*IDS, *written[:3]]


def test_a_unit_that_tells_two_prompts_apart_is_found() -> None:
    """The last token differs, and one value vector alone makes the answer of it."""
    debugger = lm_debugger.load(copy.deepcopy(shared("llama").model.network), tokenizer(96))
    network, layer = debugger.model.network, 1
    a, b = [*IDS[:-1], 20], [*IDS[:-1], 33]
    with torch.no_grad():
        for block in network.model.layers:  # hardly anything but the planted unit says anything
            block.mlp.down_proj.weight.mul_(0.01)
            block.self_attn.o_proj.weight.mul_(0.01)
        for token in (20, 33):  # the token itself says nothing
            network.model.embed_tokens.weight[token] *= 0.2
        streams = [debugger.trace(ids).layer(layer, -1) for ids in (a, b)]
        mine, theirs = (each.layer.groups[0].coefficients(each)[0] for each in streams)
        index = int((theirs.abs() * (mine * theirs < 0)).argmax())  # it speaks for token 50 there, against it here
        direction = debugger.model.readout.directions(torch.tensor([50]))[0]
        network.model.layers[layer].mlp.down_proj.weight[:, index] = 30 * direction / direction.norm() / theirs[index]
    first, second = (debugger.trace(ids).view().output[0].id for ids in (a, b))
    assert first != second
    found = debugger.bisect(a, b)
    assert found.flips
    assert (found.layer, found.position) == (layer, len(a) - 1)
    assert (found.part, found.units) == ("ffn", (f"L{layer}D{index}",))


def test_the_capitals(demo: Debugger) -> None:
    found = demo.bisect("The capital of France is", "The capital of Italy is")
    assert (found.answer.text, found.other.text, found.flips) == (" Paris", " Rome", True)
    assert found.layer is not None
    patched = demo.patch("The capital of France is", "The capital of Italy is")
    column = [row[4] for row in patched.cells]
    # Before the layer the answer stays, after it it is the other one: what `patch` says too.
    assert (column[found.layer - 1] or 0) > 0 > (column[found.layer] or 0)
    assert found.cells[found.layer][4] == pytest.approx(-(column[found.layer] or 0), abs=1e-3)
    assert found.frontier[found.layer] == found.cells[found.layer][4]
    assert found.part == "attention"
    assert all(unit.startswith(f"L{found.layer}H") for unit in found.units)


def test_runs_that_agree_have_nothing_to_bisect() -> None:
    found = shared("llama").bisect(IDS, IDS)
    assert (found.layer, found.position, found.part, found.units, found.flips) == (None, None, None, (), False)
    assert found.warnings
    alike = shared("llama").bisect(IDS, other=shared("llama"), max_new_tokens=3)
    assert alike.answer == alike.other


def test_what_cannot_be_bisected_is_told() -> None:
    with pytest.raises(OptionError, match="no other run"):
        shared("llama").bisect(IDS)
    with pytest.raises(OptionError, match="shape"):
        shared("llama").bisect(IDS, other=shared("gpt2"))
    with pytest.raises(OptionError, match="Both"):
        shared("llama").bisect(IDS, IDS, other=shared("llama"))
    with pytest.raises(OptionError, match="99"):
        shared("llama").bisect(IDS, prompt(7, 2), position=99)
