"""Tries moves in real forwards: every prediction that is to change, under many sets of moves at once."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.attribution.again import Again
from lm_debugger.repair.goal import Goal
from lm_debugger.repair.moves import Move
from lm_debugger.work import Work

ROWS = 64  # of logits at once


class Set(NamedTuple):
    """Moves with their strengths."""

    moves: tuple[Move, ...] = ()
    strengths: tuple[float, ...] = ()

    def with_(self, moves: Sequence[Move], strengths: Sequence[float]) -> "Set":
        """These and more."""
        return Set((*self.moves, *moves), (*self.strengths, *strengths))

    def times(self, factor: float, start: int = 0) -> "Set":
        """The strengths, from the one at `start` on, multiplied, as far as their ranges go."""
        changed = (min(1.0, factor * each) for each in self.strengths[start:])
        return Set(self.moves, (*self.strengths[:start], *changed))

    def without(self, index: int) -> "Set":
        """All but one."""
        keep = [place for place in range(len(self.moves)) if place != index]
        return Set(tuple(self.moves[place] for place in keep), tuple(self.strengths[place] for place in keep))

    @property
    def cost(self) -> float:
        """What they do to other texts, to second order, in nats."""
        return sum(move.cost * each**2 for move, each in zip(self.moves, self.strengths, strict=True))


class Outcome(NamedTuple):
    """What a set of moves did.

    Args:
        moves: the set.
        lead: the least lead of the predictions.
        reached: how many predictions have the margin.
        short: what all leads lack together.
        kl: the mean divergence of the predictions from what they were.
    """

    moves: Set
    lead: float
    reached: int
    short: float
    kl: float


class Trials:
    """Runs the prompts of goals again.

    Args:
        goals: the predictions.
        margin: the lead that counts as reached.
        work: may stop it.
    """

    def __init__(self, goals: Sequence[Goal], margin: float, work: Work) -> None:
        self.goals = goals
        self._margin = margin
        self._again = [Again(goal.run, work) for goal in goals]

    @property
    def texts(self) -> int:
        """How many were run."""
        return sum(again.texts for again in self._again)

    def residuals(self, sets: Sequence[Set], step: str) -> list[Tensor]:
        """For each prediction the last residual stream under each set: (sets, hidden)."""
        writes = [
            tuple(move.write(strength) for move, strength in zip(each.moves, each.strengths, strict=True))
            for each in sets
        ]
        return [
            again.residuals(writes, goal.position, step) for again, goal in zip(self._again, self.goals, strict=True)
        ]

    def logits(self, sets: Sequence[Set], step: str) -> list[Tensor]:
        """For each prediction the logits under each set: (sets, vocabulary)."""
        return [
            torch.cat([goal.run.model.readout.logits(part) for part in found.split(ROWS)])
            for goal, found in zip(self.goals, self.residuals(sets, step), strict=True)
        ]

    def outcomes(self, sets: Sequence[Set], step: str) -> list[Outcome]:
        """What each set does."""
        logits = self.logits(sets, step)
        leads = torch.stack([goal.lead(each) for goal, each in zip(self.goals, logits, strict=True)])
        kl = torch.stack([goal.kl(each) for goal, each in zip(self.goals, logits, strict=True)]).mean(0)
        reached = (leads >= self._margin).sum(0)
        short = (self._margin - leads).clamp_min(0).sum(0)
        rows = zip(sets, leads.amin(0).tolist(), reached.tolist(), short.tolist(), kl.tolist(), strict=True)
        return [Outcome(*row) for row in rows]
