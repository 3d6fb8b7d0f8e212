"""Answers "who wrote this prediction": the account of a difference as a record, the largest parts by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from lm_debugger.attribution.account import Account, Entry, UnitEffects
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.question import Question, Word, ask, score
from lm_debugger.errors import OptionError
from lm_debugger.lenses.projection import Projections, Side
from lm_debugger.records.why import Why, WhyPart
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.unit import Group, ValueGroup
from lm_debugger.work import Work

PROMOTED = 10  # tokens listed for each unit
MOST = 1000  # parts that can be listed


class Candidate(NamedTuple):
    """A part that may be listed.

    Args:
        entry: name, kind, layer and effect.
        group, index: for a unit where it is, else None and 0.
    """

    entry: Entry
    group: Group | None = None
    index: int = 0


@dataclass(frozen=True)
class Wanted:
    """What to list.

    Args:
        top_k: how many parts.
        layers: only parts of these layers; None for all.

    Raises:
        OptionError: if top_k is out of range.
    """

    top_k: int = 20
    layers: range | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.top_k <= MOST:
            raise OptionError(f"top_k is {self.top_k}.", f"It must be from 1 to {MOST}.")

    def holds(self, layer: int | None) -> bool:
        """Whether parts of a layer may be listed."""
        return self.layers is None or (layer is not None and layer in self.layers)


def why(
    run: KeptRun,
    projections: Projections,
    target: Word | None,
    against: Word | None,
    position: int,
    *,
    wanted: Wanted,
    work: Work,
) -> Why:
    """See `Debugger.why`."""
    run.check_current()
    if wanted.layers is not None and wanted.layers.stop > run.model.layers:
        last = run.model.layers - 1
        raise OptionError(f"The model has no layer {wanted.layers.stop - 1}.", f"Its last layer is {last}.")
    question = ask(run, target, against, position)
    work("Adding up what every part wrote")
    found = account(run, question, work)
    chosen = strongest(found, wanted)
    return _record(run, projections, question, found, chosen)


def strongest(found: Account, wanted: Wanted) -> list[Candidate]:
    """The parts with the largest effects, largest first."""
    candidates = [Candidate(entry) for entry in found.entries if wanted.holds(entry.layer)]
    for units in found.units:
        if wanted.holds(units.group.layer):
            best = units.effects.abs().topk(min(wanted.top_k, len(units.effects))).indices.tolist()
            candidates += [candidate(units, index) for index in best if units.effects[index] != 0]
    return sorted(candidates, key=lambda each: -abs(each.entry.effect))[: wanted.top_k]


def candidate(units: UnitEffects, index: int) -> Candidate:
    """A unit as a candidate."""
    group = units.group
    entry = Entry(str(group.name(index)), units.kind, group.layer, float(units.effects[index]))
    return Candidate(entry, group, index)


def _record(
    run: KeptRun, projections: Projections, question: Question, found: Account, chosen: Sequence[Candidate]
) -> Why:
    logits = run.logits(question.position)
    promoted = _promoted(run, projections, question.position, chosen)
    parts = tuple(
        WhyPart(part=each.entry.name, kind=each.entry.kind, effect=each.entry.effect, promotes=promoted(each))
        for each in chosen
    )
    listed = sum(part.effect for part in parts)
    warnings = list(question.warnings)
    if run.model.readout.soft_cap:
        warnings.append(
            f"The model caps its logits softly at {run.model.readout.soft_cap:g}: the difference and its parts are "
            "those of the logits before the cap."
        )
    return Why(
        prompt=run.model.vocabulary.decode(run.ids),
        position=question.position,
        target=score(run, logits, question.target),
        against=None if question.against is None else score(run, logits, question.against),
        difference=found.difference,
        parts=parts,
        rest=found.total - listed,
        unexplained=found.difference - found.total,
        interventions=tuple(map(str, run.interventions)),
        warnings=tuple(warnings),
    )


@torch.no_grad()
def _promoted(
    run: KeptRun, projections: Projections, position: int, chosen: Sequence[Candidate]
) -> Callable[[Candidate], tuple[str, ...]]:
    """Gives the tokens that a part promotes at the position."""
    sides: dict[str, Side] = {}
    heads: dict[str, torch.Tensor] = {}
    for each in chosen:
        if isinstance(each.group, ValueGroup):
            course = each.group.course(run.layer(each.group.layer, position), each.index)
            sides[each.entry.name] = Side(each.group.name(each.index), bool(course[0] < 0))
        elif isinstance(each.group, HeadGroup):
            written = HeadStreams(each.group, run.layer(each.group.layer, position)).contributions()
            heads[each.entry.name] = written[0, each.index]
    projections.remember(sides.values(), PROMOTED)
    texts: dict[str, tuple[str, ...]] = {}
    if heads:
        count = min(PROMOTED, run.model.readout.vocabulary)
        top = run.model.readout.project(torch.stack(list(heads.values()))).topk(count).indices.tolist()
        texts = {name: tuple(map(run.model.vocabulary.text, row)) for name, row in zip(heads, top, strict=True)}

    def of(each: Candidate) -> tuple[str, ...]:
        side = sides.get(each.entry.name)
        return texts.get(each.entry.name, ()) if side is None else projections.texts(side, PROMOTED)

    return of
