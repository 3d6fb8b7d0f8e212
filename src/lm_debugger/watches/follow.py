"""Watches along a continuation: one value each for every token that is chosen."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.engine import Step
from lm_debugger.engine.sites import Site
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.watch import WatchSeries, WatchValue
from lm_debugger.watches.bind import Watch
from lm_debugger.watches.evaluate import evaluate
from lm_debugger.watches.moment import Distribution, Moment
from lm_debugger.watches.twin import Twin
from lm_debugger.work import Work


def taps_of(watches: Sequence[Watch]) -> tuple[Site, ...]:
    """What has to be recorded in every step."""
    return tuple(dict.fromkeys(site for watch in watches for site in watch.sites))


def moment_of(model: LoadedModel, step: Step, base: Tensor | None, token: int, text: str) -> Moment:
    """The moment in which a step chose a token.

    Args:
        base: the logits without edits, or None where there are no edits.
        text: what was generated so far, the token included.
    """
    size = model.readout.vocabulary
    own = Distribution(step.logits[0][:size])
    without = own if base is None else Distribution(base[:size])

    @cache
    def streams(layer: int) -> LayerStreams:
        return LayerStreams(model.blocks[layer], step.captures[0], slice(-1, None))

    return Moment(model, own, without, streams, token=token, text=text)


class Follower:
    """Evaluates watches at every step of one continuation. See `runs.generate.Watcher`.

    Args:
        prompt: its token ids.
        edited: whether edits are in force; without any the run is its own base.
        most: tokens that will be generated at most.
    """

    def __init__(
        self,
        model: LoadedModel,
        watches: Sequence[Watch],
        prompt: Sequence[int],
        *,
        edited: bool,
        most: int,
        work: Work,
    ) -> None:
        self._model = model
        self._watches = tuple(watches)
        self._prompt = tuple(prompt)
        based = edited and any(watch.based for watch in watches)
        self._twin = Twin(model, len(prompt) + most, work) if based else None
        self._values: list[tuple[WatchValue, ...]] = []
        self.taps = taps_of(watches)

    @torch.no_grad()
    def see(self, step: Step, generated: Sequence[int], text: str) -> None:
        """Take a step's values.

        Args:
            generated: the tokens so far, the one that the step chose last.
            text: what they say.
        """
        base = None if self._twin is None else self._twin.logits((*self._prompt, *generated[:-1]))
        moment = moment_of(self._model, step, base, generated[-1], text)
        self._values.append(tuple(evaluate(watch, moment) for watch in self._watches))

    @property
    def series(self) -> tuple[WatchSeries, ...]:
        """The values so far, watch by watch."""
        columns = list(zip(*self._values, strict=True)) if self._values else [()] * len(self._watches)
        return tuple(
            WatchSeries(expression=str(watch), kind=watch.kind, values=values, warnings=watch.warnings)
            for watch, values in zip(self._watches, columns, strict=True)
        )
