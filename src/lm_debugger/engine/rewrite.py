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


class Slice:
    """A write of neighbouring channels in one row of the batch, or in all of them (None)."""

    any_maximum = False

    def __init__(self, write: Write, row: int | None) -> None:
        self._write = write
        self._rows = slice(None) if row is None else slice(row, row + 1)
        self._channels = slice(write.first, write.first + write.count)
        self._numbers: dict[tuple[torch.device, torch.dtype], tuple[Tensor, ...]] = {}

    def touches(self, start: int, stop: int) -> bool:
        """See `Round`."""
        return self._write.start < stop and self._write.stop > start

    def apply(self, values: Tensor, largest: Tensor | None, start: int) -> None:
        """See `Round`."""
        write = self._write
        positions = slice(max(write.start - start, 0), max(write.stop - start, 0))
        shift, *turn = self._on(values)
        old = values[self._rows, positions, self._channels]
        new = shift.expand_as(old) if write.scale == 0 else old * write.scale + shift
        if write.turn is not None:
            read, along = turn
            share = old.float() @ read
            if write.turn.positive:
                share = share.clamp_min(0)
            new = new + (share[..., None] * along).to(new.dtype)
        values[self._rows, positions, self._channels] = new

    def _on(self, like: Tensor) -> tuple[Tensor, ...]:
        """The shift, and what a turn reads and writes, on the device of a tensor; made once for each."""
        key = (like.device, like.dtype)
        if key not in self._numbers:
            turn = () if self._write.turn is None else self._write.turn[:2]
            shift = torch.tensor(self._write.shift, device=like.device, dtype=like.dtype)
            self._numbers[key] = (shift, *(torch.tensor(row, device=like.device) for row in turn))
        return self._numbers[key]


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

    def apply(self, values: Tensor, largest: Tensor | None, start: int) -> None:
        """Change values (batch, positions, channels) whose first position is `start`, in place."""
        channels = self.numbers(values).channels
        mask = self.mask(values.shape[0], start, start + values.shape[1])
        values.index_copy_(-1, channels, self.changed(values.index_select(-1, channels), largest, mask))

    def changed(self, old: Tensor, largest: Tensor | None, mask: Tensor | None) -> Tensor:
        """New numbers for old ones (batch, positions, changes); `largest` is (batch, positions, 1)."""
        numbers = self.numbers(old)
        new = old * numbers.scale + numbers.shift
        if largest is not None:
            new = torch.where(numbers.maximum, largest.to(old.dtype), new)
        return new if mask is None else torch.where(mask.to(old.device), new, old)


Due = Round | Slice
Rounds = Mapping[Site, list[Due]]


def rounds(rows: Sequence[Iterable[Write]]) -> dict[Site, list[Due]]:
    """The writes of each row of a batch, by site, in the order in which they are applied.

    Writes of one channel go together where they can: a channel comes once in each round. Writes of more are applied by
    themselves.
    """
    found: dict[Site, list[dict[int, Change] | Slice]] = {}
    for row, writes in enumerate(rows):
        mine = None if len(rows) == 1 else row
        for write in writes:
            taken = found.setdefault(write.site, [])
            if write.count > 1 and not write.maximum:
                taken.append(Slice(write, mine))
                continue
            for offset in range(write.count):
                channel = write.first + offset
                shift = write.shift[offset] if isinstance(write.shift, tuple) else write.shift
                affected = None if mine is None else frozenset((mine,))
                _place(taken, Change(channel, write.scale, shift, write.maximum, write.start, write.stop, affected))
    return {
        site: [each if isinstance(each, Slice) else Round(list(each.values())) for each in taken]
        for site, taken in found.items()
    }


def _place(taken: list[dict[int, Change] | Slice], change: Change) -> None:
    """Put a change into the first round that has room for it after the last slice."""
    last = max((index for index, each in enumerate(taken) if isinstance(each, Slice)), default=-1)
    for each in taken[last + 1 :]:
        if isinstance(each, dict) and change.channel not in each:
            each[change.channel] = change
            return
    taken.append({change.channel: change})


def rewrite(due: Sequence[Due], values: Tensor, start: int) -> Tensor:
    """Apply rounds to values (batch, positions, channels) whose first position is `start`; the input is kept."""
    length = values.shape[1]
    due = [each for each in due if each.touches(start, start + length)]
    if not due:
        return values
    largest = values.amax(-1, keepdim=True) if any(each.any_maximum for each in due) else None
    result = values.clone()
    for each in due:
        each.apply(result, largest, start)
    return result
