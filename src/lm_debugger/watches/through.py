"""Watches through the layers of a run that is kept: no forward; all lens vectors in one product."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

import torch

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.records.watch import WatchPath
from lm_debugger.runs.kept import KeptRun
from lm_debugger.watches.bind import Watch
from lm_debugger.watches.evaluate import evaluate
from lm_debugger.watches.moment import Distribution, Moment


@torch.no_grad()
def through_layers(run: KeptRun, watches: Sequence[Watch], position: int = -1) -> tuple[WatchPath, ...]:
    """Each watch before and after every layer's feed-forward, and at the output.

    Raises:
        OptionError: if the position does not exist.
        StaleRunError: if the model's weights have changed since.
    """
    run.check_current()
    place = run.position(position)
    own = _moments(run, run.baseline or run, place)
    base = None if run.baseline is None else _moments(run.baseline, run.baseline, place)
    return tuple(_path(watch, own, base) for watch in watches)


def _path(watch: Watch, own: list[Moment], base: list[Moment] | None) -> WatchPath:
    values = [evaluate(watch, moment) for moment in own]
    without = None if base is None else [evaluate(watch, moment) for moment in base]
    return WatchPath(
        expression=str(watch),
        kind=watch.kind,
        value=values[-1],
        before=tuple(values[:-1:2]),
        values=tuple(values[1:-1:2]),
        baseline=None if without is None else without[-1],
        baseline_values=None if without is None else tuple(without[1:-1:2]),
        warnings=watch.warnings,
    )


def _moments(run: KeptRun, baseline: KeptRun, place: int) -> list[Moment]:
    """Before and after each layer, then the output."""
    own, base = _lens(run, place), _lens(baseline, place) if baseline is not run else None
    base = own if base is None else base
    token = run.ids[place + 1] if place + 1 < len(run) else None
    generated = run.ids[run.spec.prompt_length : place + 2]
    text = run.model.vocabulary.decode(generated) if generated else ""

    @cache
    def streams(layer: int) -> LayerStreams:
        return run.layer(layer, place)

    found: list[Moment] = []
    sides: tuple[Literal["before", "after"], ...] = ("before", "after")
    for index, (mine, theirs) in enumerate(zip(own, base, strict=True)):
        stage = (index // 2, sides[index % 2])
        found.append(Moment(run.model, mine, theirs, streams, stage=stage, token=token, text=text))
    return [*found, Moment(run.model, own[-1], base[-1], streams, token=token, text=text)]


def _lens(run: KeptRun, place: int) -> list[Distribution]:
    streams = [run.layer(index, place) for index in range(run.model.layers)]
    logits = run.model.readout.logits(torch.cat([part for each in streams for part in (each.before, each.after)]))
    return [Distribution(row) for row in logits]
