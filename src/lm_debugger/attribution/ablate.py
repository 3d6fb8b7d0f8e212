"""Ablation: runs again with parts switched off, many at once, and reads what that takes away from a difference."""

from collections.abc import Sequence

import torch

from lm_debugger.attribution.again import Again
from lm_debugger.attribution.question import Question
from lm_debugger.engine.sites import FOREVER, Write
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.unit import Group
from lm_debugger.work import Work

ROWS = 128  # of logits at once


def off(group: Group, index: int) -> tuple[Write, ...]:
    """The writes that set a unit to zero at all positions."""
    return (group.write(index, 0.0, 0.0, maximum=False, start=0, stop=FOREVER),)


def without(run: KeptRun, question: Question, ablations: Sequence[tuple[Write, ...]], work: Work) -> list[float]:
    """What each ablation takes away: the difference of this run minus the difference with the writes."""
    if not ablations:
        return []
    whole, *found = after_writes(run, question, ablations, work, "Switching parts off")
    return [whole - each for each in found]


@torch.no_grad()
def after_writes(
    run: KeptRun, question: Question, changes: Sequence[tuple[Write, ...]], work: Work, step: str
) -> list[float]:
    """The difference of this run, and that of the run with each of some changes.

    The run's own edits stay in force; each change comes after them. What changes nothing is not run again.
    """
    readout = run.model.readout
    whole = float(question.difference(readout.uncapped(run.last_residual[question.position][None]))[0])
    due = [each for each in changes if each]
    residuals = Again(run, work).residuals(due, question.position, step)
    parts = [question.difference(readout.uncapped(part)) for part in residuals.split(ROWS)] if due else []
    results = (number for part in parts for number in part.tolist())
    return [whole, *(next(results) if each else whole for each in changes)]
