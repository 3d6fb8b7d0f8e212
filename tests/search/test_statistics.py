"""The statistics of projections equal those of the projections themselves, and survive what happens to cache files."""

from pathlib import Path

import pytest
import torch

from lm_debugger import Debugger
from lm_debugger.search import statistics
from lm_debugger.store import cache
from lm_debugger.units.layout import Layout
from tests.tiny import debugger, shared

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "mixtral", "opt", "cohere"])
def test_statistics_equal_a_direct_computation(model_type: str) -> None:
    model = shared(model_type).model
    layout = Layout(model)
    found = statistics.measure(model, layout)
    directions = model.readout.directions(slice(None)).double()
    torch.testing.assert_close(found.mean, directions.mean(0).float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found.covariance, torch.cov(directions.T, correction=0).float(), rtol=1e-3, atol=1e-6)
    vectors = torch.cat([piece for block in model.value_blocks() for piece in block.pieces()])
    deviations = model.readout.project(vectors).double().std(-1, correction=0).float()
    torch.testing.assert_close(found.deviations, deviations, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("model_type", ["llama", "mixtral", "deepseek_v3", "phi"])
def test_every_vector_has_a_number_and_every_number_a_vector(model_type: str) -> None:
    model = shared(model_type).model
    layout = Layout(model)
    names = [block.name(row) for block in model.value_blocks() for row in range(len(block))]
    assert [layout.name(number) for number in range(layout.vectors)] == names
    assert [layout.number(name) for name in names] == list(range(layout.vectors))
    assert layout.vectors == model.anatomy.value_vectors


def _file(folder: Path, tiny: Debugger) -> Path:
    return folder / "statistics" / f"{tiny.summary.fingerprint}.safetensors"


def test_they_are_measured_once_and_kept(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = debugger("llama")
    expected = first.search("w7")
    assert _file(empty_cache, first).exists()

    def not_again(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(statistics, "measure", not_again)
    again = debugger("llama")
    assert not again.can_search_at_once
    assert again.search("w7") == expected
    assert again.can_search_at_once


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_found_out_and_made_again(empty_cache: Path, damage: str) -> None:
    tiny = debugger("llama")
    expected = tiny.search("w7")
    path = _file(empty_cache, tiny)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[-5] ^= 0xFF
    elif damage == "empty":
        content = bytearray()
    if damage == "other":  # of another model, moved here
        other = debugger("llama", seed=1)
        other.search("w7")
        _file(empty_cache, other).replace(path)
    else:
        path.write_bytes(content)
    assert debugger("llama").search("w7") == expected
    assert cache.read(statistics.KIND, tiny.summary.fingerprint, statistics.VERSION) is not None


def test_they_report_progress_and_can_be_cancelled() -> None:
    import threading

    from lm_debugger.errors import CancelledError

    steps, cancel = [], threading.Event()

    def progress(step: str, done: int, total: int) -> None:
        steps.append((step, done <= total))
        cancel.set()

    with pytest.raises(CancelledError):
        debugger("llama").search("w7", progress=progress, cancel=cancel)
    assert steps == [("Measuring the vocabulary", True)]
