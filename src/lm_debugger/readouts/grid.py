"""Reads the logit lens of a trace at many layers and positions: no forward, memory bounded by working in chunks.

Knows nothing of who shows it. Each chunk of residual vectors, of as many layers as fit, goes through the model's
read-out once; of its logits only a few numbers for each cell are kept. Those of a whole grid are held as long as the
run is: asking for it again costs nothing.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.records.grid import LensGrid, TokenGrid
from lm_debugger.runs.kept import KeptRun
from lm_debugger.work import Work

T = TypeVar("T", int, float)

CHUNK = 1 << 24  # logits held at once: 64 MB, and as much again while they are reduced
DECIMALS = 6
TOKENS_HELD = 4  # for each run


@dataclass(frozen=True)
class _Cells:
    """Of each cell, layer after layer: the top token's id and probability, and the entropy."""

    id: list[int] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    entropy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Followed:
    """Of each cell, layer after layer: a chosen token's rank and probability."""

    rank: list[int] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)


@dataclass
class _Known:
    """What has been read of a run's whole grid."""

    cells: _Cells | None = None
    surprise: tuple[float | None, ...] = ()
    followed: OrderedDict[int, _Followed] = field(default_factory=OrderedDict)


_held: WeakKeyDictionary[KeptRun, _Known] = WeakKeyDictionary()


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
    trace.check_current()
    where = list(range(len(trace))) if positions is None else [trace.position(place) for place in positions]
    which = list(range(trace.model.layers)) if layers is None else list(layers)
    check_token(trace, token)
    whole = positions is None and layers is None
    known = _held.setdefault(trace, _Known()) if whole else _Known()
    cells, followed = _complete(known, trace, which, where, token, cancel)
    text = trace.model.vocabulary.text
    width = len(where)
    return LensGrid(
        tokens=tuple(trace.tokens[place] for place in where),
        layers=tuple(which),
        positions=tuple(where),
        id=_rows(cells.id, width),
        texts={found: text(found) for found in sorted(set(cells.id))},
        probability=_rows(cells.probability, width),
        entropy=_rows(cells.entropy, width),
        surprise=known.surprise,
        token=None
        if token is None or followed is None
        else TokenGrid(
            id=token,
            text=text(token),
            rank=_rows(followed.rank, width),
            probability=_rows(followed.probability, width),
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


def _complete(
    known: _Known,
    trace: KeptRun,
    which: list[int],
    where: list[int],
    token: int | None,
    cancel: threading.Event | None,
) -> tuple[_Cells, _Followed | None]:
    """Read what is not known yet. Nothing is held of a reading that was given up."""
    cells, followed = known.cells, None if token is None else known.followed.get(token)
    new_cells = _Cells() if cells is None else None
    new_followed = _Followed() if token is not None and followed is None else None
    if new_cells is not None or new_followed is not None:
        for logits in _lenses(trace, _streams(trace, which, where), cancel):
            _read(logits, new_cells, token, new_followed)
    if new_cells is not None:
        known.surprise = _surprise(trace, where, cancel)
        known.cells = new_cells
    if token is not None and new_followed is not None:
        known.followed[token] = new_followed
        while len(known.followed) > TOKENS_HELD:
            known.followed.popitem(last=False)
    found = cells or new_cells
    assert found is not None  # one of the two
    return found, followed or new_followed


def _read(logits: Tensor, cells: _Cells | None, token: int | None, followed: _Followed | None) -> None:
    """Add some cells' numbers. Overwrites the logits."""
    best = logits.max(-1)
    own = None if followed is None or token is None else logits[:, token].clone()
    if own is not None and followed is not None:
        followed.rank.extend(((logits > own[:, None]).sum(-1) + 1).tolist())
    weights = logits.sub_(best.values[:, None]).exp_()
    norm = weights.sum(-1)
    if own is not None and followed is not None:
        followed.probability.extend(_rounded((own - best.values).exp() / norm))
    if cells is not None:
        cells.id.extend(best.indices.tolist())
        cells.probability.extend(_rounded(norm.reciprocal()))
        # −Σ p log p with p = weights / norm. `entr` knows that a token which is ruled out (weight 0) has no part in it;
        # sums are pairwise, where a dot product of so many terms would lose the third decimal.
        cells.entropy.extend(_rounded((norm.log() + torch.special.entr(weights).sum(-1) / norm).clamp_min(0)))


def _surprise(trace: KeptRun, where: list[int], cancel: threading.Event | None) -> tuple[float | None, ...]:
    asked = [place for place in where if place > 0]
    predicted = torch.tensor([trace.ids[place] for place in asked], device=trace.last_residual.device)
    found: list[float] = []
    for logits in _lenses(trace, [trace.last_residual[[place - 1 for place in asked]]], cancel):
        total = logits.logsumexp(-1)
        actual = predicted[len(found) : len(found) + len(logits), None]
        # A token that the read-out does not score (a special id beyond the vocabulary) has no probability.
        scored = actual < logits.shape[-1]
        own = logits.gather(-1, actual.clamp_max(logits.shape[-1] - 1))
        found += _rounded((total - own[:, 0]).where(scored[:, 0], torch.inf))
    numbers = iter(found)
    return tuple(None if place == 0 or (number := next(numbers)) == torch.inf else number for place in where)


def _streams(trace: KeptRun, which: list[int], where: list[int]) -> Iterator[Tensor]:
    """Residual vectors (N, hidden) of the cells, layer after layer: of as many layers at once as one chunk takes.

    A product reads the whole unembedding, so that one for each layer of a short prompt would mostly read.
    """
    layers = max(1, _rows_of_chunk(trace) // len(where))
    device = trace.last_residual.device
    for first in range(0, len(which), layers):
        yield torch.cat([trace.layer(layer).after[where].to(device) for layer in which[first : first + layers]])


def _rows_of_chunk(trace: KeptRun) -> int:
    return max(1, CHUNK // trace.model.readout.vocabulary)


def _lenses(trace: KeptRun, streams: Iterable[Tensor], cancel: threading.Event | None) -> Iterator[Tensor]:
    """Logits (N, vocabulary) of some residual vectors after the other."""
    for stream in streams:
        for part in stream.split(_rows_of_chunk(trace)) if len(stream) else ():
            Work(cancel=cancel).go_on()
            yield trace.model.readout.logits(part)


def _rows(numbers: list[T], width: int) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(numbers[first : first + width]) for first in range(0, len(numbers), width))


def _rounded(numbers: Tensor) -> list[float]:
    """As Python numbers with few digits: a grid of a large model would otherwise be megabytes of them."""
    result: list[float] = numbers.double().cpu().round(decimals=DECIMALS).tolist()
    return result
