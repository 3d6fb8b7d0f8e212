"""A fix's report is a fresh run of its edits, on several architectures; what cannot be fixed is said to be so."""

import threading

import pytest

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import CancelledError, OptionError
from lm_debugger.records.fix import Fix, FixCase, FixOptions
from tests.tiny import prompt, shared

# Dense and parallel layers, norms after the sum, experts, shared experts, a soft cap, tuples between layers, no slopes.
TYPES = ("llama", "gpt2", "gpt_neox", "olmo2", "gemma2", "mixtral", "qwen2_moe", "gpt_oss", "bert", "bloom", "falcon")
IDS = prompt(8, 1)


def runner_up(debugger: Debugger, ids: list[int], rank: int = 1) -> int:
    return debugger.trace(ids).view(top_k=rank + 1).output[rank].id


def agrees(debugger: Debugger, found: Fix, ids: list[int], interventions: tuple[str, ...] = ()) -> None:
    """The report is what a trace with its edits says."""
    view = debugger.trace(ids, [*interventions, *found.edits]).view(found.position, top_k=10)
    assert [token.id for token in found.after[:10]] == [token.id for token in view.output]
    for told, real in zip(found.after, view.output, strict=False):
        assert told.logit == pytest.approx(real.logit, rel=1e-5)
        assert told.probability == pytest.approx(real.probability, abs=1e-5)
    before = debugger.trace(ids, interventions).view(found.position, top_k=10)
    assert [token.id for token in found.before] == [token.id for token in before.output]
    assert found.from_.id == before.output[0].id
    if not interventions and view.comparison is not None:
        assert found.kl == pytest.approx(view.comparison.kl, abs=1e-5)
    assert found.success == (view.output[0].id == found.to.id)


@pytest.mark.parametrize("model_type", TYPES)
def test_a_fix_is_what_a_fresh_run_of_its_edits_gives(model_type: str) -> None:
    debugger = shared(model_type)
    found = debugger.fix(IDS, runner_up(debugger, IDS, 3))
    agrees(debugger, found, IDS)
    # Tiny gemma2 repeats the last token by a lead of 10 logits. Five value vectors chosen greedily, at 20 strengths,
    # stay 3.5 logits short of this token too; free writes into every block would reach it.
    assert found.success or model_type == "gemma2"
    assert 1 <= len(found.edits) <= 5
    assert found.side_effects is not None
    assert found.side_effects.kl >= 0
    assert found.forwards > 0


def test_no_edit_can_be_left_out_of_a_fix() -> None:
    debugger = shared("llama")
    found = debugger.fix(IDS, runner_up(debugger, IDS, 40))
    assert found.success
    for edit in found.edits:
        rest = [each for each in found.edits if each != edit]
        assert debugger.trace(IDS, rest).view().output[0].id != found.to.id


def test_what_is_the_top_token_already_takes_no_edits() -> None:
    debugger = shared("llama")
    found = debugger.fix(IDS, runner_up(debugger, IDS, 0))
    assert found.success
    assert found.edits == ()
    assert found.kl == 0
    assert any("already" in warning for warning in found.warnings)


def test_a_middle_position_with_edits_in_force() -> None:
    debugger = shared("llama")
    force = ("L1D5=3.0", "L0H1=off")
    wanted = debugger.trace(IDS, force).view(4, top_k=3).output[2].id
    found = debugger.fix(IDS, wanted, position=4, interventions=force)
    assert found.success
    assert found.position == 4
    assert found.interventions == force
    assert not {"L1D5", "L0H1"} & {edit.partition("=")[0].rstrip("+*") for edit in found.edits}
    agrees(debugger, found, IDS, force)


def test_several_wanted_tokens_and_tokens_to_avoid() -> None:
    debugger = shared("llama")
    ranks = [runner_up(debugger, IDS, rank) for rank in range(6)]
    any_of = debugger.fix(IDS, [ranks[3], ranks[2]], avoid=ranks[0])
    assert any_of.success
    assert any_of.to.id in ranks[2:4]
    away = debugger.fix(IDS, avoid=ranks[:2])
    assert away.success
    assert away.after[0].id not in ranks[:2]
    agrees(debugger, away, IDS)


def test_several_predictions_are_fixed_with_one_set_of_edits() -> None:
    debugger = shared("llama")
    texts = ["w5 w9 w17 w21", "w30 w9 w44", "w7 w8 w9 w10 w11"]
    cases = [FixCase(prompt=text, target=f"w{debugger.trace(text).view(top_k=2).output[1].id}") for text in texts]
    found = debugger.fix_all(cases)
    assert found.fixed == sum(each.success for each in found.fixes)
    assert found.success
    for text, case, each in zip(texts, cases, found.fixes, strict=True):
        assert each.edits == found.edits
        top = debugger.trace(text, found.edits).view().output[0]
        assert top.text.strip() == case.target
        assert top.id == each.after[0].id


def test_the_edits_stay_within_the_budget_and_what_is_not_found_is_said() -> None:
    debugger = shared("llama")
    worst = debugger.trace(IDS).view(top_k=96).output[-1].id
    found = debugger.fix(IDS, worst, options=FixOptions(max_edits=1, budget=10))
    assert len(found.edits) <= 1
    agrees(debugger, found, IDS)
    assert found.success or any("Not found" in warning for warning in found.warnings)
    assert any(token.id == worst for token in found.after)


def test_the_most_edits_can_be_said_alone_and_goes_before_the_options() -> None:
    debugger, ids = shared("llama"), prompt(6)
    wanted = runner_up(debugger, ids, 5)
    found = debugger.fix(ids, wanted, max_edits=1)
    asked = debugger.fix(ids, wanted, options=FixOptions(max_edits=1))
    assert (found.edits, found.success, found.forwards) == (asked.edits, asked.success, asked.forwards)
    assert len(found.edits) <= 1
    with pytest.raises(OptionError, match="max_edits"):
        debugger.fix(ids, wanted, max_edits=0, options=FixOptions(max_edits=3))


def test_it_can_be_cancelled() -> None:
    debugger, stop = shared("llama"), threading.Event()
    seen: list[str] = []

    def watch(step: str, done: int, total: int) -> None:
        seen.append(step)
        if "one by one" in step:
            stop.set()

    with pytest.raises(CancelledError):
        debugger.fix(IDS, runner_up(debugger, IDS, 60), progress=watch, cancel=stop)
    assert any("Estimating" in step for step in seen)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({}, "wanted"),
        ({"target": "elephant"}, "elephant"),
        ({"target": 4000}, "4000"),
        ({"target": 7, "avoid": 7}, "both"),
        ({"target": 7, "position": 99}, "99"),
        ({"target": 7, "held": ["w5"]}, "fewer than two"),
    ],
)
def test_what_cannot_be_asked_is_told(asked: dict, word: str) -> None:
    with pytest.raises(OptionError, match=word):
        shared("llama").fix(IDS, **asked)


def test_options_out_of_their_bounds_are_told() -> None:
    with pytest.raises(OptionError, match="max_edits"):
        FixOptions(max_edits=0)


def test_the_demo_model(demo: Debugger) -> None:
    text = "The keys to the cabinet are on the"
    found = demo.fix(text, " table", held=["The weather is nice today.", "She reads a book."])
    assert found.success
    assert found.after[0].text == " table"
    assert found.kl < 0.3
    agrees(demo, found, demo.model.vocabulary.encode(text))
    assert demo.generate(text, found.edits, max_new_tokens=1).text == " table"


def test_a_word_without_its_space_is_pointed_out(demo: Debugger) -> None:
    found = demo.fix("The keys to the cabinet are on the", "table", options=FixOptions(budget=10, side_effects=False))
    assert any("no leading space" in warning for warning in found.warnings)
