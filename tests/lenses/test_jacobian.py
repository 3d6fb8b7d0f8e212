"""A Jacobian lens that was fitted equals brute-force autograd, on every family of layers; a killed fit ends equal."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from lm_debugger.errors import CancelledError, LensError, OptionError
from lm_debugger.fitting import jacobian
from lm_debugger.fitting.state import FitState
from lm_debugger.fitting.texts import texts
from lm_debugger.lenses import kept
from lm_debugger.lenses.lens import FittedLens
from lm_debugger.work import UNWATCHED
from tests.lenses import brute
from tests.tiny import debugger, prompt, shared

LENGTH = 22
# Sequential, tied, learned positions, parallel, post-norm, post-layer-norm, scaled, mixtures of experts, recurrent.
FAMILIES = (
    "llama", "gpt2", "gptj", "gpt_neox", "falcon", "cohere", "gemma2", "olmo2", "bert", "granite", "mixtral",
    "qwen2_moe", "gpt_oss", "recurrent_gemma", "bloom", "opt",
)  # fmt: skip


def ids(count: int) -> list[tuple[int, ...]]:
    return [tuple(prompt(LENGTH, seed)) for seed in range(count)]


@pytest.mark.parametrize("model_type", FAMILIES)
def test_exact_equals_brute_force(model_type: str, empty_cache: Path) -> None:
    tiny = shared(model_type)
    state = FitState(tiny.fingerprint, "exact", {})
    found = jacobian.fit(tiny.model, ids(3), "exact", 0, state, UNWATCHED)
    expected = [brute.jacobians(tiny, each) for each in ids(3)]
    for layer, matrix in found.matrices.items():
        mean = torch.stack([each[layer] for each in expected]).mean(0)
        torch.testing.assert_close(matrix, mean, rtol=2e-4, atol=2e-5 * float(mean.abs().max()))
        halves = (torch.stack([expected[text][layer] for text in half]).mean(0) for half in ((0, 2), (1,)))
        cosine = torch.nn.functional.cosine_similarity(*(half.flatten() for half in halves), dim=0)
        assert found.agreement[layer] == pytest.approx(float(cosine), abs=1e-4)


@pytest.mark.parametrize("model_type", ["llama", "gemma2", "mixtral"])
def test_sampled_is_the_mean_over_the_texts_that_a_channel_was_measured_in(model_type: str, empty_cache: Path) -> None:
    tiny, count = shared(model_type), 14
    hidden = tiny.model.anatomy.hidden_size
    found = jacobian.fit(tiny.model, ids(count), "sampled", 5, FitState(tiny.fingerprint, "s", {}), UNWATCHED)
    sums = torch.zeros(len(found.matrices), hidden, hidden)
    counts = torch.zeros(hidden)
    measured = jacobian.batches(count, hidden, "sampled", rows=1, pulls=hidden, seed=5)
    assert len(measured) == count
    assert max(len(batch.channels) for batch in measured) < hidden  # a part of the channels in each text
    for batch in measured:
        expected = torch.stack(brute.jacobians(tiny, ids(count)[batch.texts[0]]))
        for channel in batch.channels[:, 0].tolist():
            sums[:, channel] += expected[:, channel]
            counts[channel] += 1
    assert counts.min() >= 2  # each half of the texts has all channels
    assert counts.max() - counts.min() <= 2
    for layer, matrix in found.matrices.items():
        expected = sums[layer] / counts[:, None]
        torch.testing.assert_close(matrix, expected, rtol=2e-4, atol=2e-5 * float(expected.abs().max()))


def test_only_what_counts_is_differentiated_where_a_cache_can_be_gone_on_from() -> None:
    """Both ways are compared with brute force above."""
    ran = {each: jacobian._ran(shared(each).model, ids(1)[0], UNWATCHED) for each in ("llama", "recurrent_gemma")}
    assert ran == {"llama": range(16, LENGTH - 1), "recurrent_gemma": range(LENGTH)}


def test_the_texts_of_a_file_are_pieces_of_it() -> None:
    tiny = shared("llama")
    words = [f"w{3 + i % 90}" for i in range(100)]
    whole = tiny.model.vocabulary.encode(" ".join(words))
    found = texts(tiny.model, ("file.txt", " ".join(words)), count=3, length=20, seed=0)
    assert found.source == "file.txt"
    assert found.ids == [tuple(whole[start : start + 20]) for start in (0, 20, 60)]
    assert len(texts(tiny.model, ("file.txt", " ".join(words)), count=50, length=20, seed=0).ids) == len(whole) // 20
    with pytest.raises(LensError, match="fewer than one text"):
        texts(tiny.model, ("file.txt", "w5 w6"), count=3, length=20, seed=0)


def test_what_cannot_be_fitted_is_refused(empty_cache: Path) -> None:
    tiny = shared("llama")
    with pytest.raises(LensError, match="first 16"):
        tiny.fit_lens("jacobian", tokens=17)
    with pytest.raises(OptionError, match="prompts"):
        tiny.fit_lens("jacobian", prompts=0)
    with pytest.raises(OptionError, match="logit"):
        tiny.fit_lens("jacobian", name="logit")
    with pytest.raises(OptionError, match="cannot name a lens"):
        tiny.fit_lens("jacobian", name="../x")


@pytest.mark.parametrize("kind", ["jacobian", "tuned"])
def test_a_fit_that_was_stopped_goes_on_and_ends_equal(
    kind: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jacobian, "TOKENS", {"cpu": 10})  # several batches
    whole = debugger("llama")
    whole.fit_lens(kind, prompts=10, tokens=LENGTH, name="whole")  # type: ignore[arg-type]
    cancel, seen = threading.Event(), []

    def stop(step: str, done: int, total: int) -> None:
        seen.append(done)
        if step.startswith("Fitting") and done >= total // 2:
            cancel.set()

    broken = debugger("llama")
    with pytest.raises(CancelledError):
        broken.fit_lens(kind, prompts=10, tokens=LENGTH, name="broken", progress=stop, cancel=cancel)  # type: ignore[arg-type]
    assert not broken.lenses().lenses or "broken" not in {each.name for each in broken.lenses().lenses}
    steps: list[tuple[str, int]] = []
    again = debugger("llama")
    again.fit_lens(
        kind,
        prompts=10,
        tokens=LENGTH,
        name="broken",
        progress=lambda step, done, _: steps.append((step, done)),  # type: ignore[arg-type]
    )
    assert all(step.startswith("Fitting") for step, _ in steps)  # no text is written again
    if kind == "jacobian":
        assert steps[0][1] > 0  # and no batch run again
    one, other = (kept.read(again.fingerprint, name) for name in ("whole", "broken"))
    assert isinstance(one, FittedLens)
    assert isinstance(other, FittedLens)
    for layer, matrix in one.matrices.items():
        assert torch.equal(matrix, other.matrices[layer])
    assert one.about.agreement == other.about.agreement
    assert not list((empty_cache / "lensfits").glob("*.safetensors"))


KILLED = """
import os
from lm_debugger.fitting import jacobian, state
from tests.tiny import debugger
jacobian.TOKENS = {"cpu": 10}
state.SECONDS = state.SHARE = 0
def progress(step, done, total):
    if step.startswith("Fitting") and done == 3:
        os._exit(9)  # as a kill: nothing is cleaned up
debugger("gpt2").fit_lens("jacobian", prompts=10, tokens=22, progress=progress)
"""


def test_a_fit_that_was_killed_goes_on_and_ends_equal(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", KILLED], cwd=root, env=os.environ, check=False)
    assert ran.returncode == 9
    monkeypatch.setattr(jacobian, "TOKENS", {"cpu": 10})
    steps: list[int] = []
    tiny = debugger("gpt2")
    tiny.fit_lens("jacobian", prompts=10, tokens=22, progress=lambda _, done, __: steps.append(done))
    assert steps[0] == 3
    tiny.fit_lens("jacobian", prompts=10, tokens=22, name="whole")
    one, other = (kept.read(tiny.fingerprint, name) for name in ("jacobian", "whole"))
    assert one is not None
    assert other is not None
    assert all(torch.equal(matrix, other.matrices[layer]) for layer, matrix in one.matrices.items())


def test_a_fit_that_was_stopped_starts_anew_where_its_batches_are_others(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another device: what was done is of batches that the plan no longer has."""
    cancel = threading.Event()

    def stop(step: str, done: int, _: int) -> None:
        if step.startswith("Fitting") and done == 2:
            cancel.set()

    tiny = debugger("llama")
    monkeypatch.setattr(jacobian, "TOKENS", {"cpu": 10})
    with pytest.raises(CancelledError):
        tiny.fit_lens("jacobian", prompts=10, tokens=LENGTH, progress=stop, cancel=cancel)
    monkeypatch.setattr(jacobian, "TOKENS", {"cpu": 20})
    steps: list[int] = []
    tiny.fit_lens("jacobian", prompts=10, tokens=LENGTH, progress=lambda _, done, __: steps.append(done))
    tiny.fit_lens("jacobian", prompts=10, tokens=LENGTH, name="whole")
    assert steps[0] == 0
    one, other = (kept.read(tiny.fingerprint, name) for name in ("jacobian", "whole"))
    assert one is not None
    assert other is not None
    assert all(torch.equal(matrix, other.matrices[layer]) for layer, matrix in one.matrices.items())


def test_a_lens_is_fitted_once(empty_cache: Path) -> None:
    tiny = debugger("llama")
    first = tiny.fit_lens("jacobian", prompts=4, tokens=LENGTH)
    assert not first.cached
    assert tiny.fit_lens("jacobian", prompts=4, tokens=LENGTH).cached
    assert not tiny.fit_lens("jacobian", prompts=4, tokens=LENGTH, estimator="exact").cached
    assert tiny.lenses().lenses[0].estimator == "exact"
