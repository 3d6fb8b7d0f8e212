"""Calibrated ranges are the exact quantiles of the coefficients, and `on` uses them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lm_debugger.calibration.tails import QUANTILES, Tails
from lm_debugger.errors import CalibrationError, CancelledError, OptionError
from lm_debugger.records.names import ValueName
from tests.tiny import debugger, prompt

pytestmark = pytest.mark.usefixtures("empty_cache")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 1000))
def test_tails_are_exact_quantiles_however_the_tokens_arrive(sizes: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(sum(sizes), 3)).astype(np.float32)
    tails = Tails(3, len(values), torch.device("cpu"))
    for part in np.split(values, np.cumsum(sizes)[:-1]):
        tails.add(torch.from_numpy(part))
    found = tails.summary().numpy()
    np.testing.assert_allclose(
        found[:4], np.quantile(values.astype(np.float64), QUANTILES, axis=0), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(found[4], values.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[5], values.std(0), rtol=1e-3, atol=1e-4)


def text_file(folder: Path, tokens: int) -> Path:
    path = folder / "text.txt"
    path.write_text(" ".join(f"w{i}" for i in np.random.default_rng(0).integers(3, 96, tokens)))
    return path


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_ranges_over_a_text_equal_a_direct_computation(model_type: str, tmp_path: Path) -> None:
    tiny = debugger(model_type)
    path = text_file(tmp_path, 1500)
    summary = tiny.calibrate(path, tokens=5000)
    assert summary.source == "text.txt"
    ids = tiny.model.vocabulary.encode(path.read_text())
    piece = tiny.model.context
    assert piece is not None
    layer = tiny.summary.layers - 1
    collected = []
    for first in range(0, len(ids), piece):
        streams = tiny.trace(ids[first : first + piece]).layer(layer, slice(1, None))
        if model_type == "llama":
            collected.append(streams.layer.groups[0].coefficients(streams)[:, 5])
        else:
            index, coefficients, _ = streams.layer.groups[0].routed(streams)
            collected.append(coefficients[index == 1][:, 5])
    values = torch.cat(collected).numpy()
    name = f"L{layer}D5" if model_type == "llama" else f"L{layer}E1D5"
    found = tiny.value(name).range
    assert found is not None
    assert found.tokens == len(values)
    assert found.high == pytest.approx(float(np.quantile(values, 0.999)), rel=1e-3, abs=1e-5)
    assert found.low == pytest.approx(float(np.quantile(values, 0.001)), rel=1e-3, abs=1e-5)


def test_on_and_on_negative_set_the_vectors_own_quantiles() -> None:
    tiny = debugger("gpt2")
    name = ValueName(1, 5)
    for edit, side in (("L1D5=on", "high"), ("L1D5=on-", "low")):
        trace = tiny.trace(prompt(), [edit])
        found = tiny.coefficient_range(name)
        (bound,) = trace.layer(1).layer.groups
        expected = getattr(found, side)
        torch.testing.assert_close(bound.coefficients(trace.layer(1))[:, 5], torch.full((9,), expected))


def test_on_a_side_that_never_occurs_is_refused() -> None:
    tiny = debugger("opt")  # ReLU: coefficients are never negative
    with pytest.raises(CalibrationError, match="never negative"):
        tiny.trace(prompt(), ["L1D5=on-"])


def test_self_generated_ranges_repeat_and_come_back_from_the_cache() -> None:
    first = debugger("llama")
    summary = first.calibrate(tokens=1000)
    assert (summary.source, summary.cached) == ("self-generated", False)
    assert summary.tokens >= 1000
    again = debugger("llama")
    assert again.calibrate(tokens=1000).cached
    assert again.value("L1D5").range == first.value("L1D5").range
    assert not again.calibrate(tokens=1100).cached, "more tokens than are cached"
    assert again.calibrate(tokens=1000, force=True).cached is False
    assert again.value("L1D5").range == first.value("L1D5").range


def test_calibration_reports_progress_and_can_be_cancelled() -> None:
    import threading

    tiny, cancel = debugger("llama", seed=7), threading.Event()
    steps: list[int] = []

    def progress(step: str, done: int, total: int) -> None:
        steps.append(done)
        if done == 5:
            cancel.set()

    with pytest.raises(CancelledError):
        tiny.calibrate(tokens=1000, force=True, progress=progress, cancel=cancel)
    assert steps == [1, 2, 3, 4, 5]
    assert tiny.value("L1D5").range is None


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    tiny = debugger("llama")
    with pytest.raises(CalibrationError, match="1000 tokens"):
        tiny.calibrate(text_file(tmp_path, 50))
    with pytest.raises(OptionError, match="tokens"):
        tiny.calibrate(tokens=10)
    with pytest.raises(OptionError, match="no file"):
        tiny.calibrate(tmp_path / "missing.txt")
    (tmp_path / "bytes.bin").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(OptionError, match="text"):
        tiny.calibrate(tmp_path / "bytes.bin")
