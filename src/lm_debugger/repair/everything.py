"""All units of a model that an edit can change by degrees, in one numbering, and the slopes of a prediction in them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.estimate import summed, times_gradient
from lm_debugger.attribution.reference import unit_sites
from lm_debugger.calibration.measure import Calibration
from lm_debugger.engine.sites import Capture, Pass, Site, Streams
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.edit import Operation
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.unit import Group, ValueGroup
from lm_debugger.work import Work

TOKENS = 256  # whose gradients are held at once


class Slopes(NamedTuple):
    """What some functions of the logits change by, to first order, for each unit.

    Args:
        add: where 1 is added to its coefficient at all positions, (functions, units); 0 for heads.
        scale: where its coefficient, or what a head writes, is doubled at all positions, (functions, units).
    """

    add: Tensor
    scale: Tensor


class Everything:
    """The units of a model.

    Args:
        model: the model.
        ranges: of the coefficients.

    Attributes:
        groups: of units, in the order of the layers.
        units: how many units there are.
        low, high: what `on-` and `on` mean, (units,); 0 for heads.
        vectors: whether a unit has a coefficient, (units,).
    """

    def __init__(self, model: LoadedModel, ranges: Calibration) -> None:
        self.model = model
        self.groups: list[Group] = [
            group for block in model.blocks for group in block.units
            if unit_sites(group) and Operation.SCALE in group.operations
        ]  # fmt: skip
        sizes = [group.extent.units for group in self.groups]
        self._starts = [0, *accumulate(sizes)]
        self.units = self._starts[-1]
        self.low, self.high = torch.zeros(self.units), torch.zeros(self.units)
        self.vectors = torch.zeros(self.units, dtype=torch.bool)
        for group, start in zip(self.groups, self._starts, strict=False):
            if isinstance(group, ValueGroup):
                place, inside = slice(start, start + group.extent.units), _inside(group)
                low, high = ranges.bounds(group.layer, group.extent.letters)
                self.low[place], self.high[place] = low[inside].nan_to_num(), high[inside].nan_to_num()
                self.vectors[place] = True

    def place(self, number: int) -> tuple[Group, int]:
        """The group that holds a unit, and its number there."""
        index = next(i for i, start in enumerate(self._starts[1:]) if number < start)
        return self.groups[index], number - self._starts[index]

    def rows(self, group: int) -> slice:
        """The numbers of the units of a group, by its place in `groups`."""
        return slice(self._starts[group], self._starts[group + 1])

    @torch.no_grad()
    def coefficients(self, run: KeptRun, position: int) -> Tensor:
        """The coefficients of a run at a position (units,); 0 for heads."""
        found = torch.zeros(self.units)
        for number, group in enumerate(self.groups):
            if isinstance(group, ValueGroup):
                found[self.rows(number)] = group.coefficients(run.layer(group.layer, position))[0].cpu()
        return found

    def slopes(self, passes: Sequence[Pass], pulls: Tensor, work: Work) -> Slopes:
        """The slopes of functions of the last residual stream.

        Args:
            passes: of one length, one a function.
            pulls: the functions' gradients at the last residual stream (passes, positions, hidden).
            work: may stop it.

        Raises:
            UnsupportedModelError: if no gradients can be taken through the model.
        """
        taps = list(dict.fromkeys(site for group in self.groups for site in unit_sites(group)))
        rows = max(1, TOKENS // len(passes[0].ids)) if self.model.anatomy.batch_first else 1
        parts = [
            self._slopes(passes[start : start + rows], pulls[start : start + rows], taps, work)
            for start in range(0, len(passes), rows)
        ]
        return Slopes(torch.cat([part.add for part in parts]), torch.cat([part.scale for part in parts]))

    def _slopes(self, passes: Sequence[Pass], pulls: Tensor, taps: list[Site], work: Work) -> Slopes:
        model = self.model
        last = model.anatomy.layers[-1].after
        try:
            captures = model.engine.observe(passes, taps, pull={last: pulls[None]}, work=work)
        except RuntimeError as failure:  # torch raises it where no derivative can be taken
            raise UnsupportedModelError(f"No gradients can be taken ({str(failure).splitlines()[0]}).") from failure
        add, scale = torch.zeros(len(passes), self.units), torch.zeros(len(passes), self.units)
        with torch.no_grad():
            for row, capture in enumerate(captures):
                for found, kind in ((add, _gradients(capture, taps)), (scale, times_gradient(capture, taps))):
                    for number, group in enumerate(self.groups):
                        streams = LayerStreams(model.blocks[group.layer], kind, slice(None))
                        found[row, self.rows(number)] = summed(group, streams).cpu()
        add[:, ~self.vectors] = 0
        return Slopes(add.nan_to_num(), scale.nan_to_num())


def _inside(group: Group) -> slice:
    return slice(group.first, group.first + group.extent.units)


def _gradients(capture: Capture, taps: Sequence[Site]) -> Capture:
    """A capture of gradients, with what has none (the experts chosen) as it is."""
    known = capture.streams.gradients
    tensors = {s: capture.gradient(s).float() if s in known else capture[s][None] for s in taps}
    return Capture(Streams(tensors, {}), 0)


def pulled(readout: LogitLens, residuals: Tensor, weights: Tensor) -> Tensor:
    """The gradients of weighted sums of logits at last residual streams.

    Args:
        readout: of the model.
        residuals: (rows, hidden).
        weights: (rows, vocabulary).
    """
    with torch.enable_grad():
        leaf = residuals.detach().clone().requires_grad_()
        logits = readout.uncapped(leaf)
        if readout.soft_cap:
            logits = readout.soft_cap * torch.tanh(logits / readout.soft_cap)
        (gradient,) = torch.autograd.grad((logits * weights.to(logits)).sum(), leaf)
    return gradient


def spread(logits: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Weights w (rows, vocabulary) so that Σ (w·δ)² is about the variance of a change δ of the logits (vocabulary,).

    That is twice the Kullback-Leibler divergence that a small change makes (Fisher information). The most probable
    tokens are taken as they are, one sample stands for all others.
    """
    probabilities = logits.double().softmax(-1).cpu()
    top = probabilities.topk(min(samples, len(probabilities))).indices
    rest = probabilities.clone()
    rest[top] = 0
    chosen = [(int(token), float(probabilities[token])) for token in top]
    if float(rest.sum()) > 0:
        chosen.append((int(torch.multinomial(rest, 1, generator=generator)), float(rest.sum())))
    found = torch.stack([-probabilities * weight**0.5 for _, weight in chosen])
    for row, (token, weight) in enumerate(chosen):
        found[row, token] += weight**0.5
    return found.float()
