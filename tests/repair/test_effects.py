"""Sweeps and side effects equal runs by themselves."""

import math

import pytest
import torch

from lm_debugger.errors import EditError, OptionError, PromptError, ValueNameError
from tests.tiny import debugger, prompt, shared

IDS = prompt(7)
TYPES = ["gpt2", "llama", "gemma2", "mixtral"]


def unit(model_type: str) -> str:
    return "L1E0D5" if model_type == "mixtral" else "L1D5"


@pytest.mark.parametrize("model_type", TYPES)
def test_each_point_is_a_run_with_its_edit(model_type: str) -> None:
    tiny = shared(model_type)
    found = tiny.sweep(IDS, unit(model_type), 9, low=-40, high=40, points=5)
    assert [point.strength for point in found.points] == [-40, -20, 0, 20, 40]
    base = tiny.trace(IDS).logits(-1).log_softmax(-1)
    for point in found.points:
        logits = tiny.trace(IDS, [point.edit]).logits(-1)
        assert point.probability == pytest.approx(float(logits.softmax(-1)[9]), rel=1e-4)
        assert point.rank == int((logits > logits[9]).sum()) + 1
        assert point.top.id == int(logits.argmax())
        kl = float((base.exp() * (base - logits.log_softmax(-1))).sum())
        assert point.kl == pytest.approx(kl, abs=1e-5)
    assert max(point.kl for point in found.points) > 0


def test_by_itself_a_coefficient_is_set_over_its_range_and_a_head_scaled() -> None:
    tiny = shared("llama")
    found = tiny.sweep(IDS, "L1D5", points=3)
    known = tiny.value("L1D5").range
    assert known is not None
    assert (found.operation, found.points[0].strength) == ("set", pytest.approx(known.low, rel=1e-4))
    assert found.points[-1].strength == pytest.approx(known.high, rel=1e-4)
    head = tiny.sweep(IDS, "L1H1", points=3)
    assert [point.edit for point in head.points] == ["L1H1=off", "L1H1*=1.0", "L1H1*=2.0"]
    assert head.points[1].kl == pytest.approx(0, abs=1e-6)
    assert head.coefficient is None


def test_a_sweep_within_edits_begins_from_them() -> None:
    tiny = shared("llama")
    found = tiny.sweep(IDS, "L1D5", interventions=["L0D2=30"], operation="scale", low=1, high=2, points=2)
    assert found.points[0].kl == pytest.approx(0, abs=1e-6)
    assert found.interventions == ("L0D2=30.0",)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"unit": "L99D1"}, ValueNameError),
        ({"unit": "L1H1", "operation": "set"}, OptionError),
        ({"unit": "L1D5", "low": 2, "high": 1}, OptionError),
        ({"unit": "L1D5", "points": 1}, OptionError),
        ({"unit": "L1D5", "position": 99}, OptionError),
    ],
)
def test_what_cannot_be_swept_is_an_error(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        shared("llama").sweep(IDS, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("model_type", TYPES)
@torch.no_grad()
def test_side_effects_equal_runs_of_each_text(model_type: str) -> None:
    tiny = debugger(model_type)
    edit = f"{unit(model_type)}=60"
    texts = [tiny.model.vocabulary.decode(prompt(6)), tiny.model.vocabulary.decode(prompt(9))]
    found = tiny.side_effects([edit], texts, continuations=1)
    assert found.prompts == 2
    assert [each.kl for each in found.texts] == sorted((each.kl for each in found.texts), reverse=True)
    assert [each.continuation is None for each in found.texts] == [False, True]
    for each in found.texts:
        ids = tiny.model.vocabulary.encode(each.text)
        one, other = tiny.trace(ids), tiny.trace(ids, [edit])
        places = range(len(ids) - 1)
        before = torch.stack([one.logits(place).log_softmax(-1) for place in places])
        after = torch.stack([other.logits(place).log_softmax(-1) for place in places])
        kl = (before.exp() * (before - after)).sum(-1)
        assert each.kl == pytest.approx(float(kl.mean()), abs=1e-5)
        assert each.worst == int(kl.argmax())
        assert each.changed == pytest.approx(float((before.argmax(-1) != after.argmax(-1)).float().mean()))
        surprise = -after.gather(1, torch.tensor(ids[1:])[:, None]).mean()
        assert each.perplexity_after == pytest.approx(math.exp(float(surprise)), rel=1e-4)


def test_side_effects_of_nothing_and_of_no_text_are_errors() -> None:
    tiny = shared("llama")
    with pytest.raises(EditError):
        tiny.side_effects([])
    with pytest.raises(PromptError):
        tiny.side_effects(["L1D5=2"], [""])
    with pytest.raises(OptionError):
        tiny.side_effects(["L1D5=2"], [[5]])
    own = tiny.side_effects(["L1D5=60"], continuations=0)
    assert own.prompts > 8
    assert own.random_kl > 0


def test_an_edit_of_positions_that_a_text_lacks_does_nothing_there() -> None:
    tiny = debugger("llama")
    short, long = (tiny.model.vocabulary.decode(prompt(length)) for length in (4, 12))
    found = {each.text: each.kl for each in tiny.side_effects(["L1D5=60@8-10"], [short, long], continuations=0).texts}
    assert found[short] == 0
    assert found[long] > 0
    assert tiny.fix(tiny.model.vocabulary.decode(prompt(12)), 9, interventions=["L1D5=60@8-10"]).forwards > 1
