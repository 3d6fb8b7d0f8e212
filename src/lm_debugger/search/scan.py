"""Scores all value vectors that a filter lets through, block by block, and keeps the strongest. Knows no keywords."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.names import numbered
from lm_debugger.records.search import Filter, LayerHits
from lm_debugger.units.blocks import Block
from lm_debugger.units.layout import Layout
from lm_debugger.work import Work

STRONGEST = 100  # vectors whose layers are counted

# Scores of a block's vectors, which have these numbers, on their own side and turned round: (vectors,) each.
Score = Callable[[Block, slice], tuple[Tensor, Tensor]]


class Found(NamedTuple):
    """The strongest vectors, the first of them first.

    Args:
        numbers: in the model's layout.
        strengths: by which they are ordered.
        turned: whether it is the vector turned round that is so strong.
        searched: number of vectors that were compared.
        layers: where the strongest `counted` of all lie.
    """

    numbers: list[int]
    strengths: list[float]
    turned: list[bool]
    searched: int
    layers: tuple[LayerHits, ...]
    counted: int

    @property
    def scores(self) -> list[float]:
        """Strengths with the sign of the vector's own projection."""
        return [-strength if turned else strength for strength, turned in zip(self.strengths, self.turned, strict=True)]


def check(among: Filter, source: ValueSource) -> None:
    """Raise OptionError if the filter asks for layers or experts that the model does not have."""
    if among.layers is not None and not 0 <= among.layers.start < among.layers.stop <= source.layers:
        raise OptionError(
            f"There are no layers {among.layers.start} to {among.layers.stop - 1}.",
            f"Use layers 0 to {source.layers - 1}.",
        )
    if among.expert is not None:
        sizes = (dict(zip(e.letters, e.sizes, strict=True)) for at in range(source.layers) for e in source.vectors(at))
        most = max((size.get("E", 0) for size in sizes), default=0)
        if not 0 <= among.expert < most:
            cure = f"Use experts 0 to {most - 1}." if most else "Leave the expert out."
            raise OptionError(f"The model has no expert {among.expert}.", cure)


def scan(source: ValueSource, layout: Layout, score: Score, among: Filter, work: Work) -> Found:
    """Score all vectors that the filter lets through.

    Raises:
        CancelledError: if cancelled.
    """
    strengths = torch.full((layout.vectors,), -torch.inf)
    turned = torch.zeros(layout.vectors, dtype=torch.bool)
    for block in source.value_blocks(among.layers):
        first = layout.number(block.name(0))
        place = slice(first, first + len(block))
        if among.expert is not None and numbered(block.name(0), "E") != among.expert:
            continue
        work("Searching all vectors", first, layout.vectors)
        own, other = score(block, place)
        if among.sign == "both":
            torch.maximum(own, other, out=strengths[place])
            torch.gt(other, own, out=turned[place])
        else:
            strengths[place] = own if among.sign == "+" else other
            turned[place] = among.sign == "-"
    if among.among is not None:
        kept = torch.tensor([layout.number(name) for name in among.among], dtype=torch.long)
        only = torch.full_like(strengths, -torch.inf)
        only[kept] = strengths[kept]
        strengths = only
    return _strongest(strengths, turned, layout, source.layers, among.limit)


def _strongest(strengths: Tensor, turned: Tensor, layout: Layout, layers: int, limit: int) -> Found:
    searched = int((strengths > -torch.inf).sum())
    top = strengths.topk(min(max(STRONGEST, limit), searched))
    counted = min(STRONGEST, searched)
    hits = torch.bincount(layout.layers(top.indices[:counted]), minlength=layers).tolist()
    rows = map(layout.rows, range(layers))
    best = [float(strengths[row].max()) if row.stop > row.start else -torch.inf for row in rows]
    where = tuple(
        LayerHits(layer=layer, hits=count, strongest=max(strongest, 0.0))
        for layer, (count, strongest) in enumerate(zip(hits, best, strict=True))
    )
    numbers = top.indices[:limit]
    return Found(numbers.tolist(), top.values[:limit].tolist(), turned[numbers].tolist(), searched, where, counted)
