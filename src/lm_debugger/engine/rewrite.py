"""Compiled edits: affine changes of coefficients, applied to the tensors of one forward. Knows no text and no hooks.

Every edit of a coefficient m is m' = scale · m + shift (off: 0, 0; set: 0, c; scale: k, 0; add: 1, c), except the
original LM-Debugger's "as strong as the layer's strongest", which takes the layer's maximum at that token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

FOREVER = 1 << 60


@dataclass(frozen=True)
class Rewrite:
    """One change of one coefficient.

    Args:
        layer, expert, dimension: the coefficient; expert None for dense groups.
        scale, shift: m' = scale · m + shift.
        maximum: take the layer's largest coefficient at the token instead.
        start, stop: positions start ≤ position < stop.
        rows: rows of the batch, or None for all.
    """

    layer: int
    expert: int | None
    dimension: int
    scale: float
    shift: float
    maximum: bool = False
    start: int = 0
    stop: int = FOREVER
    rows: frozenset[int] | None = None


class Numbers(NamedTuple):
    """The numbers of several rewrites, one entry each."""

    dimensions: Tensor
    experts: Tensor
    scale: Tensor
    shift: Tensor
    maximum: Tensor


class Round:
    """Rewrites of distinct coefficients of one group, as tensors."""

    def __init__(self, rewrites: list[Rewrite]) -> None:
        self.rewrites = rewrites
        self.any_maximum = any(rewrite.maximum for rewrite in rewrites)
        self._numbers: dict[tuple[torch.device, torch.dtype], Numbers] = {}
        self.everywhere_from = max(rewrite.start for rewrite in rewrites)
        self.everywhere_to = min(rewrite.stop for rewrite in rewrites)
        self.first = min(rewrite.start for rewrite in rewrites)
        self.last = max(rewrite.stop for rewrite in rewrites)
        self.all_rows = all(rewrite.rows is None for rewrite in rewrites)

    def numbers(self, like: Tensor) -> "Numbers":
        """The rewrites' numbers on the device and in the dtype of a tensor; made once for each."""
        key = (like.device, like.dtype)
        if key not in self._numbers:
            rows = self.rewrites
            self._numbers[key] = Numbers(
                dimensions=torch.tensor([r.dimension for r in rows], device=like.device),
                experts=torch.tensor([-1 if r.expert is None else r.expert for r in rows], device=like.device),
                scale=torch.tensor([r.scale for r in rows], device=like.device, dtype=like.dtype),
                shift=torch.tensor([r.shift for r in rows], device=like.device, dtype=like.dtype),
                maximum=torch.tensor([r.maximum for r in rows], device=like.device),
            )
        return self._numbers[key]

    def touches(self, start: int, stop: int) -> bool:
        """Whether any rewrite applies to a position in [start, stop)."""
        return self.first < stop and self.last > start

    def mask(self, batch: int, start: int, stop: int) -> Tensor | None:
        """Where each rewrite applies: (batch, positions, rewrites), or None for everywhere."""
        if self.all_rows and self.everywhere_from <= start and self.everywhere_to >= stop:
            return None
        positions = torch.arange(start, stop)[:, None]
        first = torch.tensor([rewrite.start for rewrite in self.rewrites])
        last = torch.tensor([rewrite.stop for rewrite in self.rewrites])
        mask = ((positions >= first) & (positions < last)).expand(batch, -1, -1)
        if self.all_rows:
            return mask
        rows = torch.tensor([[r.rows is None or row in r.rows for r in self.rewrites] for row in range(batch)])
        return mask & rows[:, None, :]

    def changed(self, old: Tensor, largest: Tensor | None, mask: Tensor | None) -> Tensor:
        """New coefficients for old ones (batch, positions, rewrites); `largest` is (batch, positions, 1)."""
        numbers = self.numbers(old)
        new = old * numbers.scale + numbers.shift
        if largest is not None:
            new = torch.where(numbers.maximum, largest.to(old.dtype), new)
        return new if mask is None else torch.where(mask.to(old.device), new, old)


def _rounds(rewrites: Iterable[Rewrite]) -> list[Round]:
    """Split so that a coefficient comes once in each round: rounds are applied one after the other."""
    rounds: list[dict[tuple[int | None, int], Rewrite]] = []
    for rewrite in rewrites:
        key = (rewrite.expert, rewrite.dimension)
        free = next((taken for taken in rounds if key not in taken), None)
        if free is None:
            rounds.append(free := {})
        free[key] = rewrite
    return [Round(list(taken.values())) for taken in rounds]


class Plan:
    """All rewrites of a run, by layer."""

    def __init__(self, rewrites: Iterable[Rewrite]) -> None:
        dense: dict[int, list[Rewrite]] = {}
        routed: dict[int, list[Rewrite]] = {}
        for rewrite in rewrites:
            (dense if rewrite.expert is None else routed).setdefault(rewrite.layer, []).append(rewrite)
        self.dense = dense
        self.routed = {layer: _rounds(those) for layer, those in routed.items()}
        self._parts: dict[tuple[int, int, int], list[Round]] = {}

    def part(self, layer: int, first: int, width: int) -> list[Round]:
        """The rounds for one dense group: dimensions first ≤ d < first + width, counted from the group's start."""
        key = (layer, first, width)
        if key not in self._parts:
            self._parts[key] = _rounds(
                Rewrite(**{**rewrite.__dict__, "dimension": rewrite.dimension - first})
                for rewrite in self.dense.get(layer, ())
                if first <= rewrite.dimension < first + width
            )
        return self._parts[key]


def rewrite_dense(rounds: list[Round], coefficients: Tensor, start: int) -> Tensor:
    """Apply rounds to coefficients (batch, positions, width) whose first position is `start`; the input is kept."""
    batch, length, _ = coefficients.shape
    due = [round_ for round_ in rounds if round_.touches(start, start + length)]
    if not due:
        return coefficients
    largest = coefficients.amax(-1, keepdim=True) if any(round_.any_maximum for round_ in due) else None
    result = coefficients.clone()
    for round_ in due:
        index = round_.numbers(result).dimensions
        old = result.index_select(-1, index)
        new = round_.changed(old, largest, round_.mask(batch, start, start + length))
        result.index_copy_(-1, index, new)
    return result
