"""Fits a tuned lens in closed form: for each layer the affine map that predicts the last stream best from its own.

Belrose et al. 2023 (arXiv 2303.08112) train the map by gradient descent on the KL divergence. Here it is a ridge
regression of the last stream on the layer's, whose channels are standardised first: channels differ a thousandfold in
size. What little data cannot tell is taken for one of two things: that the stream stays as it is (the logit lens, where
training starts), or that it says nothing of the last. Which of them, and how strong the ridge is, is what does best
across the halves of the texts: fitted on one, tried on the other.

The first token of a text is left out: it is an attention sink in most models, with a stream like nowhere else.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import NumericalError
from lm_debugger.fitting.state import IDS, FitState
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.work import Work

STRENGTHS = (3e-3, 3e-2, 1e-1, 3e-1)  # of the ridge, in units of a standardised channel's variance
ALONE = 1e-1  # where one text leaves nothing to try them on
TOKENS = 1024  # that run in one forward
IDENTITY = 1  # the second of `_ridges`
MEMORY = 1 << 29  # bytes of moments that are held at once


class Tuned(NamedTuple):
    """What a fit gives.

    Args:
        matrices, offsets: for each layer but the last: (hidden, hidden) and (hidden,), float32, CPU.
        agreement: for each the cosine of the two halves' matrices; empty where there is one text only.
    """

    matrices: dict[int, Tensor]
    offsets: dict[int, Tensor]
    agreement: tuple[float, ...]


@dataclass
class _Moments:
    """Sums over tokens of a layer's stream x and the last stream y: what a regression takes. All float64.

    Args:
        count: tokens.
        x, y: (hidden,).
        xx: of x·xᵀ, and xy: of x·yᵀ: (hidden, hidden).
        yy: of y²: (hidden,).
    """

    count: int
    x: Tensor
    y: Tensor
    xx: Tensor
    xy: Tensor
    yy: Tensor

    @classmethod
    def none(cls, hidden: int, device: torch.device) -> "_Moments":
        """Of no tokens."""

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        return cls(0, zeros(hidden), zeros(hidden), zeros(hidden, hidden), zeros(hidden, hidden), zeros(hidden))

    def add(self, x: Tensor, y: Tensor) -> None:
        """Add tokens: (tokens, hidden) each, float64."""
        self.count += len(x)
        self.x += x.sum(0)
        self.y += y.sum(0)
        self.xx += x.T @ x
        self.xy += x.T @ y
        self.yy += y.square().sum(0)

    def plus(self, other: "_Moments") -> "_Moments":
        """Those of both."""
        return _Moments(
            self.count + other.count, self.x + other.x, self.y + other.y, self.xx + other.xx, self.xy + other.xy,
            self.yy + other.yy,
        )  # fmt: skip


class _Map(NamedTuple):
    """y ≈ weights·x + offset. Float64."""

    weights: Tensor
    offset: Tensor


def _ridges(given: _Moments, strength: float) -> list[_Map]:
    """The ridge regressions on standardised channels: towards no map, and towards the identity."""
    mean, target = given.x / given.count, given.y / given.count
    covariance = given.xx / given.count - torch.outer(mean, mean)
    deviation = covariance.diagonal().clamp_min(0).sqrt().clamp_min(1e-12)
    correlation = covariance / torch.outer(deviation, deviation)
    correlation.diagonal().add_(strength)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(correlation))
    with_target = (given.xy / given.count - torch.outer(mean, target)) / deviation[:, None]
    to_none = (inverse @ with_target / deviation[:, None]).T
    # The regression of y - x, plus the identity: (R + λ)⁻¹·R = 1 - λ·(R + λ)⁻¹, with R the correlation.
    to_identity = to_none + strength * (inverse * deviation / deviation[:, None]).T
    return [_Map(weights, target - weights @ mean) for weights in (to_none, to_identity)]


def _error(of: _Map, on: _Moments) -> float:
    """The mean over channels of the part of the variance that a map leaves unexplained."""
    weights, offset = of
    along = weights @ on.x
    explained = (weights @ on.xx * weights).sum(1)
    squares = on.yy - 2 * (weights * on.xy.T).sum(1) - 2 * offset * on.y
    squares = squares + explained + 2 * offset * along + on.count * offset.square()
    variance = (on.yy / on.count - (on.y / on.count).square()).clamp_min(1e-12)
    return float((squares / on.count / variance).mean())


def solve(halves: list[_Moments]) -> tuple[_Map, float | None]:
    """The map of all tokens, and the cosine of the halves' maps (None where a half has no tokens)."""
    full = [half for half in halves if half.count]
    if len(full) < 2:
        return _ridges(full[0], ALONE)[IDENTITY], None
    best: tuple[float, float, int] = (math.inf, ALONE, IDENTITY)
    maps: list[_Map] = []
    for strength in STRENGTHS:
        tried = [_ridges(half, strength) for half in full]
        for towards in range(2):
            mine = [each[towards] for each in tried]
            error = _error(mine[0], full[1]) + _error(mine[1], full[0])
            if error < best[0]:
                best, maps = (error, strength, towards), mine
    _, strength, towards = best
    whole = _ridges(full[0].plus(full[1]), strength)[towards]
    if not maps:  # nothing is finite: the caller says so
        return whole, math.nan
    one, other = (each.weights.flatten() for each in maps)
    return whole, float(torch.nn.functional.cosine_similarity(one, other, dim=0))


@torch.no_grad()
def fit(model: LoadedModel, ids: list[tuple[int, ...]], state: FitState, work: Work) -> Tuned:
    """Fit a tuned lens.

    Args:
        ids: the texts, all of one length, two tokens or more.
        state: what was done before, and where it is kept.

    Raises:
        NumericalError: if the model computes NaN or infinity.
        CancelledError: if cancelled; what was done is kept.
    """
    hidden, layers = model.anatomy.hidden_size, model.layers - 1
    together = max(1, MEMORY // (2 * 2 * hidden * hidden * 8))
    found = dict(state.arrays) or {IDS: torch.tensor(ids)}
    done = state.done
    steps = 2 * layers
    try:
        while done < layers:
            group = range(done, min(done + together, layers))
            moments = _measured(model, ids, group, work, steps)
            for layer in group:
                work("Fitting the tuned lens", layers + layer, steps)
                of_all, agreement = solve(moments.pop(layer))
                if not bool(of_all.weights.isfinite().all()):
                    raise NumericalError(f"The streams after layer {layer} are not finite.", "Check the weights.")
                found[f"J.{layer}"], found[f"b.{layer}"] = of_all.weights.float().cpu(), of_all.offset.float().cpu()
                if agreement is not None:
                    found[f"agreement.{layer}"] = torch.tensor(agreement, dtype=torch.float64)
                done = layer + 1
                state.offer(lambda: found, done)
    except BaseException:
        state.keep({name: array for name, array in found.items() if _of(name, done)}, done)
        raise
    halves = [found.get(f"agreement.{layer}") for layer in range(layers)]
    return Tuned(
        {layer: found[f"J.{layer}"] for layer in range(layers)},
        {layer: found[f"b.{layer}"] for layer in range(layers)},
        tuple(float(each) for each in halves if each is not None),
    )


def _of(name: str, done: int) -> bool:
    """Whether an array is of the layers that are done."""
    return name == IDS or int(name.partition(".")[2]) < done


def _measured(
    model: LoadedModel, ids: list[tuple[int, ...]], layers: range, work: Work, steps: int
) -> dict[int, list[_Moments]]:
    """The moments of some layers, of each half of the texts: those of even and of odd index."""
    hidden, last = model.anatomy.hidden_size, model.anatomy.layers[-1].after
    sites = {layer: model.anatomy.layers[layer].after for layer in layers}
    device = model.network.device
    found = {layer: [_Moments.none(hidden, device) for _ in range(2)] for layer in layers}
    rows = max(1, TOKENS // len(ids[0]))
    for half in range(2):
        mine = ids[half::2]
        for first in range(0, len(mine), rows):
            at = layers.start + len(layers) * (half * len(mine) + first) // max(1, len(ids))
            work("Fitting the tuned lens", min(at, steps), steps)
            passes = [Pass(text) for text in mine[first : first + rows]]
            captures = model.engine.observe(passes, [*sites.values(), last], work=work)
            target = torch.cat([capture[last][1:] for capture in captures]).double().to(device)
            for layer, site in sites.items():
                stream = torch.cat([capture[site][1:] for capture in captures]).double().to(device)
                found[layer][half].add(stream, target)
    return found
