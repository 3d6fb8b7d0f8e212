"""Activation patching: a part of a run is replaced by that of another run, and the difference is read again.

Source: causal tracing, Meng et al. 2022 (arXiv 2202.05262); interchange interventions, Geiger et al. 2021
(arXiv 2106.02997); Wang et al. 2022 (arXiv 2211.00593).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.attribution.ablate import after_writes
from lm_debugger.attribution.attention import head_group
from lm_debugger.attribution.between import Comparison
from lm_debugger.attribution.question import Word
from lm_debugger.engine.sites import Side, Site, Write
from lm_debugger.records.patch import PatchMap, PatchPart
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.work import Work


class Place(NamedTuple):
    """Channels of a site with the activations that take their place.

    Args:
        site, first: where.
        values: of the other run, (its positions, channels).
        own: of this run, (positions, channels).
    """

    site: Site
    first: int
    values: Tensor
    own: Tensor


def places(run: KeptRun, other: KeptRun, part: PatchPart, layer: int) -> list[list[Place]]:
    """What is patched in a layer: for `heads` each head alone, else one entry; none where there is nothing to patch."""
    here, there = run.layer(layer), other.layer(layer)
    if part == "residual":
        return [[Place(run.model.anatomy.layers[layer].after, 0, there.after, here.after)]]
    if part == "ffn":
        ways = zip(here.layer.groups, there.layer.groups, strict=True)
        each = [Place(Site(path=a.path, side=Side.OUTPUT), 0, there.output(b), here.output(a)) for a, b in ways]
        return [each] if each else []
    group = head_group(run, layer)
    if group is None:
        return []
    mine, others = HeadStreams(group, here), HeadStreams(group, there)
    if part == "attention":
        return [[Place(Site(path=group.path, side=Side.OUTPUT), 0, others.output, mine.output)]]
    return [
        [Place(group.slices_site, head * group.heads.width, others.slices[:, head], mine.slices[:, head])]
        for head in range(group.heads.count)
    ]


def writes(all_places: Sequence[Place], positions: Sequence[tuple[int, int]]) -> tuple[Write, ...]:
    """The writes that put the other run's activations in: pairs of a position here and there."""
    return tuple(
        Write(
            place.site, place.first, place.values.shape[1], 0.0, tuple(place.values[there].tolist()), False, at, at + 1
        )
        for place in all_places
        for at, there in positions
        if not torch.equal(place.values[there], place.own[at])
    )


@torch.no_grad()
def patch(
    run: KeptRun, other: KeptRun, target: Word | None, against: Word | None, position: int, part: PatchPart, work: Work
) -> PatchMap:
    """See `Debugger.patch`."""
    run.check_current()
    between = Comparison(run, other, target, against, position)
    wanted = list(_wanted(run, other, part, between.pairs))
    ablations = [each for _, _, each in wanted]
    found = after_writes(run, between.question, ablations, work, "Patching")
    whole, results = found[0], found[1:]
    columns = len(run)
    if part == "heads":
        columns = max((len(places(run, other, part, layer)) for layer in range(run.model.layers)), default=0)
    cells: list[list[float | None]] = [[None] * columns for _ in range(run.model.layers)]
    together: list[float | None] = [None] * run.model.layers
    for (layer, column, _), result in zip(wanted, results, strict=True):
        if column is None:
            together[layer] = result
        else:
            cells[layer][column] = result
    return PatchMap(
        part=part, cells=tuple(map(tuple, cells)), together=tuple(together), **dict(between.told(whole))
    )  # fmt: skip


def _wanted(
    run: KeptRun, other: KeptRun, part: PatchPart, pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int | None, tuple[Write, ...]]]:
    """Layer, column (None for all together) and writes of every patch. Neighbours write different layers."""
    found = {layer: places(run, other, part, layer) for layer in range(run.model.layers)}
    having = [layer for layer, each in found.items() if each]
    for layer in having:
        yield layer, None, writes([place for each in found[layer] for place in each], pairs)
    columns: Sequence[tuple[int, list[tuple[int, int]]]]
    if part == "heads":
        for head in range(max((len(found[layer]) for layer in having), default=0)):
            for layer in having:
                if head < len(found[layer]):
                    yield layer, head, writes(found[layer][head], pairs)
        return
    columns = [(at, [(at, there)]) for at, there in pairs]
    for column, pair in columns:
        for layer in having:
            yield layer, column, writes(found[layer][0], pair)
