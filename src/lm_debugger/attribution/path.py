"""Path patching: a part reads another run's value of an earlier part, while all that lies between is held.

1. The run is run again with the sender as in the other run. Every head and feed-forward between sender and receiver is
   held at this run's values, so that the change reaches the receiver through the residual stream alone; with `through`
   the feed-forwards between are computed anew. What the receiver gives then is kept.
2. The run is run again with the receiver giving that, and everything after it computed anew.

With the last residual stream as receiver there is no second step: that is the sender's direct effect. A head receives
through its queries, keys and values together.

Sources: Wang et al. 2022 (arXiv 2211.00593, who let feed-forwards between be computed anew); Goldowsky-Dill et al. 2023
(arXiv 2304.05969).
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.ablate import after_writes
from lm_debugger.attribution.again import Again
from lm_debugger.attribution.attention import head_group
from lm_debugger.attribution.between import Comparison
from lm_debugger.attribution.patch import places, writes
from lm_debugger.attribution.question import Word
from lm_debugger.attribution.reference import Reference, embedding_site, numbers, resampled, unit_sites
from lm_debugger.attribution.swap import replaced
from lm_debugger.edits.validate import check_name
from lm_debugger.engine.sites import Capture, Side, Site, Write
from lm_debugger.errors import OptionError
from lm_debugger.records.names import read_unit
from lm_debugger.records.patch import PatchPart
from lm_debugger.records.path import PathEffect, PathMap, Through
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import Group
from lm_debugger.work import Work

EMBEDDING, OUTPUT = "embedding", "output"
THROUGH: tuple[Through, ...] = get_args(Through)
_WHOLE = re.compile(r"L(\d{1,9})\s+(attention|ffn|feed-forward)", re.IGNORECASE | re.ASCII)
ATTENTION, FEED_FORWARD = 0, 1  # which comes first in a layer


class Part(NamedTuple):
    """A part of a path.

    Args:
        name: as it is told.
        layer: −1 for the embedding, the number of layers for the output.
        stage: where in the layer.
        group, unit: for a unit.
    """

    name: str
    layer: int
    stage: int
    group: Group | None = None
    unit: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """What comes after it has a larger one."""
        return self.layer, self.stage


def read_part(run: KeptRun, text: str) -> Part:
    """A part by its name.

    Raises:
        OptionError: if there is no such part.
        ValueNameError: if the text is no name.
    """
    model = run.model
    word = text.strip()
    if word.lower() == EMBEDDING:
        return Part(EMBEDDING, -1, FEED_FORWARD)
    if word.lower() == OUTPUT:
        return Part(OUTPUT, model.layers, ATTENTION)
    whole = _WHOLE.fullmatch(word)
    if whole is not None:
        layer, attention = int(whole[1]), whole[2].lower() == "attention"
        has = layer < model.layers and (head_group(run, layer) if attention else model.blocks[layer].groups)
        if not has:
            raise OptionError(f"The model has no {word}.", "Choose a layer that has such a part.")
        return Part(f"L{layer} {'attention' if attention else 'ffn'}", layer, ATTENTION if attention else FEED_FORWARD)
    name = read_unit(word)
    check_name(name, model)
    group, unit = model.unit(name)
    if not unit_sites(group):
        raise OptionError(
            f"{word} is no part of a path.", "Use a head, a value vector, or 'L12 attention' or 'L12 ffn'."
        )
    return Part(str(name), name.layer, ATTENTION if isinstance(group, HeadGroup) else FEED_FORWARD, group, unit)


class Paths:
    """The paths between two runs that end at one receiver.

    Args:
        run, other: this run, and the one that senders take their values from.
        pairs: positions here, each with that there.
        receiver: the part that reads.
        through: see `PathMap`.
    """

    def __init__(
        self, run: KeptRun, other: KeptRun, pairs: Sequence[tuple[int, int]], receiver: Part, through: Through
    ) -> None:
        self._run, self._other, self._pairs = run, other, pairs
        self._reference: Reference = resampled(run, other)
        self._receiver = receiver
        self._through = through
        self._until = 1 + max((at for at, _ in pairs), default=-1)
        self._held: dict[tuple[int, int], tuple[Write, ...]] = {}

    def sent(self, sender: Part) -> tuple[Write, ...]:
        """The writes of the first step."""
        if sender.place >= self._receiver.place:
            raise OptionError(
                f"{sender.name} does not come before {self._receiver.name}.", "Choose a sender that it reads."
            )
        held = [
            write
            for layer in range(max(sender.layer, 0), min(self._receiver.layer + 1, self._run.model.layers))
            for stage in (ATTENTION, FEED_FORWARD)
            if self._between(sender, (layer, stage))
            for write in self._holding(layer, stage)
        ]
        return (*held, *self._sender(sender))

    def received(self, senders: Sequence[Part], work: Work) -> list[tuple[Write, ...]]:
        """The writes of the second step for each sender: none where nothing arrives."""
        found: list[tuple[Write, ...]] = [() for _ in senders]
        sent = [self.sent(sender) for sender in senders]
        for index, capture in Again(self._run, work).captures(sent, self._taps(), "Sending"):
            found[index] = self._arrived(capture)
        return found

    def _arrived(self, capture: Capture) -> tuple[Write, ...]:
        """The writes that give the receiver what it gave in a run of the first step."""
        run, receiver = self._run, self._receiver
        if receiver.group is None:
            given = [(site, capture[site].float(), self._own(site)) for site in self._taps()]
            return tuple(write for site, there, own in given for write in self._changed(site, there, own))
        group, unit = receiver.group, receiver.unit
        there = numbers(group, LayerStreams(run.model.blocks[receiver.layer], capture, slice(None)))
        own = numbers(group, run.layer(receiver.layer))
        if isinstance(group, HeadGroup):
            width = group.heads.width
            part = slice(unit * width, (unit + 1) * width)
            return self._changed(group.slices_site, there[:, part], own[:, part], part.start)
        return tuple(
            group.write(unit, 0.0, float(there[at, unit]), maximum=False, start=at, stop=at + 1)
            for at in range(self._until)
            if there[at, unit] != own[at, unit]
        )

    def _between(self, sender: Part, place: tuple[int, int]) -> bool:
        """Whether what is at a place is held: all after the sender and before the receiver, and the sender's like."""
        if place == sender.place:
            return sender.group is not None and isinstance(sender.group, HeadGroup)
        if place[1] == FEED_FORWARD and self._through == "ffn":
            return False
        return sender.place < place < self._receiver.place

    def _holding(self, layer: int, stage: int) -> tuple[Write, ...]:
        """The writes that hold a layer's heads, or its feed-forward."""
        if (layer, stage) not in self._held:
            streams = self._run.layer(layer)
            if stage == ATTENTION:
                group = head_group(self._run, layer)
                if group is None:
                    raise OptionError(
                        f"Layer {layer} has no heads that could be held.", "Choose a path that does not cross it."
                    )
                kept = [(group.slices_site, streams.at(group.slices_site))]
            else:
                ways = self._run.model.blocks[layer].groups
                kept = [(Site(path=each.path, side=Side.OUTPUT), streams.output(each)) for each in ways]
            positions = range(self._until)
            self._held[layer, stage] = tuple(
                write for site, own in kept for write in replaced(site, own[: self._until], positions)
            )
        return self._held[layer, stage]

    def _sender(self, sender: Part) -> tuple[Write, ...]:
        if sender.group is not None:
            return tuple(w for w in self._reference.writes(sender.group, sender.unit) if w.start < self._until)
        if sender.name == EMBEDDING:
            found = self._reference.embedding_writes(embedding_site(self._run.model))
            return tuple(write for write in found if write.start < self._until)
        kind: PatchPart = "attention" if sender.stage == ATTENTION else "ffn"
        whole = places(self._run, self._other, kind, sender.layer)
        return writes([place for each in whole for place in each], self._pairs)

    def _taps(self) -> list[Site]:
        receiver = self._receiver
        if receiver.group is not None:
            return list(unit_sites(receiver.group))
        if receiver.stage == ATTENTION:
            group = head_group(self._run, receiver.layer)
            assert group is not None  # read_part has looked
            return [group.slices_site]
        return [Site(path=each.path, side=Side.OUTPUT) for each in self._run.model.blocks[receiver.layer].groups]

    def _own(self, site: Site) -> Tensor:
        return self._run.layer(self._receiver.layer).at(site)

    def _changed(self, site: Site, there: Tensor, own: Tensor, first: int = 0) -> tuple[Write, ...]:
        return tuple(
            Write(site, first, there.shape[1], 0.0, tuple(there[at].tolist()), False, at, at + 1)
            for at in range(self._until)
            if not torch.equal(there[at], own[at])
        )


def _senders(run: KeptRun, text: str, receiver: Part) -> Iterator[Part]:
    """The part that is named, or all heads or feed-forwards that come before the receiver."""
    if text not in ("heads", "ffn"):
        yield read_part(run, text)
        return
    for layer in range(min(receiver.layer + 1, run.model.layers)):
        group = head_group(run, layer)
        if text == "heads" and group is not None and (layer, ATTENTION) < receiver.place:
            for head in range(group.heads.count):
                yield Part(str(group.name(head)), layer, ATTENTION, group, head)
        elif text == "ffn" and run.model.blocks[layer].groups and (layer, FEED_FORWARD) < receiver.place:
            yield Part(f"L{layer} ffn", layer, FEED_FORWARD)


@torch.no_grad()
def paths(
    run: KeptRun,
    other: KeptRun,
    target: Word | None,
    against: Word | None,
    position: int,
    sender: str,
    receiver: str,
    through: Through,
    work: Work,
) -> PathMap:
    """See `Debugger.path_patch`."""
    run.check_current()
    between = Comparison(run, other, target, against, position)
    end = read_part(run, receiver)
    if end.name == EMBEDDING:
        raise OptionError("The embedding receives nothing.", "Choose a later part, or 'output'.")
    starts = list(_senders(run, sender, end))
    way = Paths(run, other, between.pairs, end, through)
    changes = [way.sent(start) for start in starts] if end.name == OUTPUT else way.received(starts, work)
    whole, *found = after_writes(run, between.question, changes, work, "Receiving")
    effects = [
        PathEffect(sender=start.name, difference=difference, change=difference - whole)
        for start, difference in zip(starts, found, strict=True)
    ]
    ordered = tuple(sorted(effects, key=lambda each: -abs(each.change)))
    return PathMap(receiver=end.name, through=through, paths=ordered, **dict(between.told(whole)))
