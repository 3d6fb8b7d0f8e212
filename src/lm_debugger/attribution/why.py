"""Answers "who wrote this prediction": the account of a difference as a record, the largest parts by name."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from lm_debugger.attribution.ablate import off, without
from lm_debugger.attribution.account import Account
from lm_debugger.attribution.choose import Candidate, Wanted, likeliest, strongest
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.estimate import Estimates, embedding_site, estimates
from lm_debugger.attribution.question import Question, Word, ask, score
from lm_debugger.engine.sites import Write
from lm_debugger.errors import OptionError, UnsupportedModelError
from lm_debugger.lenses.projection import End
from lm_debugger.records.why import Why, WhyPart
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import Work

PROMOTED = 10  # tokens listed for each unit
FEWEST = 3  # parts from which a correlation is told


def why(
    run: KeptRun,
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
    guesses, warnings = _estimates(run, question, work) if wanted.estimate else (None, [])
    tested = likeliest(found, guesses, wanted)
    measured = dict(
        zip(
            (each.entry.name for each in tested),
            without(run, question, [_off(run, t) for t in tested], work),
            strict=True,
        )
    )
    chosen = strongest(found, wanted)
    listed = {each.entry.name: each for each in (*chosen, *tested)}
    causes = Causes(guesses, measured)
    largest_first = sorted(listed.values(), key=lambda each: -abs(each.entry.effect))
    return _record(run, question, found, largest_first, causes, warnings)


class Causes(NamedTuple):
    """What is known of total effects.

    Args:
        estimates: of all units, or None.
        measured: of the parts that were switched off, by name.
    """

    estimates: Estimates | None
    measured: dict[str, float]

    def estimate(self, of: Candidate) -> float | None:
        """The estimate of a part, or None where there is none."""
        if self.estimates is None:
            return None
        if of.group is not None:
            return self.estimates.of(of.group, of.unit)
        return self.estimates.embedding if of.entry.kind == "embedding" else None

    def agreement(self, parts: Sequence[WhyPart]) -> float | None:
        """The correlation of estimate and measured."""
        pairs = [(p.estimate, p.measured) for p in parts if p.estimate is not None and p.measured is not None]
        if len(pairs) < FEWEST:
            return None
        table = torch.tensor(pairs, dtype=torch.float64).T
        return float(torch.corrcoef(table)[0, 1].nan_to_num())


def _estimates(run: KeptRun, question: Question, work: Work) -> tuple[Estimates | None, list[str]]:
    work("Estimating what each part causes")
    try:
        return estimates(run, question, work), []
    except UnsupportedModelError as failure:
        return None, [f"No estimates: {failure.what}"]


def _off(run: KeptRun, part: Candidate) -> tuple[Write, ...]:
    """The writes that set a part to zero."""
    if part.group is not None:
        return off(part.group, part.unit)
    return (Write(embedding_site(run), 0, run.model.anatomy.hidden_size, 0.0),)


def _record(
    run: KeptRun,
    question: Question,
    found: Account,
    chosen: Sequence[Candidate],
    causes: Causes,
    notes: Sequence[str],
) -> Why:
    logits = run.logits(question.position)
    promoted = _promoted(run, question.position, chosen)
    parts = tuple(
        WhyPart(
            part=each.entry.name,
            kind=each.entry.kind,
            effect=each.entry.effect,
            estimate=causes.estimate(each),
            measured=causes.measured.get(each.entry.name),
            promotes=promoted(each),
        )
        for each in chosen
    )
    listed = sum(part.effect for part in parts)
    warnings = [*question.warnings, *notes]
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
        agreement=causes.agreement(parts),
        interventions=tuple(map(str, run.interventions)),
        warnings=tuple(warnings),
        lens=run.reading.name,
    )


@torch.no_grad()
def _promoted(run: KeptRun, position: int, chosen: Sequence[Candidate]) -> Callable[[Candidate], tuple[str, ...]]:
    """Gives the tokens that a part promotes at the position."""
    projections = run.reading.projections
    ends: dict[str, End] = {}
    heads: dict[str, tuple[int, torch.Tensor]] = {}
    for each in chosen:
        if isinstance(each.group, ValueGroup):
            course = each.group.course(run.layer(each.group.layer, position), each.unit)
            ends[each.entry.name] = End(each.group.name(each.unit), bool(course[0] < 0))
        elif isinstance(each.group, HeadGroup):
            written = HeadStreams(each.group, run.layer(each.group.layer, position)).contributions()
            heads[each.entry.name] = each.group.layer, written[0, each.unit][None]
    projections.remember(ends.values(), PROMOTED)
    texts: dict[str, tuple[str, ...]] = {}
    if heads:
        count = min(PROMOTED, run.model.readout.vocabulary)
        top = run.reading.project(heads.values()).topk(count).indices.tolist()
        texts = {name: tuple(map(run.model.vocabulary.text, row)) for name, row in zip(heads, top, strict=True)}

    def of(each: Candidate) -> tuple[str, ...]:
        end = ends.get(each.entry.name)
        return texts.get(each.entry.name, ()) if end is None else projections.texts(end, PROMOTED)

    return of
