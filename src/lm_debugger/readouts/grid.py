"""Reads the lens of a trace at many layers and positions: no forward, memory bounded by working in chunks.

Knows nothing of who shows it. Residual vectors, of as many layers and positions as fit, go through the model's read-out
once; of their logits only a few numbers for each cell are kept. What was read is held cell by cell, as long as the run
is: a grid that is asked for column by column costs what it costs at once.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.reading import Reading
from lm_debugger.records.grid import LensGrid, TokenGrid
from lm_debugger.runs.kept import KeptRun
from lm_debugger.work import Work

T = TypeVar("T", int, float)

CHUNK = 1 << 24  # logits held at once: 64 MB, and as much again while they are reduced
ROWS = 16  # reduced at once
DECIMALS = 6
TOKENS_HELD = 4  # for each run


class _Followed:
    """Of each cell (layers, positions): a chosen token's rank, 0 where it was not read, and its probability."""

    def __init__(self, layers: int, positions: int) -> None:
        self.rank = torch.zeros(layers, positions, dtype=torch.int64)
        self.probability = torch.zeros(layers, positions, dtype=torch.float64)


class _Known:
    """What has been read of a run: of each cell (layers, positions) the top token, −1 where it was not read."""

    def __init__(self, layers: int, positions: int) -> None:
        self.id = torch.full((layers, positions), -1)
        self.probability = torch.zeros(layers, positions, dtype=torch.float64)
        self.entropy = torch.zeros(layers, positions, dtype=torch.float64)
        # Of each position, in nats: NaN where it was not read, infinite where the token there has no probability.
        self.surprise = torch.full((positions,), torch.nan, dtype=torch.float64)
        self.followed: OrderedDict[int, _Followed] = OrderedDict()

    def following(self, token: int) -> _Followed:
        """What is known of a token; of the tokens followed before the latest are kept."""
        found = self.followed.pop(token, None) or _Followed(*self.id.shape)
        self.followed[token] = found
        while len(self.followed) > TOKENS_HELD:
            self.followed.popitem(last=False)
        return found


@torch.no_grad()
def grid(
    trace: KeptRun,
    *,
    layers: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
    token: int | None = None,
    reading: Reading | None = None,
    cancel: threading.Event | None = None,
) -> LensGrid:
    """The lens after each layer at each position.

    Args:
        layers: the layers to read; None for all.
        positions: the positions to read, negative ones from the end; None for all.
        token: id of a token to follow through all cells.
        reading: the model through a lens; the run's own if left out.
        cancel: set it to stop.

    Raises:
        OptionError: if a layer, position or token does not exist.
        CancelledError: if asked to stop.
    """
    trace.check_current()
    reading = reading or trace.reading
    where = list(range(len(trace))) if positions is None else [trace.position(place) for place in positions]
    which = list(range(trace.model.layers)) if layers is None else list(layers)
    if outside := [layer for layer in which if not 0 <= layer < trace.model.layers]:
        raise OptionError(
            f"Layer {outside[0]} does not exist in {trace.model.name}.",
            f"Choose one from 0 to {trace.model.layers - 1}.",
        )
    check_token(trace, token)
    known = trace.remembered(_Known, reading.lens.key, lambda: _Known(trace.model.layers, len(trace)))
    followed = None if token is None else known.following(token)
    _complete(known, followed, trace, reading, which, where, token, cancel)
    text = trace.model.vocabulary.text
    cells = torch.tensor(which)[:, None], torch.tensor(where)[None, :]
    ids = known.id[cells].tolist()
    return LensGrid(
        tokens=tuple(trace.tokens[place] for place in where),
        layers=tuple(which),
        positions=tuple(where),
        id=_rows(ids),
        texts={found: text(found) for found in sorted({found for row in ids for found in row})},
        probability=_rows(known.probability[cells].tolist()),
        entropy=_rows(known.entropy[cells].tolist()),
        surprise=tuple(None if place == 0 else _finite(float(known.surprise[place])) for place in where),
        token=None
        if token is None or followed is None
        else TokenGrid(
            id=token,
            text=text(token),
            rank=_rows(followed.rank[cells].tolist()),
            probability=_rows(followed.probability[cells].tolist()),
        ),
        interventions=tuple(map(str, trace.interventions)),
        lens=reading.name,
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
    followed: _Followed | None,
    trace: KeptRun,
    reading: Reading,
    which: list[int],
    where: list[int],
    token: int | None,
    cancel: threading.Event | None,
) -> None:
    """Read what is not known yet of a region, each residual vector once. What was read before a stop is known."""
    wanted = torch.zeros_like(known.id, dtype=torch.bool)
    region = torch.tensor(which)[:, None], torch.tensor(where)[None, :]
    wanted[region] = True
    new = wanted & (known.id < 0)
    unfollowed = torch.zeros_like(new) if followed is None else wanted & (followed.rank == 0)
    predicting = torch.zeros(len(trace), dtype=torch.bool)
    predicting[[place - 1 for place in where if place > 0 and known.surprise[place].isnan()]] = True
    needed = new | unfollowed
    needed[-1] |= predicting
    for layers, places, logits in _lenses(trace, reading, needed, cancel):
        _predict(known, trace, predicting, layers, places, logits)
        # A few rows at a time stay in the processor's cache through all that is done with them.
        for rows, layer, place in zip(logits.split(ROWS), layers.split(ROWS), places.split(ROWS), strict=True):
            _reduce(known, followed, token, (layer, place), rows)


def _reduce(
    known: _Known, followed: _Followed | None, token: int | None, at: tuple[Tensor, Tensor], logits: Tensor
) -> None:
    """Keep the numbers of some cells, given their logits (N, vocabulary), which are overwritten."""
    best = logits.max(-1)
    if followed is not None and token is not None:
        followed.rank[at] = ((logits > logits[:, token, None]).sum(-1) + 1).cpu()
    shifted = logits.sub_(best.values[:, None])
    probabilities = shifted.softmax(-1)
    largest = probabilities.gather(-1, best.indices[:, None])[:, 0]
    known.id[at] = best.indices.cpu()
    known.probability[at] = _rounded(largest)
    if followed is not None and token is not None:
        followed.probability[at] = _rounded(probabilities[:, token])
    # −Σ p log p, where log p is what is shifted, and log p of the largest. A token that is ruled out (−∞, so that its
    # product is no number) has no part in it. Sums are pairwise: one after the other they would lose the third decimal.
    known.entropy[at] = _rounded((-largest.log() - probabilities.mul_(shifted).nansum(-1)).clamp_min(0))


def _predict(known: _Known, trace: KeptRun, predicting: Tensor, layers: Tensor, places: Tensor, logits: Tensor) -> None:
    """From the last layer's logits: how surprising the tokens are that come next."""
    rows = ((layers == trace.model.layers - 1) & predicting[places]).nonzero()[:, 0]
    if not len(rows):
        return
    chosen = logits[rows.to(logits.device)]
    following = [int(place) + 1 for place in places[rows]]
    actual = torch.tensor([trace.ids[place] for place in following], device=logits.device)[:, None]
    # A token that the read-out does not score (a special id beyond the vocabulary) has no probability.
    scored = actual < chosen.shape[-1]
    own = chosen.gather(-1, actual.clamp_max(chosen.shape[-1] - 1))
    known.surprise[following] = _rounded((chosen.logsumexp(-1) - own[:, 0]).where(scored[:, 0], torch.inf))


def _lenses(
    trace: KeptRun, reading: Reading, needed: Tensor, cancel: threading.Event | None
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Layers (N), positions (N) and logits (N, vocabulary) of the needed cells, as many at once as one chunk takes.

    A product reads the whole unembedding, so that one for each layer of a short prompt would mostly read.
    """
    rows = max(1, CHUNK // trace.model.readout.vocabulary)
    cells = needed.nonzero()
    for part in cells.split(rows) if len(cells) else ():
        Work(cancel=cancel).go_on()
        layers, places = part.unbind(-1)
        each, counts = layers.unique_consecutive(return_counts=True)
        of_layers = zip(each.tolist(), places.split(counts.tolist()), strict=True)
        yield layers, places, reading.logits([(layer, trace.layer(layer).after[there]) for layer, there in of_layers])


def _rows(rows: list[list[T]]) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(row) for row in rows)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _rounded(numbers: Tensor) -> Tensor:
    """With few digits: a grid of a large model would otherwise be megabytes of them."""
    return numbers.cpu().double().round(decimals=DECIMALS)
