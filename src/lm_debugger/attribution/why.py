"""Answers "who wrote this prediction": the account of a difference as a record, the largest parts by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from lm_debugger.attribution.ablate import off, without
from lm_debugger.attribution.account import Account
from lm_debugger.attribution.attention import patterns
from lm_debugger.attribution.choose import Candidate, Wanted, likeliest, strongest
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.estimate import Estimates, estimates
from lm_debugger.attribution.question import Question, Word, ask, score
from lm_debugger.attribution.reference import Reference, embedding_site
from lm_debugger.engine.sites import Write
from lm_debugger.errors import OptionError, UnsupportedModelError
from lm_debugger.lenses.projection import End
from lm_debugger.records.why import Ablation, EstimateMethod, Why, WhyPart, WhySource
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import Work

PROMOTED = 10  # tokens listed for each unit
FEWEST = 3  # parts from which a correlation is told


class Ablated(NamedTuple):
    """What takes a part's place.

    Args:
        kind: in a word.
        reference: the numbers; None for zero.
        text: of the other run.
    """

    kind: Ablation = "zero"
    reference: Reference | None = None
    text: str | None = None


def why(
    run: KeptRun,
    target: Word | None,
    against: Word | None,
    position: int,
    *,
    wanted: Wanted,
    ablated: Ablated,
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
    guesses, warnings = _estimates(run, question, wanted.estimate, ablated, work) if wanted.estimate else (None, [])
    tested = likeliest(found, guesses, wanted)
    measured = dict(
        zip(
            (each.entry.name for each in tested),
            without(run, question, [_off(run, t, ablated.reference) for t in tested], work),
            strict=True,
        )
    )
    chosen = strongest(found, wanted)
    listed = {each.entry.name: each for each in (*chosen, *tested)}
    causes = Causes(guesses, measured, ablated, wanted.estimate if guesses else None)
    largest_first = sorted(listed.values(), key=lambda each: -abs(each.entry.effect))
    sources: dict[str, tuple[WhySource, ...]] = {}
    if wanted.sources:
        sources, blind = _sources(run, question, found, largest_first, work)
        warnings += blind
    return _record(run, question, found, largest_first, causes, sources if wanted.sources else None, warnings)


class Causes(NamedTuple):
    """What is known of total effects.

    Args:
        estimates: of all units, or None.
        measured: of the parts that were ablated, by name.
        ablated: what took their place.
        method: how the estimates were made.
    """

    estimates: Estimates | None
    measured: dict[str, float]
    ablated: Ablated
    method: EstimateMethod | None

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


def _estimates(
    run: KeptRun, question: Question, method: EstimateMethod, ablated: Ablated, work: Work
) -> tuple[Estimates | None, list[str]]:
    try:
        return estimates(run, question, work, method, ablated.reference), []
    except UnsupportedModelError as failure:
        return None, [f"No estimates: {failure.what}"]


def _off(run: KeptRun, part: Candidate, reference: Reference | None) -> tuple[Write, ...]:
    """The writes that ablate a part."""
    if part.group is not None:
        return off(part.group, part.unit) if reference is None else reference.writes(part.group, part.unit)
    first = embedding_site(run.model)
    if reference is None:
        return (Write(first, 0, run.model.anatomy.hidden_size, 0.0),)
    return reference.embedding_writes(first)


@torch.no_grad()
def _sources(
    run: KeptRun, question: Question, found: Account, listed: Sequence[Candidate], work: Work
) -> tuple[dict[str, tuple[WhySource, ...]], list[str]]:
    """What listed heads brought from each token, by their names; and which cannot be told."""
    heads = [each for each in listed if isinstance(each.group, HeadGroup)]
    alongs = {units.group.layer: units.along for units in found.units if units.along is not None}
    attention = patterns(run, sorted({each.group.layer for each in heads if each.group is not None}), work)
    told: dict[str, tuple[WhySource, ...]] = {}
    for each in heads:
        assert each.group is not None
        pattern = attention.get(each.group.layer)
        if pattern is None or pattern.values is None:
            continue
        brought = pattern.values[:, each.unit] @ alongs[each.group.layer][each.unit].to(pattern.values)
        effects = (pattern.weights[question.position, each.unit] * brought)[: question.position + 1]
        told[each.entry.name] = tuple(
            WhySource(position=position, effect=effect) for position, effect in enumerate(effects.tolist())
        )
    untold = [each.entry.name for each in heads if each.entry.name not in told]
    notes = [f"What {', '.join(untold)} brought from each token cannot be told."] if untold else []
    return told, notes


def _record(
    run: KeptRun,
    question: Question,
    found: Account,
    chosen: Sequence[Candidate],
    causes: Causes,
    sources: Mapping[str, tuple[WhySource, ...]] | None,
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
            sources=(sources or {}).get(each.entry.name, ()),
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
        prompt=run.model.vocabulary.written(run.ids),
        position=question.position,
        target=score(run, logits, question.target),
        against=None if question.against is None else score(run, logits, question.against),
        difference=found.difference,
        parts=parts,
        rest=found.total - listed,
        unexplained=found.difference - found.total,
        agreement=causes.agreement(parts),
        ablation=causes.ablated.kind,
        resampled=causes.ablated.text,
        method=causes.method,
        tokens=() if sources is None else run.tokens,
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
