"""The comparison of lenses: its numbers by hand, and that a tuned lens is the regression that it says it is."""

import math
from pathlib import Path

import pytest
import torch

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import LensError, OptionError
from lm_debugger.fitting import compare as comparing
from lm_debugger.fitting import tuned
from lm_debugger.fitting.pushes import causal
from lm_debugger.fitting.texts import texts
from lm_debugger.lenses import kept
from lm_debugger.lenses.lens import LOGIT_LENS
from lm_debugger.work import UNWATCHED
from tests.lenses.test_reading import made
from tests.tiny import debugger, prompt, shared


def _moments(x: torch.Tensor, y: torch.Tensor) -> tuned._Moments:
    found = tuned._Moments.none(x.shape[1], x.device)
    found.add(x, y)
    return found


def test_the_ridge_is_the_closed_form() -> None:
    """Against least squares on standardised channels with the ridge as added rows; an outlier channel among them."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 8, generator=generator, dtype=torch.float64)
    x[:, 3] = 1000 * x[:, 3] + 5000
    y = x @ torch.randn(8, 8, generator=generator, dtype=torch.float64) + 3
    strength = 0.1
    found, towards_identity = tuned._ridges(_moments(x, y), strength)
    deviation = x.std(0, correction=0)
    standard = (x - x.mean(0)) / deviation
    rows = torch.cat([standard, math.sqrt(200 * strength) * torch.eye(8, dtype=torch.float64)])
    targets = torch.cat([y - y.mean(0), torch.zeros(8, 8, dtype=torch.float64)])
    solved = torch.linalg.lstsq(rows, targets).solution
    torch.testing.assert_close(found.weights, (solved / deviation[:, None]).T, rtol=1e-6, atol=1e-8)
    predicted = standard @ solved + y.mean(0)
    torch.testing.assert_close(x @ found.weights.T + found.offset, predicted, rtol=1e-6, atol=1e-6)
    rest = torch.cat([y - x - (y - x).mean(0), torch.zeros(8, 8, dtype=torch.float64)])
    residual = (torch.linalg.lstsq(rows, rest).solution / deviation[:, None]).T + torch.eye(8, dtype=torch.float64)
    torch.testing.assert_close(towards_identity.weights, residual, rtol=1e-6, atol=1e-8)
    error = float(((y - predicted).square().mean(0) / y.var(0, correction=0)).mean())
    assert tuned._error(found, _moments(x, y)) == pytest.approx(error, rel=1e-6)


def test_an_affine_map_is_found() -> None:
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    offset = torch.randn(6, generator=generator, dtype=torch.float64)
    x = torch.randn(4000, 6, generator=generator, dtype=torch.float64)
    y = x @ matrix.T + offset
    found, agreement = tuned.solve([_moments(x[::2], y[::2]), _moments(x[1::2], y[1::2])])
    torch.testing.assert_close(found.weights, matrix, rtol=0.01, atol=0.01)
    torch.testing.assert_close(found.offset, offset, rtol=0.01, atol=0.01)
    assert agreement == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("model_type", ["llama", "mixtral", "gemma2", "recurrent_gemma"])
def test_a_tuned_lens_predicts_better_than_the_logit_lens(model_type: str, empty_cache: Path) -> None:
    tiny = debugger(model_type)
    assert tiny.fit_lens("tuned", prompts=64, tokens=24).lens.estimator == "ridge"
    found = tiny.compare_lenses(tokens=120, pushes=0)
    assert [layer.layer for layer in found.layers] == list(range(tiny.model.layers - 1))
    for layer in found.layers:
        assert layer.tuned is not None
        assert layer.tuned.kl < layer.logit.kl + 1e-3  # where nothing is to be gained, nothing is lost
        assert layer.tuned.causal is None
    if model_type in ("llama", "mixtral"):
        assert all(layer.tuned is not None and layer.tuned.kl < layer.logit.kl for layer in found.layers)


def test_moments_in_groups_give_the_same(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = debugger("llama")
    tiny.fit_lens("tuned", prompts=8, tokens=20)
    monkeypatch.setattr(tuned, "MEMORY", 1)  # one layer at a time
    tiny.fit_lens("tuned", prompts=8, tokens=20, name="apart")
    one, other = (kept.read(tiny.fingerprint, name) for name in ("tuned", "apart"))
    assert one is not None
    assert other is not None
    assert all(torch.equal(matrix, other.matrices[layer]) for layer, matrix in one.matrices.items())


def test_the_numbers_by_hand(empty_cache: Path) -> None:
    tiny = shared("llama")
    lens = made(tiny)
    reading = tiny._lenses.reading(lens)
    found = comparing.compare(tiny.model, {"jacobian": reading}, positions=40, pushes=0, seed=3)
    assert found.tokens == 40
    assert found.text == "self-generated"
    own = texts(tiny.model, None, count=2, length=41, seed=3).ids
    kl, ranks = [], []
    for place in range(1, 41):
        run = tiny.trace(own[0])
        output = run.logits(place).log_softmax(-1)
        logits = tiny.model.readout.logits((lens.matrices[1] @ run.layer(1, place).after[0])[None])[0]
        kl.append(float((output.exp() * (output - logits.log_softmax(-1))).sum()))
        ranks.append(math.log(int((logits > logits[int(output.argmax())]).sum()) + 1))
    layer = found.layers[1].jacobian
    assert layer is not None
    assert layer.kl == pytest.approx(sum(kl) / 40, rel=1e-3)
    assert layer.rank == pytest.approx(math.exp(sum(ranks) / 40), rel=1e-6)
    assert found.layers[1].tuned is None


def test_the_causal_score_is_1_where_all_that_follows_is_linear() -> None:
    """The true derivative at the very text predicts the effect of small pushes; a wrong matrix does not."""
    from tests.lenses import brute

    tiny = shared("llama")
    ids = tuple(prompt(20))
    *sources, last = brute.streams(tiny, ids)
    flat = last.reshape(-1, last.shape[-1])
    rows = [torch.autograd.grad(flat[-1, c], sources, retain_graph=True) for c in range(flat.shape[-1])]
    exact = made(tiny)
    exact.matrices = {
        layer: torch.stack([row[layer].reshape(flat.shape)[-1] for row in rows]) for layer in range(len(sources))
    }
    told = causal(tiny.model, [exact, made(tiny, seed=9), LOGIT_LENS], [ids], [0, 1], pushes=6, seed=0, work=UNWATCHED)
    for scores in told.values():
        assert scores[0] > 0.995
        assert scores[0] > max(scores[1:])


def test_pushes_leave_nothing_behind(empty_cache: Path) -> None:
    tiny = debugger("llama")
    before = tiny.model.engine.observe([Pass(tuple(prompt(8)))], [tiny.model.anatomy.layers[-1].after])[0]
    tiny.compare_lenses(tokens=20, pushes=2)
    after = tiny.model.engine.observe([Pass(tuple(prompt(8)))], [tiny.model.anatomy.layers[-1].after])[0]
    site = tiny.model.anatomy.layers[-1].after
    assert torch.equal(before[site], after[site])


def test_lenses_that_are_not_fitted_are_named(empty_cache: Path, tmp_path: Path) -> None:
    tiny = debugger("llama")
    found = tiny.compare_lenses(tokens=20, pushes=2)
    assert len(found.warnings) == 2
    assert all(layer.tuned is layer.jacobian is None for layer in found.layers)
    assert all(layer.logit.causal is not None for layer in found.layers)
    with pytest.raises(OptionError, match="tokens"):
        tiny.compare_lenses(tokens=0)
    short = tmp_path / "short.txt"
    short.write_text("w5 w6")
    with pytest.raises(LensError, match="fewer than one text"):
        tiny.compare_lenses(text=short)
    with pytest.raises(OptionError, match="no file"):
        tiny.compare_lenses(text=tmp_path / "none.txt")
