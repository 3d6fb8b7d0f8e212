"""Planted truth: parts written into the demo model's weights are found."""

from collections.abc import Iterator

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.records.why import EstimateMethod
from tests.attribution import planted as circuit
from tests.attribution import trained

PROMPT = "My wife is working as a"
TARGET = " volcano"
LENGTH = 0.2  # of the stream there
PLANTED = {(5, 100), (11, 700), (17, 42), (22, 1500), (27, 3)}  # layers and dimensions


@pytest.fixture
def planted(request: pytest.FixtureRequest, demo: Debugger) -> Iterator[Debugger]:
    """Value vectors that write one token, whatever sign their coefficients have here."""
    network = demo.model.network
    (token,) = demo.model.vocabulary.encode(TARGET, special=False)
    ids = torch.tensor([demo.model.vocabulary.encode(PROMPT)])
    kept = {}
    with torch.no_grad():
        said = network.lm_head.weight * network.model.norm.weight
        direction = said[token]
        if request.param == "clearest":  # that says it in the most standard deviations of the vocabulary
            direction = torch.linalg.solve(said.T.cov(), said[token] - said.mean(0))
        direction = direction / direction.norm()
        for layer, dimension in sorted(PLANTED):  # an earlier one changes the coefficients of later ones
            block, seen = network.model.layers[layer], {}
            hooks = [
                block.mlp.down_proj.register_forward_pre_hook(lambda _, args, seen=seen: seen.update(m=args[0][0, -1])),
                block.register_forward_hook(lambda _, __, output, seen=seen: seen.update(stream=output[0, -1])),
            ]
            network(ids, use_cache=False)
            for hook in hooks:
                hook.remove()
            weight = block.mlp.down_proj.weight
            kept[layer, dimension] = weight[:, dimension].clone()
            weight[:, dimension] = direction * LENGTH * seen["stream"].norm() / seen["m"][dimension]
    yield demo
    with torch.no_grad():
        for (layer, dimension), values in kept.items():
            network.model.layers[layer].mlp.down_proj.weight[:, dimension] = values


@pytest.mark.parametrize("planted", ["strongest"], indirect=True)
def test_planted_value_vectors_are_the_answer_to_why(planted: Debugger) -> None:
    """Recall at 5 is 1, without a false positive; and without them the token's lead is gone."""
    names = {f"L{layer}D{dimension}" for layer, dimension in PLANTED}
    found = planted.why(PROMPT, TARGET, " nurse", top_k=len(names), estimate=False)
    assert {part.part for part in found.parts} == names
    assert all(part.effect > 0 for part in found.parts)
    assert abs(found.unexplained) < 1e-3
    without = planted.why(PROMPT, TARGET, " nurse", -1, [f"{name}=off" for name in names], estimate=False)
    assert found.difference > 0 > without.difference


@pytest.mark.parametrize("planted", ["clearest"], indirect=True)
def test_planted_value_vectors_are_found_by_a_search(planted: Debugger) -> None:
    """Recall at 5 is 1, whatever sign they were written with; the best of all others is far behind."""
    names = {f"L{layer}D{dimension}" for layer, dimension in PLANTED}
    found = planted.search(TARGET.strip(), limit=6)
    assert {result.value for result in found.results[:5]} == names
    assert abs(found.results[5].score) < 0.5 * abs(found.results[4].score)


CIRCUIT = {circuit.PREVIOUS, circuit.INDUCTION, circuit.COPYING}
TEXT = "w5 w17 w30 w61 w9 w22 w17"  # w17 was followed by w30
OTHER = "w5 w17 w44 w61 w9 w22 w17"


@pytest.fixture(scope="module")
def induction() -> Debugger:
    return circuit.planted()


def best(numbers: dict[str, float], count: int) -> set[str]:
    return set(sorted(numbers, key=lambda name: -numbers[name])[:count])


def test_the_heads_of_a_planted_circuit_are_known_by_how_they_attend(induction: Debugger) -> None:
    """Recall at 1 is 1 for both kinds, and no other head comes near: no false positive at half the score."""
    rows = induction.heads(TEXT).heads
    previous = {row.head: row.previous or 0 for row in rows}
    following = {row.head: row.induction or 0 for row in rows}
    assert {head for head, score in previous.items() if score > 0.5} == {circuit.PREVIOUS}
    assert {head for head, score in following.items() if score > 0.5} == {circuit.INDUCTION}
    (row,) = (row for row in rows if row.head == circuit.INDUCTION)
    assert row.promotes[0] == "w30"


def test_heads_that_copy_are_known_by_their_weights(induction: Debugger) -> None:
    scores = {
        f"L{layer}H{head}": induction.head(f"L{layer}H{head}").copying or 0 for layer in range(3) for head in range(4)
    }
    assert {head for head, score in scores.items() if score > 0.5} == {circuit.INDUCTION, circuit.COPYING}


@pytest.mark.parametrize("method", ["gradient", "integrated", "relevance"])
def test_why_finds_the_circuit_by_its_effects_and_by_what_it_causes(
    induction: Debugger, method: EstimateMethod
) -> None:
    """The copying heads by direct effect; with what they depend on, whichever estimate chooses what is measured."""
    found = induction.why(TEXT, "w30", "w22", top_k=2, estimate=method, verify=8, sources=True)
    direct = {part.part: part.effect for part in found.parts}
    assert best(direct, 2) == {circuit.INDUCTION, circuit.COPYING}
    caused = {part.part: part.measured or 0 for part in found.parts}
    assert best(caused, 3) == {"embedding", circuit.PREVIOUS, circuit.INDUCTION}
    copied = next(part for part in found.parts if part.part == circuit.INDUCTION)
    assert max(copied.sources, key=lambda source: source.effect).position == 2  # of w30


def test_patching_from_another_run_finds_the_head_that_copies(induction: Debugger) -> None:
    """Recall at 1 is 1; the head that copies weakly is second, all others do nothing."""
    found = induction.patch(TEXT, OTHER, "heads", "w30", "w44")
    cells = {f"L{layer}H{head}": cell or 0 for layer, row in enumerate(found.cells) for head, cell in enumerate(row)}
    moved = {head: found.difference - cell for head, cell in cells.items()}
    assert best(moved, 2) == {circuit.INDUCTION, circuit.COPYING}
    assert moved[circuit.INDUCTION] > 20
    assert all(abs(moved[head]) < 0.5 for head in moved if head not in CIRCUIT)


@pytest.mark.parametrize("word", ["w40", "w50"])
def test_vectors_that_write_a_word_are_found_by_a_search(induction: Debugger, word: str) -> None:
    """Recall at k, the number planted, is 1, and the next one is far behind."""
    names = {name for name, written in circuit.VECTORS.items() if written == word}
    results = induction.search(word, limit=len(names) + 1).results
    assert {result.value for result in results[:-1]} == names
    assert abs(results[-1].score) < 0.5 * abs(results[-2].score)


LISTS = (  # the word after the second time is the one after the first
    (" table doctor{} green river window table doctor", " music", " orange"),
    (" seven lamp{} paper kitchen seven lamp", " horse", " cotton"),
    (" garden bottle{} mountain bread garden bottle", " silver", " pencil"),
)


@pytest.fixture(scope="module")
def circuit_in_demo() -> Debugger:
    return trained.planted()


@pytest.mark.parametrize(("words", "word", "other"), LISTS)
def test_a_circuit_in_trained_weights_is_found(circuit_in_demo: Debugger, words: str, word: str, other: str) -> None:
    """Recall at 1 is 1 by attention and by direct effect; the model's own heads of each kind come after.

    What the circuit causes in all is small here: the later layers were not trained with it. So it is patched in the
    small model alone.
    """
    text = words.format(word)
    rows = circuit_in_demo.heads(text).heads
    assert max(rows, key=lambda row: row.previous or 0).head == trained.PREVIOUS
    following = sorted(rows, key=lambda row: -(row.induction or 0))
    assert following[0].head == trained.INDUCTION
    assert (following[0].induction or 0) > 1.5 * (following[1].induction or 0)
    why = circuit_in_demo.why(text, word, other, top_k=1, estimate=False)
    assert why.parts[0].part == trained.INDUCTION
