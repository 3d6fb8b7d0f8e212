"""The search for the smallest set of moves that makes wanted tokens the top ones.

A round: the slopes of the leads (one backward pass), weighed against the divergence that a unit would cause here and
in other texts, choose moves; each is tried by itself in a real forward; the cheapest sets of every size are chosen from
what they did, and tried; what succeeds is weakened and pruned as far as it still does. Where nothing succeeds, the best
set is kept and the next round begins from there; then with ranges wider than calibrated ones.
"""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from lm_debugger.attribution.direct import account, passed
from lm_debugger.attribution.question import Question
from lm_debugger.attribution.reference import key
from lm_debugger.engine.sites import Pass
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.fix import FixOptions
from lm_debugger.repair.everything import Everything, Slopes, pulled, spread
from lm_debugger.repair.goal import Goal
from lm_debugger.repair.held import Held
from lm_debugger.repair.mix import Tried, mixes
from lm_debugger.repair.moves import Family, Move, families, promising
from lm_debugger.repair.trial import Outcome, Set, Trials
from lm_debugger.work import Work

MARGIN = 0.03  # logits by which a token leads at least: forwards of other batches round otherwise
PRICE = 0.05  # nats that an edit must save to be worth its place
TOP = 4  # tokens whose part in the divergence is taken exactly
TRIED = 28  # moves tried by themselves in a round
REACHES = (1.0, 1.6, 2.5)  # how wide the ranges are, try after try
ROUNDS = 4  # of a try
FACTORS = (0.8, 1.0, 1.25, 1.6)  # of a set's strengths: changes add up only about
WEAKER = (0.6, 0.75, 0.85, 0.92, 0.97)
DROPPED = (1.0, 1.2)  # strengths of the others where one is left out


class Search:
    """One search.

    Args:
        goals: the predictions that are to change.
        everything: the model's units.
        held: what they do to other texts.
        options: how far to go.
        work: may stop it.

    Attributes:
        forwards: texts run so far.
        widened: whether edits may go beyond the calibrated ranges.
        flat: why there are no slopes, "" where there are.
    """

    def __init__(
        self, goals: Sequence[Goal], everything: Everything, held: Held, options: FixOptions, work: Work
    ) -> None:
        self.goals = goals
        self.widened = False
        self.flat = ""
        self._everything = everything
        self._held = held
        self._options = options
        self._work = work
        self._trials = Trials(goals, MARGIN, work)
        self._pulled = 0
        self._generator = torch.Generator().manual_seed(options.seed)
        self._taken = {
            (group.layer, group.path, index)
            for goal in goals[:1]
            for edit in goal.run.interventions
            if not isinstance(edit.value, DirectionName)
            for group, index in [goal.run.model.unit(edit.value)]
        }
        self._coefficients = torch.stack([everything.coefficients(goal.run, goal.position) for goal in goals])

    @property
    def forwards(self) -> int:
        """Texts run so far."""
        return self._trials.texts + self._pulled

    def best(self) -> Outcome:
        """The cheapest set that reaches everything, or the one that comes closest."""
        (closest,) = self._trials.outcomes([Set()], "Reading the predictions")
        if self._done(closest):
            return closest
        for reach in REACHES:
            found = self._attempt(reach)
            if self._done(found):
                self.widened = reach > 1
                return found
            if (-found.reached, found.short) < (-closest.reached, closest.short):
                closest, self.widened = found, reach > 1
            if self._spent:
                break
        return closest

    def _done(self, found: Outcome) -> bool:
        return found.reached == len(self.goals)

    @property
    def _spent(self) -> bool:
        return self.forwards >= self._options.budget

    def _attempt(self, reach: float) -> Outcome:
        base = self._trials.outcomes([Set()], "Reading the predictions")[0]
        for number in range(ROUNDS):
            room = self._options.max_edits - len(base.moves.moves)
            if room < 1 or self._spent:
                break
            outcomes = self._round(base.moves, room, reach, number)
            winners = [each for each in outcomes if self._done(each)]
            if winners:
                return self._refined(min(winners, key=_price))
            # Not all of the room at once: the next round's slopes are taken where this one's moves have led.
            most = len(base.moves.moves) + max(1, room - 2)
            closer = [each for each in outcomes if len(each.moves.moves) <= most or room <= 2]
            step = min((each for each in closer if each.short < base.short), key=_distance, default=None)
            if step is None:
                break
            base = step
        return base

    def _round(self, base: Set, room: int, reach: float, number: int) -> list[Outcome]:
        before = self._trials.residuals([base], "Reading the predictions")
        logits = [goal.run.model.readout.logits(each)[0] for goal, each in zip(self.goals, before, strict=True)]
        gaps = [MARGIN - float(goal.lead(each[None])[0]) for goal, each in zip(self.goals, logits, strict=True)]
        self._work("Estimating what every unit would do", number, ROUNDS)
        found = self._families(base, before, logits, reach)
        taken = self._taken | {move.unit for move in base.moves}
        moves = promising(self._everything, found, max(*gaps, MARGIN), self._tried, taken)
        if not moves:
            return []
        tried = self._try(base, moves, logits, max(gaps))
        sets = [
            base.with_([moves[index] for index in mix.moves], mix.strengths).times(factor, len(base.moves))
            for mix, factor in product(mixes(self.goals, tried, room, MARGIN), FACTORS)
        ]
        return self._trials.outcomes(list(dict.fromkeys(sets)), "Trying sets of edits")

    @property
    def _tried(self) -> int:
        left = self._options.budget - self.forwards
        return max(4, min(TRIED, left // max(2 * len(self.goals), 1)))

    def _families(self, base: Set, before: Sequence[Tensor], logits: Sequence[Tensor], reach: float) -> list[Family]:
        leads, spreads = [], []
        for goal, residual, each in zip(self.goals, before, logits, strict=True):
            lead, *rest = self._slopes(goal, base, residual[0], each)
            leads.append(lead)
            spreads.append(rest[0])
        return families(self._everything, self._coefficients, leads, spreads, self._held, reach)

    def _slopes(self, goal: Goal, base: Set, residual: Tensor, logits: Tensor) -> tuple[Slopes, Slopes]:
        """The slopes of a prediction's lead, and those whose squares are the variance of its logits."""
        best, rival = goal.rivals(logits)
        weights = torch.zeros(1, len(logits))
        weights[0, best], weights[0, rival] = 1, -1
        weights = torch.cat([weights, spread(logits, TOP, self._generator)])
        pulls = torch.zeros(len(weights), len(goal.run), len(residual), dtype=residual.dtype, device=residual.device)
        readout = goal.run.model.readout
        pulls[:, goal.position] = pulled(readout, residual.expand(len(weights), -1), weights.to(residual.device))
        plain = passed(goal.run)
        writes = [move.write(strength) for move, strength in zip(base.moves, base.strengths, strict=True)]
        one = Pass(plain.ids, (*plain.writes, *writes))
        try:
            found = self._everything.slopes([one] * len(weights), pulls, self._work)
        except UnsupportedModelError as failure:
            self.flat = failure.what
            return self._direct(goal, best, rival)
        self._pulled += len(weights)
        return Slopes(found.add[:1], found.scale[:1]), Slopes(found.add[1:], found.scale[1:])

    def _direct(self, goal: Goal, best: int, rival: int) -> tuple[Slopes, Slopes]:
        """Direct effects instead of slopes, where no gradients can be taken."""
        everything = self._everything
        effects = {
            key(units.group): units.effects
            for units in account(goal.run, Question(goal.position, best, rival), self._work).units
        }
        scale = torch.zeros(1, everything.units)
        for number, group in enumerate(everything.groups):
            if key(group) in effects:
                scale[0, everything.rows(number)] = effects[key(group)].float()
        here = everything.coefficients(goal.run, goal.position)
        add = torch.where(here.abs() > 1e-6, scale / here.where(here.abs() > 1e-6, 1), 0)
        nothing = torch.zeros(1, everything.units)
        return Slopes(add, scale), Slopes(nothing, nothing)

    def _try(self, base: Set, moves: Sequence[Move], logits: Sequence[Tensor], gap: float) -> Tried:
        """What each move does by itself, at the strength that should close the gap."""
        strengths = [min(1.0, max(0.25, gap / max(move.gain, 1e-9))) for move in moves]
        sets = [base.with_([move], [strength]) for move, strength in zip(moves, strengths, strict=True)]
        after = self._trials.logits(sets, "Trying edits one by one")
        before = torch.stack([each.cpu() for each in logits])
        change = torch.stack([each.cpu() for each in after]) - before[:, None]
        change = change / torch.tensor(strengths)[:, None]
        return Tried(before, change.nan_to_num(), torch.tensor([move.cost for move in moves]))

    def _refined(self, found: Outcome) -> Outcome:
        """Weaker and fewer moves, as long as they still do it and it pays."""
        for _ in range(3):
            if self._spent:
                break
            sets = [found.moves.times(factor) for factor in WEAKER]
            if len(found.moves.moves) > 1:
                sets += [
                    found.moves.without(index).times(factor)
                    for index, factor in product(range(len(found.moves.moves)), DROPPED)
                ]
            better = [each for each in self._trials.outcomes(sets, "Pruning") if self._done(each)]
            best = min(better, key=_price, default=found)
            if _price(best) >= _price(found) - 0.005:
                break
            found = best
        return found


def _price(found: Outcome) -> float:
    """What a set costs: divergence here and elsewhere, and its size."""
    return found.kl + found.moves.cost + PRICE * len(found.moves.moves)


def _distance(found: Outcome) -> float:
    """How far a set is from what is wanted, for what it costs."""
    return found.short + 0.3 * _price(found)
