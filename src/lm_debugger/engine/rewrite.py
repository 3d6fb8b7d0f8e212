"""Writes as arithmetic: affine changes of channels, applied to the tensors of one forward. Knows no hooks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.engine.sites import Site, Write


class Change(NamedTuple):
    """A write of one channel; `rows` are the rows of the batch, None for all."""

    channel: int
    scale: float
    shift: float
    maximum: bool
    start: int
    stop: int
    rows: frozenset[int] | None


class Numbers(NamedTuple):
    """The numbers of several changes, one entry each."""

    channels: Tensor
    scale: Tensor
    shift: Tensor
    maximum: Tensor


class Round:
    """Changes of distinct channels of one site, as tensors."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self.any_maximum = any(change.maximum for change in changes)
        self._numbers: dict[tuple[torch.device, torch.dtype], Numbers] = {}
        self._everywhere_from = max(change.start for change in changes)
        self._everywhere_to = min(change.stop for change in changes)
        self._first = min(change.start for change in changes)
        self._last = max(change.stop for change in changes)
        self._all_rows = all(change.rows is None for change in changes)

    def numbers(self, like: Tensor) -> Numbers:
        """The changes' numbers on the device and in the dtype of a tensor; made once for each."""
        key = (like.device, like.dtype)
        if key not in self._numbers:
            channels, scale, shift, maximum, *_ = zip(*self.changes, strict=True)
            self._numbers[key] = Numbers(
                channels=torch.tensor(channels, device=like.device),
                scale=torch.tensor(scale, device=like.device, dtype=like.dtype),
                shift=torch.tensor(shift, device=like.device, dtype=like.dtype),
                maximum=torch.tensor(maximum, device=like.device),
            )
        return self._numbers[key]

    def touches(self, start: int, stop: int) -> bool:
        """Whether any change applies to a position in [start, stop)."""
        return self._first < stop and self._last > start

    def mask(self, batch: int, start: int, stop: int) -> Tensor | None:
        """Where each change applies: (batch, positions, changes), or None for everywhere."""
        if self._all_rows and self._everywhere_from <= start and self._everywhere_to >= stop:
            return None
        positions = torch.arange(start, stop)[:, None]
        first = torch.tensor([change.start for change in self.changes])
        last = torch.tensor([change.stop for change in self.changes])
        mask = ((positions >= first) & (positions < last)).expand(batch, -1, -1)
        if self._all_rows:
            return mask
        rows = torch.tensor([[c.rows is None or row in c.rows for c in self.changes] for row in range(batch)])
        return mask & rows[:, None, :]

    def changed(self, old: Tensor, largest: Tensor | None, mask: Tensor | None) -> Tensor:
        """New numbers for old ones (batch, positions, changes); `largest` is (batch, positions, 1)."""
        numbers = self.numbers(old)
        new = old * numbers.scale + numbers.shift
        if largest is not None:
            new = torch.where(numbers.maximum, largest.to(old.dtype), new)
        return new if mask is None else torch.where(mask.to(old.device), new, old)


Rounds = Mapping[Site, list[Round]]


def rounds(rows: Sequence[Iterable[Write]]) -> dict[Site, list[Round]]:
    """The writes of each row of a batch, by site; a channel comes once in each round, rounds are applied in order."""
    found: dict[Site, list[dict[int, Change]]] = {}
    for row, writes in enumerate(rows):
        mine = None if len(rows) == 1 else frozenset((row,))
        for write in writes:
            taken = found.setdefault(write.site, [])
            for offset in range(write.count):
                channel = write.first + offset
                free = next((each for each in taken if channel not in each), None)
                if free is None:
                    taken.append(free := {})
                shift = write.shift[offset] if isinstance(write.shift, tuple) else write.shift
                free[channel] = Change(channel, write.scale, shift, write.maximum, write.start, write.stop, mine)
    return {site: [Round(list(each.values())) for each in taken] for site, taken in found.items()}


def rewrite(due: Sequence[Round], values: Tensor, start: int) -> Tensor:
    """Apply rounds to values (batch, positions, channels) whose first position is `start`; the input is kept."""
    batch, length, _ = values.shape
    due = [each for each in due if each.touches(start, start + length)]
    if not due:
        return values
    largest = values.amax(-1, keepdim=True) if any(each.any_maximum for each in due) else None
    result = values.clone()
    for each in due:
        channels = each.numbers(result).channels
        new = each.changed(result.index_select(-1, channels), largest, each.mask(batch, start, start + length))
        result.index_copy_(-1, channels, new)
    return result
