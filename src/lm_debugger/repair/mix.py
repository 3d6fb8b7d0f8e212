"""Which moves together, and how strong: chosen on logits alone, from what each did when it was tried by itself.

The logits are taken to change by the sum of what the moves did, each times its strength. Under that the cheapest set of
every size is found greedily. Nothing runs here; what is found has to be tried.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.repair.goal import Goal

TOKENS = 500  # of each prediction that are looked at
STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # strengths that are considered
ROUNDS = 2  # of going over all strengths again
SHORT = 5.0  # nats that a logit of missing lead counts: more than any divergence that it is worth


class Tried(NamedTuple):
    """What moves did by themselves.

    Args:
        before: logits of each prediction without them, (predictions, vocabulary).
        change: of the logits at strength 1: (predictions, moves, vocabulary).
        costs: what each does to other texts at strength 1, (moves,), nats.
    """

    before: Tensor
    change: Tensor
    costs: Tensor


class Mix(NamedTuple):
    """Moves by their numbers, with their strengths."""

    moves: tuple[int, ...]
    strengths: tuple[float, ...]


class _Narrow(NamedTuple):
    """The same on the tokens that matter."""

    goal: Tensor  # which of the tokens are accepted
    first: Tensor  # log-probabilities of the original prediction
    before: Tensor
    change: Tensor


def mixes(goals: Sequence[Goal], tried: Tried, most: int, margin: float) -> list[Mix]:
    """The cheapest set of each size from 1 to `most`, under the assumption that changes add up.

    Args:
        goals: the predictions.
        tried: what each move did.
        most: moves in a set.
        margin: the lead to reach.
    """
    parts = [_narrow(goal, tried, number) for number, goal in enumerate(goals)]
    count = len(tried.costs)
    chosen: list[int] = []
    strengths = torch.zeros(count)
    found = []
    for _ in range(min(most, count)):
        free = [move for move in range(count) if move not in chosen]
        options = strengths.repeat(len(free) * len(STEPS), 1)
        for row, (move, step) in enumerate((move, step) for move in free for step in STEPS):
            options[row, move] = step
        best = int(_price(parts, tried, options, margin).argmin())
        chosen.append(free[best // len(STEPS)])
        strengths = options[best]
        for _ in range(ROUNDS if len(chosen) > 1 else 0):
            for move in chosen:
                options = strengths.repeat(len(STEPS), 1)
                options[:, move] = torch.tensor(STEPS)
                strengths = options[int(_price(parts, tried, options, margin).argmin())]
        found.append(Mix(tuple(chosen), tuple(float(strengths[move]) for move in chosen)))
    return found


def _narrow(goal: Goal, tried: Tried, number: int) -> _Narrow:
    before, change = tried.before[number].cpu(), tried.change[number].cpu()
    strongest = (before + change).amax(0)
    tokens = torch.cat([
        goal.logits.cpu().topk(min(TOKENS, len(before))).indices,
        strongest.topk(min(TOKENS // 10, len(before))).indices,
        before.masked_fill(~goal.accepted, float("-inf")).topk(1).indices,
        torch.tensor([goal.target]),
    ]).unique()  # fmt: skip
    return _Narrow(goal.accepted[tokens], goal.logits.cpu()[tokens].log_softmax(-1), before[tokens], change[:, tokens])


def _price(parts: Sequence[_Narrow], tried: Tried, options: Tensor, margin: float) -> Tensor:
    """What rows of strengths (rows, moves) cost: divergence here and elsewhere, and what the leads lack."""
    price = options.square() @ tried.costs
    for part in parts:
        logits = part.before + options @ part.change
        after = logits.log_softmax(-1)
        price = price + (part.first.exp() * (part.first - after)).sum(-1) / len(parts)
        best = logits.masked_fill(~part.goal, float("-inf")).amax(-1)
        lead = best - logits.masked_fill(part.goal, float("-inf")).amax(-1)
        price = price + SHORT * (margin - lead).clamp_min(0)
    return price
