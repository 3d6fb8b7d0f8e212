"""Reads the logit lens of a trace at many layers and positions: no forward, memory bounded by working in chunks.

Knows nothing of who shows it. Each chunk of residual vectors goes through the model's read-out once; of its logits
only a few numbers for each cell are kept.
"""

import threading
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.progress import stop_if_cancelled
from lm_debugger.records.grid import LensGrid, TokenGrid
from lm_debugger.trace.kept import KeptRun

CHUNK = 1 << 24  # logits held at once: 64 MB, and twice as much again while they are reduced
DECIMALS = 6


@torch.no_grad()
def grid(
    trace: KeptRun,
    *,
    layers: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
    token: int | None = None,
    cancel: threading.Event | None = None,
) -> LensGrid:
    """The lens after each layer at each position.

    Args:
        layers: the layers to read; None for all.
        positions: the positions to read, negative ones from the end; None for all.
        token: id of a token to follow through all cells.
        cancel: set it to stop.

    Raises:
        OptionError: if a layer, position or token does not exist.
        CancelledError: if asked to stop.
    """
    where = list(range(len(trace))) if positions is None else [trace.position(place) for place in positions]
    which = list(range(trace.model.layers)) if layers is None else list(layers)
    check_token(trace, token)
    cells = [_layer(trace, layer, where, token, cancel) for layer in which]
    ids = tuple(tuple(row[0]) for row in cells)
    text = trace.model.vocabulary.text
    return LensGrid(
        tokens=tuple(trace.tokens[place] for place in where),
        layers=tuple(which),
        positions=tuple(where),
        id=ids,
        texts={found: text(found) for found in sorted({found for row in ids for found in row})},
        probability=tuple(tuple(row[1]) for row in cells),
        entropy=tuple(tuple(row[2]) for row in cells),
        surprise=_surprise(trace, where, cancel),
        token=None
        if token is None
        else TokenGrid(
            id=token,
            text=text(token),
            rank=tuple(tuple(row[3]) for row in cells),
            probability=tuple(tuple(row[4]) for row in cells),
        ),
        interventions=tuple(map(str, trace.interventions)),
    )


def check_token(trace: KeptRun, token: int | None) -> None:
    """Raise OptionError if the read-out scores no such token."""
    if token is not None and not 0 <= token < trace.model.readout.vocabulary:
        raise OptionError(
            f"Token id {token} is not scored by {trace.model.name}.",
            f"Choose one from 0 to {trace.model.readout.vocabulary - 1}.",
        )


def _layer(
    trace: KeptRun, layer: int, where: list[int], token: int | None, cancel: threading.Event | None
) -> tuple[list[int], list[float], list[float], list[int], list[float]]:
    """Of each position: top id, its probability, the entropy, and the chosen token's rank and probability."""
    stream = trace.layer(layer).after[where]
    ids: list[int] = []
    top: list[float] = []
    entropy: list[float] = []
    rank: list[int] = []
    chosen: list[float] = []
    for logits in _lenses(trace, stream, cancel):
        best = logits.max(-1)
        weights = (logits - best.values[:, None]).exp_()
        norm = weights.sum(-1)
        total = best.values + norm.log()
        ids += best.indices.tolist()
        top += _rounded((best.values - total).exp())
        if token is not None:
            own = logits[:, token]
            rank += ((logits > own[:, None]).sum(-1) + 1).tolist()
            chosen += _rounded((own - total).exp())
        # The entropy is total − mean logit; a token that is ruled out (−inf) has no part in the mean.
        mean = torch.einsum("nv,nv->n", weights, logits.clamp_min_(torch.finfo(logits.dtype).min / 2)) / norm
        entropy += _rounded((total - mean).clamp_min(0))
    return ids, top, entropy, rank, chosen


def _surprise(trace: KeptRun, where: list[int], cancel: threading.Event | None) -> tuple[float | None, ...]:
    asked = [place for place in where if place > 0]
    predicted = torch.tensor([trace.ids[place] for place in asked], device=trace.last_residual.device)
    found: list[float] = []
    for logits in _lenses(trace, trace.last_residual[[place - 1 for place in asked]], cancel):
        total = logits.logsumexp(-1)
        actual = predicted[len(found) : len(found) + len(logits), None]
        # A token that the read-out does not score (a special id beyond the vocabulary) has no probability.
        scored = actual < logits.shape[-1]
        own = logits.gather(-1, actual.clamp_max(logits.shape[-1] - 1))
        found += _rounded((total - own[:, 0]).where(scored[:, 0], torch.inf))
    numbers = iter(found)
    return tuple(None if place == 0 or (number := next(numbers)) == torch.inf else number for place in where)


def _lenses(trace: KeptRun, stream: Tensor, cancel: threading.Event | None) -> Iterator[Tensor]:
    """Logits (N, vocabulary) of some residual vectors after the other."""
    size = max(1, CHUNK // trace.model.readout.vocabulary)
    for first in range(0, len(stream), size):
        stop_if_cancelled(cancel)
        yield trace.model.readout.logits(stream[first : first + size])


def _rounded(numbers: Tensor) -> list[float]:
    """As Python numbers with few digits: a grid of a large model would otherwise be megabytes of them."""
    result: list[float] = numbers.double().cpu().round(decimals=DECIMALS).tolist()
    return result
