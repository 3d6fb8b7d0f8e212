"""Editing a coefficient equals editing the weights, in a forward and in cached generation, alone and by row."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import EditError, NumericalError
from lm_debugger.records.names import ValueName
from tests.tiny import debugger as fresh
from tests.tiny import prompt, shared

EDITABLE = ["llama", "gpt2", "gptj", "gemma2", "olmo2", "opt", "bert", "mixtral", "qwen2_moe", "gpt_oss", "granitemoe"]


def names(debugger: Debugger) -> list[str]:
    """A vector of each group of a middle layer, and one of the last layer."""
    found = []
    for layer in (1, debugger.summary.layers - 1):
        for extent in debugger.model.vectors(layer):
            if extent.letters == "D":
                found.append(f"L{layer}D5")
            else:
                found += [f"L{layer}E{expert}D7" for expert in range(extent.sizes[0])]
    return found


@contextmanager
def scaled_weights(debugger: Debugger, values: list[str], factor: float) -> Iterator[None]:
    """The value vectors are multiplied in the model's own weights."""
    rows = []
    for text in values:
        name = ValueName.parse(text)
        group, index = debugger.model.values(name)
        matrix, row = group.matrix_of(index)
        rows.append(matrix[row])
    saved = [row.clone() for row in rows]
    try:
        for row in rows:
            row.mul_(factor)
        yield
    finally:
        for row, old in zip(rows, saved, strict=True):
            row.copy_(old)


def plain_logits(debugger: Debugger, ids: list[int]) -> Tensor:
    with torch.no_grad():
        logits: Tensor = debugger.model.network(torch.tensor([ids])).logits[0]
    return logits


def traced_logits(debugger: Debugger, ids: list[int], edits: list[str]) -> Tensor:
    trace = debugger.trace(ids, edits)
    return torch.stack([trace.logits(position) for position in range(len(ids))])


@pytest.mark.parametrize("model_type", EDITABLE)
@pytest.mark.parametrize(("operation", "factor"), [("=off", 0.0), ("*=3", 3.0), ("*=-1", -1.0)])
def test_scaling_a_coefficient_is_scaling_its_vector(model_type: str, operation: str, factor: float) -> None:
    debugger, ids = shared(model_type), prompt()
    values = names(debugger)
    with scaled_weights(debugger, values, factor):
        expected = plain_logits(debugger, ids)
    found = traced_logits(debugger, ids, [value + operation for value in values])
    assert not torch.allclose(expected, plain_logits(debugger, ids), atol=1e-4), "the edit must change something"
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("model_type", EDITABLE)
def test_scaling_holds_in_cached_generation(model_type: str) -> None:
    debugger, ids = shared(model_type), prompt(6, 4)
    values = names(debugger)
    with scaled_weights(debugger, values, -4.0):
        expected = debugger.generate(ids, max_new_tokens=8)
    found = debugger.generate(ids, [value + "*=-4" for value in values], max_new_tokens=8)
    assert [token.id for token in found.tokens] == [token.id for token in expected.tokens]
    for mine, theirs in zip(found.tokens, expected.tokens, strict=True):
        assert mine.logprob == pytest.approx(theirs.logprob, abs=1e-3)


@pytest.mark.parametrize(("operation", "expected"), [("=2.5", 2.5), ("+=1.5", None), ("=-3", -3.0)])
def test_set_and_add_put_the_number_into_the_coefficient(operation: str, expected: float | None) -> None:
    debugger, ids = shared("gpt2"), prompt()
    trace = debugger.trace(ids, [f"L1D5{operation}"])
    assert trace.baseline is not None
    (bound,) = trace.layer(1).layer.groups
    old, new = (bound.coefficients(t.layer(1))[:, 5] for t in (trace.baseline, trace))
    wanted = torch.full_like(old, expected) if expected is not None else old + 1.5
    torch.testing.assert_close(new, wanted)
    others = torch.arange(bound.extent.units) != 5
    torch.testing.assert_close(
        bound.coefficients(trace.layer(1))[:, others], bound.coefficients(trace.baseline.layer(1))[:, others]
    )


def test_on_sets_a_multiple_of_the_vectors_own_quantile(tmp_path: Path) -> None:
    debugger, ids = fresh("gpt2"), prompt()
    (tmp_path / "text").write_text(" ".join(f"w{3 + i * i % 90}" for i in range(1200)))
    debugger.calibrate(tmp_path / "text", tokens=1000)
    known = debugger.coefficient_range(ValueName(1, 5))
    assert known.low < 0 < known.high
    (bound,) = debugger.trace(ids).layer(1).layer.groups
    for edit, expected in (
        ("on", known.high),
        ("on*0.5", known.high / 2),
        ("on-*2", known.low * 2),
        ("on-", known.low),
        ("on*0", 0.0),
    ):
        found = bound.coefficients(debugger.trace(ids, [f"L1D5={edit}"]).layer(1))[:, 5]
        torch.testing.assert_close(found, torch.full_like(found, expected))


def test_setting_an_expert_that_the_router_did_not_choose_adds_its_vector() -> None:
    debugger, ids = shared("mixtral"), prompt()
    layer = debugger.summary.layers - 1
    streams = debugger.trace(ids).layer(layer, 4)
    (bound,) = streams.layer.groups
    index, _, _ = bound.routed(streams)
    absent = next(e for e in range(debugger.model.vectors(layer)[-1].sizes[0]) if e not in index[0].tolist())
    name = ValueName(layer, 7, absent)
    edited = debugger.trace(ids, [f"{name}=3@4"]).layer(layer, 4)
    moved = edited.after - streams.after
    torch.testing.assert_close(moved[0], 3 * debugger.model.vector(name), rtol=1e-4, atol=1e-4)


def test_layer_maximum_takes_the_largest_coefficient_of_each_token() -> None:
    trace = shared("gpt2").trace(prompt(), ["L1D5=layermax"])
    assert trace.baseline is not None
    (bound,) = trace.layer(1).layer.groups
    old, new = (bound.coefficients(t.layer(1)) for t in (trace.baseline, trace))
    torch.testing.assert_close(new[:, 5], old.amax(-1))


@pytest.mark.parametrize(
    ("scope", "touched"),
    [("all", range(9)), ("prompt", range(9)), ("last", [8]), ("2,4-6", [2, 4, 5, 6]), ("generated", [])],
)
def test_a_scope_touches_its_positions_and_no_others(scope: str, touched: list[int]) -> None:
    trace = shared("gpt2").trace(prompt(), [f"L1D5=9@{scope}"])
    (bound,) = trace.layer(1).layer.groups
    coefficients = bound.coefficients(trace.layer(1))[:, 5]
    assert [position for position in range(9) if float(coefficients[position]) == 9.0] == list(touched)


def uncached_greedy(debugger: Debugger, ids: list[int], edits: list[str], steps: int) -> list[int]:
    """Greedy generation by whole forwards: the edits' scopes are resolved to positions by hand."""
    tokens = list(ids)
    for _ in range(steps):
        last = len(tokens) - 1
        resolved = []
        for edit in edits:
            value, _, scope = edit.partition("@")
            if scope == "generated":
                if last < len(ids):
                    continue
                scope = f"{len(ids)}-{last}"
            if scope == "prompt":
                scope = f"0-{len(ids) - 1}"
            if scope[0].isdecimal():
                wanted = [int(p) for part in scope.split(",") for p in _span(part) if int(p) <= last]
                scope = ",".join(map(str, wanted))
            resolved.append(f"{value}@{scope}")
        tokens.append(int(debugger.trace(tokens, resolved).logits().argmax()))
    return tokens[len(ids) :]


def _span(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mixtral", "olmo2"])
@pytest.mark.parametrize("edits", [["L1{}=20@generated"], ["L1{}=-20@prompt"], ["L1{}=20@3,7-8", "L2{}=-9@generated"]])
def test_scopes_count_positions_right_under_a_cache(model_type: str, edits: list[str]) -> None:
    debugger, ids = shared(model_type), prompt(6, 2)
    place = "E1D3" if model_type == "mixtral" else "D3"
    edits = [edit.format(place) for edit in edits]
    found = debugger.generate(ids, edits, max_new_tokens=6)
    assert [token.id for token in found.tokens] == uncached_greedy(debugger, ids, edits, 6)


@pytest.mark.parametrize("model_type", ["llama", "mixtral", "qwen2_moe"])
def test_rows_with_their_own_edits_equal_single_runs(model_type: str) -> None:
    debugger = fresh(model_type)
    values = names(debugger)
    rows = [[f"{value}=4"] for value in values] + [[], [f"{values[0]}=-4@2", f"{values[-1]}=off"]]
    batch = debugger.trace_batch([prompt()] * len(rows), rows)
    alone = fresh(model_type)
    for row, trace in zip(rows, batch, strict=True):
        single = alone.trace(prompt(), row)
        torch.testing.assert_close(trace.last_residual, single.last_residual, rtol=1e-4, atol=1e-4)


def test_a_trace_with_edits_carries_its_baseline_and_the_difference() -> None:
    debugger, ids = shared("llama"), prompt()
    view = debugger.trace(ids, ["L2D5=30"]).view()
    base, edited = plain_logits(debugger, ids)[-1].log_softmax(-1), debugger.trace(ids, ["L2D5=30"]).logits()
    assert view.baseline is not None
    assert view.comparison is not None
    assert view.baseline.output[0].probability == pytest.approx(float(base.exp().max()), rel=1e-4)
    after = edited.log_softmax(-1)
    assert view.comparison.kl == pytest.approx(float((base.exp() * (base - after)).sum()), rel=1e-3)
    assert view.comparison.changed
    for token in view.comparison.tokens:
        assert token.rank_before == int((base > base[token.id]).sum()) + 1
        assert token.rank_after == int((after > after[token.id]).sum()) + 1
        assert token.probability_after == pytest.approx(float(after[token.id].exp()), abs=1e-5)


def test_an_edit_that_changes_nothing_says_so() -> None:
    view = shared("llama").trace(prompt(), ["L1D5*=1"]).view()
    assert view.comparison is not None
    assert not view.comparison.changed
    assert "change nothing" in view.warnings[0]
    generation = shared("llama").generate(prompt(), ["L1D5+=0"], max_new_tokens=3)
    assert "change nothing" in generation.warnings[0]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("L99D1=off", "0 to"),
        ("L1D48=off", "0 to 47"),
        ("L1E0D3=off", "expert"),
        ("L1D5=off@9", "0 to 8"),
    ],
)
def test_an_edit_of_what_does_not_exist_names_the_valid_range(edit: str, says: str) -> None:
    with pytest.raises(EditError, match=says):
        shared("llama").trace(prompt(), [edit])


def test_two_edits_of_one_coefficient_at_one_position_are_refused() -> None:
    with pytest.raises(EditError, match="L1D5"):
        shared("llama").trace(prompt(), ["L1D5=off", "L1D5=2@last"])
    shared("llama").trace(prompt(), ["L1D5=off@0-3", "L1D5=2@last"])


def hooks(debugger: Debugger) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in debugger.model.network.modules())


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_hooks_are_gone_also_when_the_forward_raises(model_type: str) -> None:
    debugger = fresh(model_type)
    implementation = debugger.model.network.config._experts_implementation
    broken = debugger.model.network.get_submodule(debugger.model.anatomy.layers[1].path)
    forward = broken.forward

    def raising(*_: object, **__: object) -> None:
        raise RuntimeError("broken layer")

    broken.forward = raising
    edit = names(debugger)[0] + "=3"
    for call in (lambda: debugger.trace(prompt(), [edit]), lambda: debugger.generate(prompt(), [edit])):
        with pytest.raises(RuntimeError, match="broken layer"):
            call()
        assert hooks(debugger) == 0
        assert debugger.model.network.config._experts_implementation == implementation
    broken.forward = forward
    assert debugger.trace(prompt(), [edit]).view().output


def test_numbers_stay_finite_under_very_strong_edits() -> None:
    for layer in shared("llama").trace(prompt(), ["L1D5=1e30"]).view().layers:
        assert all(math.isfinite(value.share) for value in layer.values)


def test_an_edit_that_blows_the_model_up_is_an_error_and_leaves_it_working() -> None:
    debugger = fresh("gpt2")
    with pytest.raises(NumericalError, match="NaN or infinit"):
        debugger.trace(prompt(), ["L1D5=1e30", "L1D6=1e30", "L2D7=1e30"])
    assert debugger.trace(prompt()).view().output
