"""Places in a forward that can be read and changed, as data. Knows no anatomy and runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from torch import Tensor

from lm_debugger.records.base import Record

FOREVER = 1 << 60  # a position beyond every text


class Side(StrEnum):
    """Which end of a module's call. Units whose numbers lie inside a module add sides of their own (`ports`)."""

    INPUT = "input"
    OUTPUT = "output"


class Site(Record):
    """A tensor of a forward.

    Args:
        path: the module's path in the model; "" is the model itself, whose output is the logits.
        side: where in the module's call: a `Side`, or one that a port knows.
        occurrence: which of the module's calls in one forward.
    """

    path: str
    side: str
    occurrence: int = 0


LOGITS = Site(path="", side=Side.OUTPUT)


class Turn(NamedTuple):
    """A change along a direction, by how much of another there is: m' = m + (m · read) · write.

    Args:
        read, write: one number a channel.
        positive: only where m · read is above 0.
    """

    read: tuple[float, ...]
    write: tuple[float, ...]
    positive: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """An affine change of neighbouring channels of a site: m' = scale · m + shift, and a turn of m if there is one.

    Off is (0, 0), set (0, c), scale (k, 0), add (1, c).

    Args:
        site: where, in every call of its module.
        first, count: the channels.
        scale: one factor for all of them.
        shift: one number for all of them, or one for each.
        maximum: take the largest of the site's channels at the token instead (the original LM-Debugger's "on").
        start, stop: positions start ≤ position < stop.
        turn: a change of all the channels together.
    """

    site: Site
    first: int
    count: int = 1
    scale: float = 1.0
    shift: float | tuple[float, ...] = 0.0
    maximum: bool = False
    start: int = 0
    stop: int = FOREVER
    turn: Turn | None = None


class Pass(NamedTuple):
    """What the network is to run.

    Args:
        ids: token ids.
        writes: the changes in force.
    """

    ids: tuple[int, ...]
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True)
class Streams:
    """The tensors of one forward of several passes, which share their memory.

    Args:
        tensors: for each site (batch, positions, …).
        gradients: for each site the gradient of what was pulled at: (cotangents, batch, positions, …), or without
            positions where they were added up.
    """

    tensors: dict[Site, Tensor]
    gradients: dict[Site, Tensor]

    @property
    def memory(self) -> int:
        """Bytes that the tensors hold."""
        storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in self.tensors.values()}
        return sum(storages.values())


class Capture:
    """What one pass left at the sites that were asked for.

    Args:
        streams: of the forward.
        row: the pass's row in it.
    """

    def __init__(self, streams: Streams, row: int) -> None:
        self.streams = streams
        self.row = row

    def __getitem__(self, site: Site) -> Tensor:
        """The tensor at a site: (positions, …), in the model's dtype."""
        return self.streams.tensors[site][self.row]

    def gradient(self, site: Site) -> Tensor:
        """The gradient at a site, one for each cotangent: (cotangents, positions, …), or what is added up over them."""
        return self.streams.gradients[site][:, self.row]


def by_length(passes: Sequence[Pass]) -> list[list[int]]:
    """Indices of the passes, grouped by their number of tokens, so that none is padded."""
    groups: dict[int, list[int]] = {}
    for index, one in enumerate(passes):
        groups.setdefault(len(one.ids), []).append(index)
    return [groups[length] for length in sorted(groups)]
