"""What a part causes: estimates are gradients, and what is measured is what zeroed weights do."""

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from lm_debugger.records.names import read_unit
from lm_debugger.records.why import WhyPart
from tests.tiny import COMMON, debugger, prompt, shared

IDS = prompt()


def difference(network: torch.nn.Module, position: int = 6) -> float:
    with torch.no_grad():
        logits = network(torch.tensor([IDS]), use_cache=False).logits[0, position].double()
    return float(logits[11] - logits[40])


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "olmo2", "bart", "mixtral", "qwen2_moe", "gpt_neox", "falcon"])
def test_measured_is_the_difference_to_a_run_with_the_weights_zeroed(model_type: str) -> None:
    found = debugger(model_type)
    network = found.model.network
    whole = difference(network)
    answer = found.why(IDS, 11, 40, 6, verify=12, top_k=5)
    verified = [part for part in answer.parts if part.measured is not None and part.kind in ("value", "head")]
    assert len(verified) >= 8
    assert {part.kind for part in verified} == {"value", "head"}
    for part in verified:
        group, index = found.model.unit(read_unit(part.part))
        with torch.no_grad():
            kept = [(matrix, row, matrix[row].clone()) for matrix, row in group.holders(index)]
            for matrix, row, _ in kept:
                matrix[row] = 0
            assert part.measured == pytest.approx(whole - difference(network), abs=2e-4)
            for matrix, row, values in kept:
                matrix[row] = values
    assert difference(network) == whole


def test_the_embedding_is_measured_by_a_run_without_it() -> None:
    found = shared("llama")
    answer = found.why(IDS, 11, 40, 6, verify=200, top_k=1)
    (embedding,) = (part for part in answer.parts if part.part == "embedding")
    hook = found.model.network.model.layers[0].register_forward_pre_hook(lambda _, args: (args[0] * 0, *args[1:]))
    without = difference(found.model.network)
    hook.remove()
    assert embedding.measured == pytest.approx(difference(found.model.network) - without, abs=1e-4)


@pytest.mark.parametrize(
    "model_type", ["llama", "gpt2", "gemma3_text", "mixtral", "qwen2_moe", "gpt_neo", "falcon", "ctrl"]
)
def test_an_estimate_is_the_slope_of_the_difference_times_the_units_size(model_type: str) -> None:
    """Against central differences: the unit a little stronger and a little weaker, at all positions."""
    found = shared(model_type)
    answer = found.why(IDS, 11, 40, 6, top_k=30)
    units = [part for part in answer.parts if part.kind in ("value", "head")]
    assert len(units) > 10
    for part in units[:10]:
        more = found.why(IDS, 11, 40, 6, [f"{part.part}*=1.02"], estimate=False).difference
        less = found.why(IDS, 11, 40, 6, [f"{part.part}*=0.98"], estimate=False).difference
        assert part.estimate == pytest.approx((more - less) / 0.04, abs=3e-3, rel=0.02)


@pytest.mark.parametrize("model_type", COMMON)
def test_every_architecture_has_estimates(model_type: str) -> None:
    answer = shared(model_type).why(IDS, 11, 40, 6, top_k=10)
    none = [part for part in answer.parts if part.kind in ("value", "head", "embedding") and part.estimate is None]
    assert none == []


def test_verified_parts_are_those_with_the_largest_estimates() -> None:
    found = shared("llama")
    everything = found.why(IDS, 11, 40, 6, top_k=1000)
    ranked = sorted((p for p in everything.parts if p.estimate is not None), key=lambda p: -abs(p.estimate or 0))
    answer = found.why(IDS, 11, 40, 6, top_k=1, verify=5)
    assert {p.part for p in answer.parts if p.measured is not None} == {p.part for p in ranked[:5]}


def test_agreement_is_the_correlation_over_what_was_measured() -> None:
    answer = shared("llama").why(IDS, 11, 40, 6, top_k=1, verify=30)
    pairs = [(p.estimate, p.measured) for p in answer.parts if p.measured is not None]
    assert answer.agreement == pytest.approx(float(torch.corrcoef(torch.tensor(pairs).T)[0, 1]), abs=1e-4)
    assert shared("llama").why(IDS, 11, 40, 6, verify=2).agreement is None


def test_edits_stay_in_force_while_parts_are_switched_off() -> None:
    found, edits = shared("llama"), ["L1D3=2", "L2H1*=0.5"]
    answer = found.why(IDS, 11, 40, 6, edits, top_k=1, verify=4)
    for part in answer.parts:
        if part.measured is not None and part.kind in ("value", "head") and part.part not in ("L1D3", "L2H1"):
            without = found.why(IDS, 11, 40, 6, [*edits, f"{part.part}=off"]).difference
            assert part.measured == pytest.approx(answer.difference - without, abs=1e-4)


@pytest.mark.parametrize("unit", ["L1E0D3", "L1E1D3", "L1E2D3", "L1E3D3"])
def test_estimates_are_given_where_an_expert_is_edited(unit: str) -> None:
    answer = shared("mixtral").why(IDS, 11, 40, 6, [f"{unit}*=-30"])
    assert answer.warnings == ()
    for part in answer.parts[:4]:
        if part.kind == "value" and part.part != unit:
            more, less = (
                shared("mixtral").why(IDS, 11, 40, 6, [f"{unit}*=-30", f"{part.part}*={factor}"], estimate=False)
                for factor in (1.02, 0.98)
            )
            assert part.estimate == pytest.approx((more.difference - less.difference) / 0.04, abs=3e-3, rel=0.02)


def test_on_the_demo_model_estimates_of_late_parts_agree_with_what_is_measured(demo: Debugger) -> None:
    answer = demo.why("My wife is working as a", " nurse", " teacher", layers="20-29", verify=20)

    def close(part: WhyPart) -> bool:
        return abs((part.estimate or 0) - (part.measured or 0)) < 0.3 * abs(part.measured or 0) + 0.05

    measured = [part for part in answer.parts if part.measured is not None]
    assert len(measured) == 20
    assert sum(map(close, measured)) >= 16


@pytest.mark.parametrize("verify", [-1, 1001])
def test_a_number_of_verifications_out_of_range_is_refused(verify: int) -> None:
    with pytest.raises(OptionError, match="verify"):
        shared("llama").why(IDS, verify=verify)
