"""Statistics of all projections at once, from the unembedding's mean and covariance: what a z-score is measured with.

1. A vector's projection onto token t is v · d_t, with d_t the read-out's direction of t.
2. Over the vocabulary it has the mean v · μ and the variance vᵀ Σ v; μ and Σ are mean and covariance of all d_t.
3. So z = (v · d_t − v · μ) / √(vᵀ Σ v) is exact for every token and vector without any projection being made.
4. Through a lens, a vector of layer ℓ counts as J_ℓ·v: its variance is vᵀ (J_ℓᵀ Σ J_ℓ) v.

Measured once in chunks (μ and Σ: one pass over the unembedding; the deviations: one pass over the weights) and kept in
the cache by fingerprint.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.lenses.lens import LOGIT_LENS, Lens, cache_key
from lm_debugger.lenses.source import ValueSource
from lm_debugger.store import cache
from lm_debugger.units.blocks import PIECE
from lm_debugger.units.layout import Layout
from lm_debugger.work import UNWATCHED, Work

KIND, VERSION = "statistics", 1


@dataclass(frozen=True)
class Statistics:
    """Statistics of a model's projections; all float32, on the CPU.

    Args:
        mean: the mean read-out direction (hidden,).
        covariance: the covariance of the read-out directions over the vocabulary (hidden, hidden).
        deviations: for each value vector the standard deviation of its logits over the vocabulary (vectors,).
    """

    mean: Tensor
    covariance: Tensor
    deviations: Tensor


def cached(source: ValueSource, layout: Layout, lens: Lens = LOGIT_LENS) -> Statistics | None:
    """The statistics kept for these weights and a lens, or None."""
    entry = cache.read(KIND, cache_key(source.fingerprint, lens), VERSION)
    if entry is None:
        return None
    hidden = source.readout.directions(slice(0, 1)).shape[1]
    if not entry.has(mean=(hidden,), covariance=(hidden, hidden), deviations=(layout.vectors,)):
        return None
    return Statistics(entry.arrays["mean"], entry.arrays["covariance"], entry.arrays["deviations"])


@torch.no_grad()
def measure(
    source: ValueSource,
    layout: Layout,
    work: Work = UNWATCHED,
    lens: Lens = LOGIT_LENS,
    plain: Statistics | None = None,
) -> Statistics:
    """Measure the statistics and keep them in the cache.

    Args:
        plain: those of the logit lens, whose mean and covariance are those of every lens.

    Raises:
        CancelledError: if cancelled.
    """
    mean, covariance = _of_vocabulary(source, work) if plain is None else (plain.mean, plain.covariance)
    deviations = torch.empty(layout.vectors)
    done = 0
    layer, here = -1, covariance
    for block in source.value_blocks():
        if block.layer != layer:
            layer = block.layer
            here = _through(lens, covariance, layer)
        here = here.to(block.matrix.device)
        for vectors in block.pieces():
            work("Measuring all vectors", done, layout.vectors)
            variances = ((vectors @ here) * vectors).sum(-1)
            deviations[done : done + len(vectors)] = variances.clamp_min(
                1e-30
            ).sqrt()  # of a vector of length 0, all z are 0
            done += len(vectors)
    found = Statistics(mean.cpu(), covariance.cpu(), deviations)
    arrays = {"mean": found.mean, "covariance": found.covariance, "deviations": deviations}
    cache.write(KIND, cache_key(source.fingerprint, lens), VERSION, arrays)
    return found


def _through(lens: Lens, covariance: Tensor, layer: int) -> Tensor:
    """The covariance of the directions as they are at a layer: J_ℓᵀ Σ J_ℓ."""
    return lens.adjoint(lens.adjoint(covariance, layer).T, layer)


def _of_vocabulary(source: ValueSource, work: Work) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the read-out directions, added up in float64."""
    count = source.readout.vocabulary
    hidden = source.readout.directions(slice(0, 1)).shape[1]
    chunks = [slice(first, first + PIECE // hidden) for first in range(0, count, PIECE // hidden)]

    total: Tensor | float = 0.0
    for step, chunk in enumerate(chunks):
        work("Measuring the vocabulary", step, 2 * len(chunks))
        total = total + source.readout.directions(chunk).sum(0, dtype=torch.float64)
    assert isinstance(total, Tensor)
    mean = (total / count).float()
    squares: Tensor | float = 0.0
    for step, chunk in enumerate(chunks, start=len(chunks)):
        work("Measuring the vocabulary", step, 2 * len(chunks))
        centred = source.readout.directions(chunk) - mean  # first, because squares of large means would drown the rest
        squares = squares + (centred.T @ centred).double()
    assert isinstance(squares, Tensor)
    return mean, (squares / count).float()
