"""Ablation: runs again with parts switched off, many at once, and reads what that takes away from a difference."""

from collections.abc import Sequence

import torch

from lm_debugger.attribution.direct import passed
from lm_debugger.attribution.question import Question
from lm_debugger.engine.sites import FOREVER, Pass, Write
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.unit import Group
from lm_debugger.work import Work

TOKENS = 512  # that run in one forward: more rows at once are no faster, and need memory


def off(group: Group, index: int) -> tuple[Write, ...]:
    """The writes that set a unit to zero at all positions."""
    return (group.write(index, 0.0, 0.0, maximum=False, start=0, stop=FOREVER),)


@torch.no_grad()
def without(run: KeptRun, question: Question, ablations: Sequence[tuple[Write, ...]], work: Work) -> list[float]:
    """What each ablation takes away: the difference of this run minus the difference with the writes.

    The run's own edits stay in force; each ablation comes after them.
    """
    if not ablations:
        return []
    model, plain = run.model, passed(run)
    last = model.anatomy.layers[-1].after
    rows = max(1, TOKENS // len(run))

    def differences(passes: Sequence[Pass]) -> list[float]:
        captures = model.engine.observe(passes, [last], work=work)
        residuals = torch.stack([capture[last][question.position] for capture in captures])
        found: list[float] = question.difference(model.readout.uncapped(residuals)).tolist()
        return found

    passes = [plain, *(Pass(plain.ids, (*plain.writes, *writes)) for writes in ablations)]
    found: list[float] = []
    for start in range(0, len(passes), rows):
        work("Switching parts off", start, len(passes))
        found += differences(passes[start : start + rows])
    return [found[0] - each for each in found[1:]]
