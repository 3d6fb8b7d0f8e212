"""Bisects the difference between two runs: the first layer from which on the other's stream makes the other's answer.

1. The stream after each layer is taken over. Between prompts that differ: at the position that is read, so that the
   layer is found at which the decision has arrived there. Between runs of one text (with edits, or of two models): at
   all positions, so that the layer is found that makes the difference.
2. With everything below that layer taken over, the answer is not yet the other's: what its attention or its
   feed-forward gives is taken over as well, and tips it. Where the token that is read differs itself, parts are taken
   over alone.
3. Of the units of that part, those whose contributions pull most are taken over, as few as still tip it.

Every step is a forward of this run's model; see `records.bisect`. Interchange interventions: Geiger et al. 2021
(arXiv 2106.02997); the search is that of `git bisect`, with all halves tried at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution import swap
from lm_debugger.attribution.again import Again
from lm_debugger.attribution.align import Alignment, align
from lm_debugger.attribution.direct import passed
from lm_debugger.attribution.estimate import slope_at
from lm_debugger.attribution.question import Question, score
from lm_debugger.engine.sites import Capture, Pass, Site, Write
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.records.bisect import Bisection, BisectPart, Swap
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.token import TokenScore
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import Work

CELLS = 600  # single swaps that are run for the grid; of a long text those positions that differ most
LARGEST = 1024  # units that are considered, those that pull most
PRUNED = 24  # units that are tried one by one, whether they can be left out
ROWS = 64  # of logits at once
PARTS: tuple[BisectPart, BisectPart] = ("attention", "ffn")
GIVES = {"attention": "what attention gives", "ffn": "what the feed-forward gives"}

Writes = tuple[Write, ...]
TakeOver = Callable[[Sequence[tuple[int, int]]], Writes]
"""Makes the writes that take over units: pairs of a module and a number in it."""


class Tip(NamedTuple):
    """Where the answer tips.

    Args:
        layer: the layer.
        base: the writes that take over what comes before.
    """

    layer: int
    base: Writes


class Found(NamedTuple):
    """What tips the answer.

    Args:
        part: attention, ffn or the layer.
        units: their names.
        writes: the swap, what comes before included.
        flips: whether it did it.
    """

    part: BisectPart
    units: tuple[str, ...]
    writes: Writes
    flips: bool


def bisect(run: KeptRun, other: KeptRun, position: int, generated: int, work: Work) -> Bisection:
    """See `Debugger.bisect`. The other run may be of another model of the same shape."""
    run.check_current()
    other.check_current()
    return _Bisecting(run, other, position, generated, work).answer()


class _Bisecting:
    """One bisection."""

    def __init__(self, run: KeptRun, other: KeptRun, position: int, generated: int, work: Work) -> None:
        self._run = run
        self._other = other
        self._work = work
        self._read = run.position(position)
        self._generated = generated
        self._alignment: Alignment = align(run.ids, other.ids)
        pairs = [(at, there) for at, there in enumerate(self._alignment.positions) if there is not None]
        self._all: list[tuple[int, int]] = [(at, there) for at, there in pairs if at <= self._read]
        there = self._alignment.positions[self._read]
        self._there = len(other) - 1 if there is None else there
        self._same_text = run.ids[: self._read + 1] == other.ids[: self._there + 1]
        best = int(run.logits(self._read).argmax())
        self._question = Question(self._read, int(other.logits(self._there).argmax()), best)
        self._again = Again(run, work)
        self._swaps: list[Swap] = []

    # what is told

    def answer(self) -> Bisection:
        """Everything."""
        question, run = self._question, self._run
        if question.target == question.against:
            notes = ("Both runs give the same answer: there is nothing to bisect.",)
            return self._told(None, None, (), notes=notes)
        pairs: swap.Pairs = self._all if self._same_text else [(self._read, self._there)]
        frontier, flips = self._frontier(pairs)
        cells = self._cells(pairs)
        if not flips[-1]:
            # With its last stream taken over, what is left is this model's read-out.
            theirs = self._other.model.readout.logits(run.last_residual[self._read][None])[0]
            turned = int(theirs.argmax()) == question.target
            lead = float(question.difference(theirs))
            self._swaps.append(Swap(what="the read-out", lead=lead, flips=turned))
            return self._told(None, "read-out", (), flips=turned, cells=cells, frontier=frontier)
        layer = max((at + 1 for at, flipped in enumerate(flips) if not flipped), default=0)
        tip, pairs = self._tip(layer, pairs)
        if tip is None:
            return self._told(0, "embedding", pairs, flips=True, cells=cells, frontier=frontier)
        found = self._parts(tip, pairs)
        pairs, found = self._narrowed(tip, pairs, found)
        return self._told(
            tip.layer, found.part, pairs, units=found.units, flips=found.flips, cells=cells, frontier=frontier
        )

    def _told(
        self,
        layer: int | None,
        part: BisectPart | None,
        pairs: swap.Pairs,
        *,
        units: tuple[str, ...] = (),
        flips: bool = False,
        cells: Sequence[Sequence[float | None]] = (),
        frontier: Sequence[float] = (),
        notes: tuple[str, ...] = (),
    ) -> Bisection:
        run = self._run
        positions = tuple(at for at, _ in pairs)
        return Bisection(
            answer=self._score(self._question.against or 0),
            other=self._score(self._question.target),
            layer=layer,
            position=None if not positions else self._read if self._read in positions else positions[-1],
            part=part,
            units=units,
            flips=flips,
            positions=positions,
            tokens=run.tokens,
            other_tokens=self._other.tokens,
            read=self._read,
            generated=self._generated,
            aligned=self._alignment.positions,
            cells=tuple(map(tuple, cells)),
            frontier=tuple(frontier),
            swaps=tuple(self._swaps),
            interventions=tuple(map(str, run.interventions)),
            warnings=notes,
        )

    def _score(self, token: int) -> TokenScore:
        return score(self._run, self._run.logits(self._read), token)

    # what is run

    @torch.no_grad()
    def _outcomes(self, changes: Sequence[Writes], step: str) -> list[tuple[float, bool]]:
        """The lead of the other's answer under each change, and whether it is the top token."""
        residuals = self._again.residuals(changes, self._read, step)
        found: list[tuple[float, bool]] = []
        for part in residuals.split(ROWS):
            logits = self._run.model.readout.logits(part)
            tops = (logits.argmax(-1) == self._question.target).tolist()
            found += zip(self._question.difference(logits).tolist(), tops, strict=True)
        return found

    def _proved(self, what: str, change: Writes) -> bool:
        """Run one swap and keep it as a step of the proof."""
        ((lead, flips),) = self._outcomes([change], "Proving")
        self._swaps.append(Swap(what=what, lead=lead, flips=flips))
        return flips

    # 1: layers

    def _frontier(self, pairs: swap.Pairs) -> tuple[list[float], list[bool]]:
        layers = range(self._run.model.layers)
        changes = [swap.stream(self._run, self._other, layer, pairs) for layer in layers]
        found = self._outcomes(changes, "Bisecting layers")
        return [lead for lead, _ in found], [flips for _, flips in found]

    def _cells(self, pairs: swap.Pairs) -> list[list[float | None]]:
        """The lead with the stream of one cell taken over; of the positions that differ."""
        layers = self._run.model.layers
        apart = {at: self._apart(at, there) for at, there in self._all}
        shown = sorted((at for at in apart if apart[at] > 0), key=lambda at: -apart[at])[: max(1, CELLS // layers)]
        cells: list[list[float | None]] = [[None] * len(self._run) for _ in range(layers)]
        chosen = [(at, there) for at, there in self._all if at in shown]
        places = [(layer, at, there) for layer in range(layers) for at, there in chosen]
        changes = [swap.stream(self._run, self._other, layer, [(at, there)]) for layer, at, there in places]
        for (layer, at, _), (lead, _flips) in zip(places, self._outcomes(changes, "Swapping cells"), strict=True):
            cells[layer][at] = lead
        return cells

    def _apart(self, at: int, there: int) -> float:
        """How far a position's stream is from the other's in the middle of the model; if not at all, at the end."""
        if at == self._read:
            return float("inf")
        apart = 0.0
        for layer in (self._run.model.layers // 2, self._run.model.layers - 1):
            mine, theirs = self._run.layer(layer).after[at], self._other.layer(layer).after[there]
            apart = apart or float((mine - theirs.to(mine)).norm() / mine.norm().clamp_min(1e-9))
        return apart

    # 2: parts

    def _tip(self, layer: int, pairs: swap.Pairs) -> tuple[Tip | None, swap.Pairs]:
        """The layer that tips, with all before it taken over; None where the embedding does it."""
        base = swap.stream(self._run, self._other, layer - 1, pairs)
        before = "the embedding" if layer == 0 else f"the stream after layer {layer - 1}"
        if base and self._proved(before, base):
            return (None, pairs) if self._same_text else self._alone(pairs)
        self._proved(f"the stream after layer {layer}", swap.stream(self._run, self._other, layer, pairs))
        return Tip(layer, base), pairs

    def _alone(self, pairs: swap.Pairs) -> tuple[Tip | None, swap.Pairs]:
        """The token that is read differs itself: which part tips the answer without it, or with the parts above it."""
        layers = range(self._run.model.layers)
        single = [(layer, self._part(part, layer, pairs)) for layer in layers for part in PARTS]
        found = self._outcomes([writes for _, writes in single], "Swapping parts")
        flipping = [(lead, layer) for (layer, _), (lead, flips) in zip(single, found, strict=True) if flips]
        if flipping:
            return Tip(max(flipping)[1], ()), pairs
        both = [tuple(w for part in PARTS for w in self._part(part, layer, pairs)) for layer in layers]
        above = [tuple(w for writes in both[layer:] for w in writes) for layer in layers]
        last = max((n for n, (_, flips) in enumerate(self._outcomes(above, "Swapping parts")) if flips), default=None)
        if last is None:
            return None, pairs
        base = above[last + 1] if last + 1 < len(above) else ()
        if base:
            self._proved(f"what the layers from {last + 1} on give", base)
        return Tip(last, base), pairs

    def _part(self, part: str, layer: int, pairs: swap.Pairs) -> Writes:
        """What a part of a layer gives, as it is in the other run."""
        there = self._other.layer(layer)
        return tuple(
            write
            for module in swap.modules(self._run, self._other, layer, part)
            for write in swap.replaced(module.site, module.given(there)[[to for _, to in pairs]], _here(pairs))
        )

    def _parts(self, tip: Tip, pairs: swap.Pairs) -> Found:
        """The part of the layer that tips the answer, and its units."""
        changes = {part: self._part(part, tip.layer, pairs) for part in PARTS}
        having = [part for part in PARTS if changes[part]]
        outcomes = self._outcomes([(*tip.base, *changes[part]) for part in having], "Swapping parts")
        for part, (lead, flips) in zip(having, outcomes, strict=True):
            what = f"{GIVES[part]} in layer {tip.layer}"
            self._swaps.append(Swap(what=f"as well, {what}" if tip.base else what, lead=lead, flips=flips))
        tipping = [(lead, part) for part, (lead, flips) in zip(having, outcomes, strict=True) if flips]
        if not tipping:
            whole = swap.stream(self._run, self._other, tip.layer, pairs)
            return Found("layer", (), whole, self._proved(f"layer {tip.layer} as a whole", whole))
        part = max(tipping)[1]
        writes = (*tip.base, *changes[part])
        return self._units(tip, part, pairs) or Found(part, (), writes, True)

    # 3: units

    def _units(self, tip: Tip, part: BisectPart, pairs: swap.Pairs) -> Found | None:
        """The fewest units found that tip it; None where all of them do not."""
        middle, pull = self._middle(tip, part, pairs)
        here = LayerStreams(self._run.model.blocks[tip.layer], middle, slice(None))
        there = self._other.layer(tip.layer)
        options: list[tuple[float, int, int]] = []
        parts = swap.modules(self._run, self._other, tip.layer, part)
        for number, module in enumerate(parts):
            directions = pull[module.site]
            mine = swap.along(module.group, here, directions)[_here(pairs)]
            turned = torch.zeros(len(there.total), directions.shape[1])
            for at, to in pairs:
                turned[to] = directions[at].float().cpu()
            theirs = swap.along(module.other, there, turned.to(directions))[[to for _, to in pairs]]
            pulls = (theirs.to(mine) - mine).sum(0)
            best = pulls.abs().topk(min(LARGEST, len(pulls))).indices.tolist()
            options += [(float(pulls[index]), number, index) for index in best if pulls[index] != 0]
        towards = sorted((each for each in options if each[0] > 0), reverse=True)
        largest = sorted(options, key=lambda each: -abs(each[0]))  # a slope may be wrong of what changes much

        def writes(units: Sequence[tuple[int, int]]) -> Writes:
            found = list(tip.base)
            for number, module in enumerate(parts):
                mine = [index for which, index in units if which == number]
                if mine:
                    theirs = swap.gifts(module.other, there, mine)[[to for _, to in pairs]]
                    change = theirs - swap.gifts(module.group, here, mine)[_here(pairs)]
                    found += swap.added(module.site, change, _here(pairs))
            return tuple(found)

        orders = [[(number, index) for _, number, index in each] for each in (towards, largest)]
        chosen = self._fewest(orders[0], writes) or self._fewest(orders[1], writes)
        if chosen is None:
            return self._edited(tip, part, pairs)
        names = tuple(str(parts[number].group.name(index)) for number, index in chosen)
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        what = f"as well, {shown}" if tip.base else shown
        return Found(part, names, writes(chosen), self._proved(what, writes(chosen)))

    def _edited(self, tip: Tip, part: str, pairs: swap.Pairs) -> Found | None:
        """The units that the other run's edits change: an expert's add to tokens that were never sent to it."""
        spec, known = self._other.spec, set(self._run.interventions)
        groups = {id(module.other) for module in swap.modules(self._run, self._other, tip.layer, part)}
        edits = [
            edit
            for edit in spec.edits
            if not isinstance(edit.value, DirectionName)  # it changes the stream, no module
            and id(self._other.model.unit(edit.value)[0]) in groups
            and edit not in known
        ]
        if not edits or self._other.model is not self._run.model or not self._same_text:
            return None
        added = compile_edits(edits, self._run.model, prompt_length=spec.prompt_length, length=len(spec.ids))
        names = tuple(dict.fromkeys(str(edit.value) for edit in edits))
        writes = (*tip.base, *added)
        if not self._proved(f"{', '.join(names[:5])}, as the other run's edits change them", writes):
            return None
        return Found("ffn" if part == "ffn" else "attention", names, writes, True)

    def _middle(self, tip: Tip, part: str, pairs: swap.Pairs) -> tuple[Capture, dict[Site, Tensor]]:
        """This run with everything before taken over, and the slope of the lead at what each module gives."""
        run, model = self._run, self._run.model
        plain = passed(run)
        one = Pass(plain.ids, (*plain.writes, *tip.base))
        last = model.anatomy.layers[-1].after
        sites = [module.site for module in swap.modules(run, self._other, tip.layer, part)]
        capture = model.engine.observe([one], [*dict.fromkeys((*model.sites, *sites, last))], work=self._work)[0]
        residual = capture[last][self._read]
        pull = torch.zeros(1, 1, *capture[last].shape, dtype=residual.dtype, device=residual.device)
        pull[0, 0, self._read] = slope_at(model.readout, residual, self._question)
        try:
            slopes = model.engine.observe([one], sites, pull={last: pull}, work=self._work)[0]
        except (UnsupportedModelError, RuntimeError):  # no derivative: what goes to the logits directly
            return capture, dict.fromkeys(sites, pull[0, 0])
        return capture, {site: slopes.gradient(site)[0] for site in sites}

    def _fewest(self, order: Sequence[tuple[int, int]], writes: TakeOver) -> list[tuple[int, int]] | None:
        """As few of the first units as tip the answer; then those left out that are not needed."""
        sizes = sorted({min(size, len(order)) for size in _sizes(len(order))})
        found = self._outcomes([writes(order[:size]) for size in sizes], "Bisecting units")
        enough = [size for size, (_, flips) in zip(sizes, found, strict=True) if flips]
        if not enough:
            return None
        below = max((size for size in sizes if size < enough[0]), default=0)
        between = list(range(below + 1, enough[0]))[:64]
        found = self._outcomes([writes(order[:size]) for size in between], "Bisecting units")
        fewest = next((size for size, (_, flips) in zip(between, found, strict=True) if flips), enough[0])
        chosen = list(order[:fewest])
        while 1 < len(chosen) <= PRUNED:
            left = [[unit for unit in chosen if unit != out] for out in reversed(chosen)]
            found = self._outcomes([writes(each) for each in left], "Leaving units out")
            shorter = next((each for each, (_, flips) in zip(left, found, strict=True) if flips), None)
            if shorter is None:
                break
            chosen = shorter
        return chosen

    def _narrowed(self, tip: Tip, pairs: swap.Pairs, found: Found) -> tuple[swap.Pairs, Found]:
        """The one position at which the swap is enough, if there is one."""
        if len(pairs) < 2 or not found.flips or any(write.stop - write.start > 1 for write in found.writes):
            return pairs, found
        places = sorted({write.start for write in found.writes})
        changes = [tuple(write for write in found.writes if write.start == at) for at in places]
        outcomes = self._outcomes(changes, "Bisecting positions")
        flipping = [(at == self._read, lead, at) for at, (lead, flips) in zip(places, outcomes, strict=True) if flips]
        if flipping:
            at = max(flipping)[2]
            self._proved(f"the same at position {at} alone", changes[places.index(at)])
            return [(here, there) for here, there in pairs if here == at], found
        return [(here, there) for here, there in pairs if here in places], found


def _here(pairs: swap.Pairs) -> list[int]:
    return [at for at, _ in pairs]


def _sizes(count: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, … up to a count."""
    size = 1
    while size < count:
        yield size
        if size > 2 and size * 3 // 2 < count:
            yield size * 3 // 2
        size *= 2
    if count:
        yield count
