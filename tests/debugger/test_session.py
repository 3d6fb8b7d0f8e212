"""The verbs of a `Debugger` on a model in memory: what is kept, what is refused, what the caller's model is left as."""

import io

import pytest
from rich.console import Console

import lm_debugger
from lm_debugger.errors import OptionError, UnsupportedModelError
from lm_debugger.proof import kept as kept_module
from lm_debugger.runs.store import RUNS, RunStore
from tests import zoo
from tests.tiny import debugger, prompt, tokenizer


def test_text_and_token_ids_are_the_same_prompt() -> None:
    tiny = debugger("llama")
    assert tiny.trace("w5 w9 w17") is tiny.trace([5, 9, 17])
    assert [token.text.strip() for token in tiny.trace("w5 w9 w17").tokens] == ["w5", "w9", "w17"]


def test_a_bounded_number_of_traces_is_kept() -> None:
    tiny = debugger("llama")
    first = tiny.trace([3, 4, 5])
    assert tiny.trace([3, 4, 5]) is first
    for i in range(RUNS + 1):
        tiny.trace([3, 4, 6 + i])
    again = tiny.trace([3, 4, 5])
    assert again is not first
    assert again.view() == first.view()


def test_kept_traces_are_bounded_in_memory_too() -> None:
    tiny = debugger("llama")
    memory = tiny.trace([3, 4, 5]).memory
    tiny._runs = RunStore(memory=3 * memory)
    for i in range(6):
        tiny.trace([3, 4, 6 + i])
    assert [tiny.find([3, 4, 6 + i]) is None for i in range(6)] == [True, True, True, False, False, False]


def test_edits_given_as_text_or_as_values_are_the_same() -> None:
    tiny = debugger("llama")
    assert tiny.trace(prompt(), ["l1d5 = off"]) is tiny.trace(prompt(), [lm_debugger.parse_edit("L1D5=off")])


def test_one_list_of_edits_for_each_prompt() -> None:
    with pytest.raises(OptionError, match="2 prompts came with 1"):
        debugger("llama").trace_batch([prompt(), prompt()], [["L1D5=off"]])


def test_the_callers_model_keeps_its_weights() -> None:
    network = zoo.make("llama")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tiny = lm_debugger.load(network, tokenizer(96))
    tiny.trace(prompt(), ["L1D5=off"]).view()
    tiny.generate(prompt(), ["L1D5=9"])
    tiny.calibrate(tokens=1000, force=True)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())


@pytest.mark.usefixtures("empty_cache")
def test_the_proof_is_recalled_by_fingerprint_and_made_anew_for_other_weights() -> None:
    network = zoo.make("llama", seed=11)
    assert not lm_debugger.examine(network).cached
    assert lm_debugger.examine(network).cached
    network.model.layers[0].mlp.down_proj.weight.data[0, 0] += 1
    assert not lm_debugger.examine(network).cached


@pytest.mark.usefixtures("empty_cache")
def test_the_proof_is_made_anew_for_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    network = zoo.make("llama")
    lm_debugger.examine(network)
    monkeypatch.setattr(kept_module._Proof.model_fields["versions"], "default", "transformers 6")
    assert not lm_debugger.examine(network).cached


def test_an_unsupported_model_is_refused_with_what_still_works() -> None:
    with pytest.raises(UnsupportedModelError, match=r"feed-forward.*still possible"):
        lm_debugger.load(zoo.make("mamba"), tokenizer(96))
    assert not lm_debugger.examine(zoo.make("mamba")).supported


def test_a_model_in_memory_needs_its_tokenizer() -> None:
    with pytest.raises(lm_debugger.LMDebuggerError, match="tokenizer"):
        lm_debugger.load(zoo.make("llama"))


def test_a_trace_shows_itself_in_a_terminal_and_in_a_notebook() -> None:
    trace = debugger("llama").trace("w5 w9 w17", ["L1D5=9"])
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(trace)
    shown = console.export_text()
    page = trace._repr_html_()
    for text in (shown, page):
        assert "L1D5=9" in text
        assert trace.view().output[0].text in text
    assert "<script" not in page


def test_records_are_frozen_and_survive_json() -> None:
    view = debugger("llama").trace(prompt(), ["L1D5=off"]).view()
    assert type(view).model_validate_json(view.model_dump_json()) == view
    with pytest.raises(ValueError, match="frozen"):
        view.position = 3  # type: ignore[misc]  # wrong on purpose
