"""Moves: what a fix may do to one unit, by degrees, within the calibrated range of its coefficient.

A move of strength 0 changes nothing, one of strength 1 takes the coefficient at the position that is fixed to the edge
of its range (`on` or `on-`), by adding to it or by scaling it at all positions. A head is switched off or doubled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.engine.sites import FOREVER, Write
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.repair.everything import Everything, Slopes
from lm_debugger.repair.held import Held
from lm_debugger.units.unit import Group

MOST_SCALED = 8.0  # times as strong as it was, whatever the range would allow
DIGITS = 4  # of an edit's amount


@dataclass(frozen=True)
class Move:
    """One unit with what is done to it.

    Args:
        group, index: the unit.
        operation: ADD or SCALE.
        full: what is added to the coefficient, or to the factor 1, at strength 1.
        gain: what it adds to the lead at strength 1, to first order.
        cost: what it does to other texts at strength 1, to second order, in nats.
    """

    group: Group
    index: int
    operation: Operation
    full: float
    gain: float
    cost: float

    @property
    def unit(self) -> tuple[int, str, int]:
        """Tells the unit from all others: its layer, path and number."""
        return self.group.layer, self.group.path, self.index

    def edit(self, strength: float) -> Edit:
        """The move as an edit, its amount rounded as it is written."""
        name, amount = self.group.name(self.index), strength * self.full
        if self.operation is Operation.ADD:
            return Edit(value=name, operation=Operation.ADD, amount=_rounded(amount))
        factor = _rounded(1 + amount)
        if factor == 0:
            return Edit(value=name, operation=Operation.OFF)
        return Edit(value=name, operation=Operation.SCALE, amount=factor)

    def write(self, strength: float) -> Write:
        """The same as the engine takes it."""
        edit = self.edit(strength)
        scale, shift = (1.0, edit.amount or 0.0) if self.operation is Operation.ADD else (edit.amount or 0.0, 0.0)
        return self.group.write(self.index, scale, shift, maximum=False, start=0, stop=FOREVER)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


@dataclass(frozen=True, eq=False)
class Family:
    """One move for each unit, as arrays (units,).

    Args:
        operation: of all.
        full: see `Move`; 0 where there is no such move.
        gain: what each adds to the lead at strength 1, to first order; over all predictions, the least of them.
        price: the divergence it causes at strength 1, here and in other texts, to second order, in nats.
        cost: that in other texts alone.
    """

    operation: Operation
    full: Tensor
    gain: Tensor
    price: Tensor
    cost: Tensor


def families(
    everything: Everything, coefficients: Tensor, leads: Sequence[Slopes], spreads: Sequence[Slopes], held: Held,
    reach: float,
) -> list[Family]:  # fmt: skip
    """All moves of all units, with their direction chosen to add to the lead.

    Args:
        coefficients: at each prediction's position, (predictions, units).
        leads: for each prediction the slope of its lead, one row each.
        spreads: for each prediction the slopes whose squares add up to the variance of the logits.
        held: what units do to other texts.
        reach: how many times as wide as the calibrated range is allowed.
    """
    low, high = everything.low * reach, everything.high * reach
    vectors, here = everything.vectors, coefficients.mean(0)
    add = torch.stack([each.add[0] for each in leads])
    up = add.mean(0) > 0
    full = torch.where(up, (high - here).clamp_min(0), (low - here).clamp_max(0))
    added = _family(Operation.ADD, torch.where(vectors, full, 0), add, [each.add for each in spreads], held.add)
    scale = torch.stack([each.scale[0] for each in leads])
    up = scale.mean(0) > 0
    strongest = coefficients.abs().amax(0)
    edge = torch.where(here > 0, high, -low)
    most = torch.where(strongest > 0, edge / strongest.clamp_min(1e-30), 0).clamp(1, MOST_SCALED) - 1
    most = torch.where(vectors, most, reach)
    full = torch.where(up, most, -torch.ones_like(most))
    scaled = _family(Operation.SCALE, full, scale, [each.scale for each in spreads], held.scale)
    return [added, scaled]


def _family(operation: Operation, full: Tensor, leads: Tensor, spreads: Sequence[Tensor], held: Tensor) -> Family:
    gain = (leads * full).mean(0)
    here = torch.stack([0.5 * (each * full).square().sum(0) for each in spreads]).mean(0)
    cost = held * full.square()
    return Family(operation, full, gain, here + cost, cost)


def promising(
    everything: Everything, found: Sequence[Family], gap: float, count: int, taken: set[tuple[int, str, int]]
) -> list[Move]:
    """The moves to try: those that close the gap at the least price, and those that close most of it.

    Args:
        gap: what the lead lacks.
        count: how many, about.
        taken: units that are edited already.
    """
    gain = torch.stack([each.gain for each in found])
    price = torch.stack([each.price for each in found])
    closed = gain.clamp(0, gap)
    # The share of the lead in the variance of the logits is never nothing: an estimate of few samples may say so.
    dearness = (price + 0.02 * gain.square()) / gain.clamp_min(1e-12).square()
    value = closed / dearness.sqrt()
    orders = [_best(value.where(closed > share * gap, 0), count) for share in (0.0, 0.2)]
    orders.append(_best(closed / (1 + price), count))
    chosen: dict[tuple[int, str, int], Move] = {}
    for place in range(count):
        for order in orders:
            if place >= len(order) or len(chosen) >= count:
                continue
            family, unit = divmod(order[place], everything.units)
            each = found[family]
            group, index = everything.place(unit)
            move = Move(group, index, each.operation, *(float(n[unit]) for n in (each.full, each.gain, each.cost)))
            if move.unit not in taken and move.unit not in chosen:
                chosen[move.unit] = move
    return list(chosen.values())


def _best(value: Tensor, count: int) -> list[int]:
    flat = value.flatten()
    top = flat.topk(min(2 * count, len(flat)))
    return [int(index) for index, number in zip(top.indices, top.values, strict=True) if number > 0]
