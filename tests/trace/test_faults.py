"""Bad prompts and positions get an error that names what was wrong; the debugger works on after each."""

import pytest

from lm_debugger.errors import LMDebuggerError, MemoryLimitError, NumericalError, OptionError, PromptError
from tests.tiny import debugger, prompt, shared


@pytest.mark.parametrize(
    ("ids", "error", "says"),
    [
        ([], PromptError, "empty"),
        ([3, 96], PromptError, "96"),
        ([3, -1], PromptError, "-1"),
        ([3] * 129, PromptError, "context of 128"),
    ],
)
def test_prompts_that_cannot_run(ids: list[int], error: type[LMDebuggerError], says: str) -> None:
    with pytest.raises(error, match=says):
        shared("llama").trace(ids)
    with pytest.raises(error, match=says):
        shared("llama").generate(ids)


def test_one_token_and_the_whole_context_can_be_traced() -> None:
    assert shared("llama").trace([5]).view().output
    assert shared("llama").trace(prompt(128)).view(127).output


@pytest.mark.parametrize("position", [9, -10, 1000])
def test_positions_outside_the_text(position: int) -> None:
    with pytest.raises(OptionError, match="0 to 8"):
        shared("llama").trace(prompt()).view(position)


def test_negative_positions_count_from_the_end() -> None:
    trace = shared("llama").trace(prompt())
    assert trace.view(-1) == trace.view(8)


def test_top_k_beyond_the_vocabulary_lists_it_all_and_zero_is_refused() -> None:
    trace = shared("llama").trace(prompt())
    assert len(trace.view(top_k=1000).output) == 96
    with pytest.raises(OptionError, match="top_k"):
        trace.view(top_k=0)


def test_memory_is_bounded_and_the_error_says_how_much_fits() -> None:
    with pytest.raises(MemoryLimitError, match=r"at most \d+ tokens"):
        shared("llama").trace(prompt(100), memory_limit=100_000)


def test_the_memory_estimate_is_an_upper_bound_of_what_is_kept() -> None:
    from lm_debugger.runs import run

    tiny = debugger("llama")
    trace = tiny.trace(prompt(64, 5))
    with pytest.raises(MemoryLimitError):
        tiny.trace(prompt(64, 6), memory_limit=trace.memory - 1)
    assert trace.memory < run.MEMORY_LIMIT


def test_weights_that_turn_bad_are_reported_with_layer_and_position() -> None:
    tiny = debugger("llama")
    tiny.model.network.model.layers[1].mlp.down_proj.weight.data[0, 0] = float("nan")
    with pytest.raises(NumericalError, match="layer 1 at position 0"):
        tiny.trace(prompt())
