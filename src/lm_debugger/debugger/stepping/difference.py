"""What differs between two runs, as one record: tokens, layers, and the units that appear, vanish or change."""

from collections.abc import Sequence

import torch

from lm_debugger.debugger.trace import Trace
from lm_debugger.lenses.projection import End
from lm_debugger.readouts.subupdates import dominant
from lm_debugger.readouts.view import top_tokens
from lm_debugger.records.session import LayerDifference, RunDifference, UnitDifference
from lm_debugger.records.token import Token
from lm_debugger.units.unit import Contribution, ValueGroup
from lm_debugger.watches.moment import Distribution

STRONGEST = 10  # units of each layer that are compared
PROMOTED = 10  # tokens listed
TOP = 10  # tokens of a prediction


@torch.no_grad()
def difference(first: str, second: str, one: Trace, other: Trace, count: int) -> RunDifference:
    """Compare two runs, each read at its last position.

    Args:
        first, second: what the runs are called.
        count: units at most.
    """
    one.check_current()
    model = one.model
    common = _common(one.ids, other.ids)
    lenses = [_lens(run) for run in (one, other)]
    tops = [top_tokens(model, logits, TOP) for logits in lenses]
    layers = tuple(_layer(one, other, layer, lenses, tops) for layer in range(model.layers))
    return RunDifference(
        first=first,
        second=second,
        common=common,
        first_tokens=_rest(one, common),
        second_tokens=_rest(other, common),
        first_interventions=tuple(map(str, one.interventions)),
        second_interventions=tuple(map(str, other.interventions)),
        kl=layers[-1].kl,
        first_top=tops[0][-1],
        second_top=tops[1][-1],
        parts_at=next((each.layer for each in layers if each.first.id != each.second.id), None),
        layers=layers,
        units=_units(one, other, count),
    )


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts begin with alike."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))


def _rest(run: Trace, common: int) -> tuple[Token, ...]:
    return run.tokens[common:]


def _lens(run: Trace) -> torch.Tensor:
    """The lens after each layer: (layers, vocabulary)."""
    return run.model.readout.logits(torch.cat([run.layer(layer, -1).after for layer in range(run.model.layers)]))


def _layer(
    one: Trace, other: Trace, layer: int, lenses: Sequence[torch.Tensor], tops: Sequence[Sequence[Sequence[object]]]
) -> LayerDifference:
    mine, theirs = one.layer(layer, -1).after[0], other.layer(layer, -1).after[0]
    return LayerDifference.model_construct(
        layer=layer,
        kl=Distribution(lenses[0][layer]).divergence(Distribution(lenses[1][layer])),
        first=tops[0][layer][0],
        second=tops[1][layer][0],
        distance=float((mine - theirs).norm() / mine.norm().clamp_min(1e-30)),
    )


def _units(one: Trace, other: Trace, count: int) -> tuple[UnitDifference, ...]:
    found: list[tuple[UnitDifference, End]] = []
    for block in one.model.blocks:
        streams = one.layer(block.index, -1), other.layer(block.index, -1)
        strongest = [{each.name: each for each in dominant(block, s, STRONGEST)} for s in streams]
        for name in dict.fromkeys([*strongest[0], *strongest[1]]):
            group, index = one.model.values(name)
            assert isinstance(group, ValueGroup)
            numbers = [float(group.course(s, index)[-1]) for s in streams]
            known: Contribution = strongest[0].get(name) or strongest[1][name]
            change = numbers[1] - numbers[0]
            if not change:
                continue
            kind = "changes" if name in strongest[0] and name in strongest[1] else None
            kind = kind or ("appears" if name in strongest[1] else "vanishes")
            unit = UnitDifference.model_construct(
                value=str(name), change=kind, first=numbers[0], second=numbers[1], score=abs(change) * known.norm,
                name=None, promotes=(),
            )  # fmt: skip
            found.append((unit, End(name, change < 0)))
    best = sorted(found, key=lambda pair: -pair[0].score)[:count]
    one.reading.projections.remember([end for _, end in best], PROMOTED)
    return tuple(
        unit.model_copy(update={"promotes": one.reading.projections.texts(end, PROMOTED)}) for unit, end in best
    )
