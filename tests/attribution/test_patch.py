"""Patching: everything makes it the other run, nothing leaves it this run, and one part does what a hook would do."""

import pytest
import torch

from lm_debugger.attribution.align import align
from lm_debugger.debugger.session import Debugger
from lm_debugger.records.patch import PatchPart
from tests.tiny import prompt, shared

IDS, OTHER = prompt(9, 0), prompt(9, 3)
PARTS: tuple[PatchPart, ...] = ("residual", "attention", "ffn", "heads")
TYPES = ("llama", "gpt2", "gemma2", "olmo2", "bart", "mixtral", "qwen2_moe", "gpt_neox", "falcon")


@pytest.mark.parametrize("model_type", TYPES)
def test_the_whole_stream_of_the_other_run_makes_it_the_other_run(model_type: str) -> None:
    found = shared(model_type).patch(IDS, OTHER, target=11, against=40, position=6)
    assert found.other_difference == pytest.approx(shared(model_type).why(OTHER, 11, 40, 6).difference, abs=1e-4)
    for layer in found.together:
        assert layer == pytest.approx(found.other_difference, abs=2e-4)
    # After the last layer only the position itself counts.
    assert found.cells[-1][6] == pytest.approx(found.other_difference, abs=2e-4)
    assert found.cells[-1][2] == pytest.approx(found.difference, abs=2e-4)


@pytest.mark.parametrize("part", PARTS)
def test_patching_a_run_with_itself_changes_nothing(part: PatchPart) -> None:
    found = shared("llama").patch(IDS, IDS, part, 11, 40)
    assert found.difference == found.other_difference
    assert {cell for row in found.cells for cell in row} == {found.difference}
    assert set(found.together) == {found.difference}


@pytest.mark.parametrize(
    ("part", "path"),
    [("attention", "self_attn.o_proj"), ("ffn", "mlp.down_proj"), ("residual", ""), ("heads", "self_attn.o_proj")],
)
@torch.no_grad()
def test_a_cell_is_what_a_hook_on_the_module_would_do(part: PatchPart, path: str) -> None:
    debugger, layer, column = shared("llama"), 1, 3
    found = debugger.patch(IDS, OTHER, part, 11, 40, 6)
    network = debugger.model.network
    module = network.model.layers[layer].get_submodule(path)
    seen: list[torch.Tensor] = []

    def swap(_, args, output=None):
        stream = (args[0] if part == "heads" else output).clone()
        if not seen:
            seen.append(stream)
            return None
        if part == "heads":
            stream[:, :, 8 * column : 8 * column + 8] = seen[0][:, :, 8 * column : 8 * column + 8]
            return (stream, *args[1:])
        stream[:, column] = seen[0][:, column]
        return stream

    register = module.register_forward_pre_hook if part == "heads" else module.register_forward_hook
    handle = register(swap)
    network(torch.tensor([OTHER]), use_cache=False)
    logits = network(torch.tensor([IDS]), use_cache=False).logits[0, 6]
    handle.remove()
    assert found.cells[layer][column] == pytest.approx(float(logits[11] - logits[40]), abs=1e-4)


def test_positions_after_the_one_that_is_read_are_not_patched() -> None:
    found = shared("llama").patch(IDS, OTHER, target=11, against=40, position=4)
    assert all(cell is None for row in found.cells for cell in row[5:])
    assert all(cell is not None for row in found.cells for cell in row[:5])


def test_a_layer_without_what_is_patched_has_no_cells() -> None:
    found = shared("lfm2").patch(IDS, OTHER, "attention", 11, 40)
    assert found.together[0] is None
    assert found.together[1] is not None
    assert set(found.cells[0]) == {None}


def test_the_default_question_is_one_runs_token_against_the_others(demo: Debugger) -> None:
    found = demo.patch("The capital of France is", "The capital of Italy is")
    assert (found.target.text, found.against and found.against.text) == (" Paris", " Rome")
    assert found.difference > 0 > (found.other_difference or 0)
    # The country's position decides in early layers, the last position in late ones.
    assert found.cells[2][3] == pytest.approx(found.other_difference, abs=2)
    assert found.cells[-1][4] == pytest.approx(found.other_difference, abs=1e-3)
    assert found.cells[2][0] == found.difference  # the same before the difference: not even run


@pytest.mark.parametrize(
    ("ids", "other", "expected"),
    [
        ([1, 2, 3], [1, 9, 3], (0, 1, 2)),
        ([1, 2, 3, 4], [1, 9, 8, 3, 4], (0, 2, 3, 4)),
        ([1, 2, 7, 3, 4], [1, 9, 3, 4], (0, None, 1, 2, 3)),
        ([1, 2], [1, 2, 3], (0, 1)),
        ([5, 6], [7, 8, 9], (1, 2)),
        ([1, 1, 1], [1, 1], (0, 1, None)),
    ],
)
def test_texts_are_aligned_at_what_differs(ids: list[int], other: list[int], expected: tuple) -> None:
    assert align(ids, other).positions == expected


def test_texts_of_different_lengths_say_how_they_were_aligned() -> None:
    found = shared("llama").patch([5, 6, 7, 8], [5, 9, 9, 7, 8], target=11, against=40)
    assert found.aligned == (0, 2, 3, 4)
    assert "first 1 tokens and the last 2 are the same" in found.alignment
