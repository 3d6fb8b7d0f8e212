"""Answers "make this the top token": the search's edits, run anew, with what they do elsewhere, as a record."""

import time
from collections.abc import Callable, Sequence
from statistics import mean
from typing import NamedTuple

from lm_debugger.attribution.question import score
from lm_debugger.readouts.compare import compare
from lm_debugger.records.edit import Edit
from lm_debugger.records.fix import EffectSummary, Fix, FixOptions
from lm_debugger.records.token import TokenScore
from lm_debugger.records.visible import visible
from lm_debugger.repair.controls import random_edits
from lm_debugger.repair.elsewhere import Elsewhere
from lm_debugger.repair.everything import Everything
from lm_debugger.repair.goal import Goal
from lm_debugger.repair.held import Held
from lm_debugger.repair.search import Search
from lm_debugger.repair.trial import Set
from lm_debugger.runs.kept import KeptRun
from lm_debugger.work import Work

LISTED = 10  # top tokens
STRONGER = (1.0, 1.1, 1.25, 1.5)  # where a run by itself rounds otherwise than a batch

Runs = Callable[[tuple[Edit, ...]], Sequence[KeptRun]]
"""Runs every prompt with edits, those in force included."""


class Answer(NamedTuple):
    """What was found for all predictions together."""

    fixes: tuple[Fix, ...]
    edits: tuple[str, ...]
    effects: EffectSummary | None
    forwards: int
    seconds: float
    warnings: tuple[str, ...]


def fix(
    goals: Sequence[Goal], everything: Everything, held: Held, options: FixOptions, *, runs: Runs, work: Work
) -> Answer:
    """See `Debugger.fix`. All goals have the same edits in force."""
    start = time.perf_counter()
    search = Search(goals, everything, held, options, work)
    best = search.best()
    edits, after = _fresh(best.moves, goals, runs)
    forwards = search.forwards + len(goals)
    model, interventions = everything.model, goals[0].run.interventions
    effects = None
    if options.side_effects and edits:
        work("Measuring side effects")
        elsewhere = held.elsewhere(model, interventions, work)
        ran = elsewhere.forwards
        effects = summary(elsewhere, edits, random_edits(model, edits, interventions, options.seed), work)
        forwards += elsewhere.forwards - ran
    warnings = _warnings(search, edits)
    fixes = tuple(_record(goal, run, edits, effects, warnings) for goal, run in zip(goals, after, strict=True))
    seconds = time.perf_counter() - start
    fixes = tuple(each.model_copy(update={"forwards": forwards, "seconds": seconds}) for each in fixes)
    return Answer(fixes, tuple(map(str, edits)), effects, forwards, seconds, warnings)


def summary(elsewhere: Elsewhere, edits: Sequence[Edit], others: Sequence[Edit], work: Work) -> EffectSummary:
    """What edits do to texts, and what other ones do."""
    changes = elsewhere.changes(edits, work)
    drawn = elsewhere.changes(others, work)
    places = [(kl, before != after) for c in changes for kl, before, after in zip(c.kl, c.before, c.after, strict=True)]
    return EffectSummary(
        prompts=len(changes),
        kl=mean(float(kl) for kl, _ in places),
        changed=mean(float(changed) for _, changed in places),
        random_kl=mean(float(kl) for each in drawn for kl in each.kl),
    )


def _fresh(found: Set, goals: Sequence[Goal], runs: Runs) -> tuple[tuple[Edit, ...], Sequence[KeptRun]]:
    """The edits and the runs with them: a little stronger, where a run by itself needs that."""
    expected = sum(_succeeds(goal, goal.run) for goal in goals) if not found.moves else len(goals)
    first: tuple[tuple[Edit, ...], Sequence[KeptRun]] | None = None
    for factor in STRONGER:
        moves = zip(found.moves, found.times(factor).strengths, strict=True)
        edits = tuple(move.edit(strength) for move, strength in moves)
        after = runs(edits)
        first = first or (edits, after)
        if sum(_succeeds(goal, run) for goal, run in zip(goals, after, strict=True)) >= expected:
            return edits, after
    assert first is not None
    return first


def _succeeds(goal: Goal, run: KeptRun) -> bool:
    return bool(goal.accepted[int(run.logits(goal.position).argmax())])


def _record(
    goal: Goal, run: KeptRun, edits: Sequence[Edit], effects: EffectSummary | None, warnings: tuple[str, ...]
) -> Fix:
    before = goal.logits
    logits = run.logits(goal.position)
    top = int(before.argmax())
    success = _succeeds(goal, run)
    best = int(logits.masked_fill(~goal.accepted.to(logits.device), float("-inf")).argmax())
    # Of several wanted tokens the one that leads now; as long as none does, the one that was aimed at.
    wanted = best if success else goal.target
    notes = list(goal.warnings)
    if not edits and success:
        notes.append(f"{visible(run.model.vocabulary.text(top))} is the top token already: nothing is to be changed.")
    if not success:
        notes.append("Not found: these edits come closest.")
    return Fix(
        prompt=run.model.vocabulary.written(run.ids),
        position=goal.position,
        **{"from": score(goal.run, before, top)},
        to=score(goal.run, before, wanted),
        success=success,
        edits=tuple(map(str, edits)),
        before=_top(goal.run, goal.position),
        after=_top(run, goal.position, wanted),
        kl=compare(goal.run, run, goal.position, 1).kl if edits else 0.0,
        side_effects=effects,
        forwards=0,
        seconds=0.0,
        interventions=tuple(map(str, goal.run.interventions)),
        warnings=(*notes, *warnings),
    )


def _top(run: KeptRun, position: int, also: int | None = None) -> tuple[TokenScore, ...]:
    logits = run.logits(position)
    tokens = logits.topk(min(LISTED, len(logits))).indices.tolist()
    if also is not None and also not in tokens:
        tokens.append(also)
    return tuple(score(run, logits, token) for token in tokens)


def _warnings(search: Search, edits: Sequence[Edit]) -> tuple[str, ...]:
    found = []
    if search.widened and edits:
        found.append("Edits within the calibrated ranges did not do it: some go beyond them.")
    if search.flat:
        found.append(f"Without slopes ({search.flat.rstrip('.')}) candidates come from direct effects.")
    return tuple(found)
