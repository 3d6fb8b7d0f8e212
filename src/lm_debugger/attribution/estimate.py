"""Estimates of what switching a unit off at all positions would do, for all units at once.

The effect of a small change of a coefficient is its gradient; gradient · coefficient, added up over the positions,
estimates what setting it to zero takes away (attribution patching: Nanda 2023; Syed et al. 2023, arXiv 2310.10348, with
zero as the other run). One forward and one backward pass.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.direct import passed
from lm_debugger.attribution.question import Question
from lm_debugger.engine.sites import Capture, Side, Site, Streams
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import Group, ValueGroup
from lm_debugger.work import Work


class Estimates(NamedTuple):
    """What switching parts off is estimated to take away from a difference.

    Args:
        units: for each group of units, by its layer and path and kind: (units,), on the CPU.
        embedding: of the stream that enters layer 0.
    """

    units: Mapping[tuple[int, str, str], Tensor]
    embedding: float

    def of(self, group: Group, index: int) -> float:
        """The estimate of a unit."""
        return float(self.units[key(group)][index])


def key(group: Group) -> tuple[int, str, str]:
    """Tells a group of units from all others of the model."""
    return group.layer, group.path, group.extent.letters


def embedding_site(run: KeptRun) -> Site:
    """The stream that enters layer 0."""
    return Site(path=run.model.anatomy.layers[0].path, side=Side.INPUT)


def estimates(run: KeptRun, question: Question, work: Work) -> Estimates:
    """Estimate all units of a run.

    Raises:
        UnsupportedModelError: if no gradients can be taken through the model.
    """
    model = run.model
    first = embedding_site(run)
    groups = [group for block in model.blocks for group in block.units]
    taps = list(dict.fromkeys([first, *(site for group in groups for site in unit_sites(group))]))
    last = model.anatomy.layers[-1].after
    cotangent = torch.zeros(1, 1, *run.last_residual.shape, dtype=run.last_residual.dtype)
    cotangent[0, 0, question.position] = slope(run, question)
    try:
        capture = model.engine.observe([passed(run)], taps, pull={last: cotangent}, work=work)[0]
    except RuntimeError as failure:  # torch raises it where no derivative can be taken
        raise UnsupportedModelError(f"No gradients can be taken ({str(failure).splitlines()[0]}).") from failure
    product = times_gradient(capture, taps)
    found: dict[tuple[int, str, str], Tensor] = {}
    with torch.no_grad():
        for block in model.blocks:
            streams = LayerStreams(block, product, slice(None))
            found |= {key(group): summed(group, streams).cpu() for group in block.units if unit_sites(group)}
        return Estimates(found, float(product[first].double().sum()))


def slope(run: KeptRun, question: Question) -> Tensor:
    """The gradient of the difference at the last residual stream of its position: (hidden,)."""
    return slope_at(run.model.readout, run.last_residual[question.position], question)


def slope_at(readout: LogitLens, residual: Tensor, question: Question) -> Tensor:
    """The same at any last residual stream (hidden,)."""
    with torch.enable_grad():
        leaf = residual.detach().clone().requires_grad_()
        difference = question.difference(readout.uncapped(leaf[None])[0])
        (gradient,) = torch.autograd.grad(difference, leaf)
    return gradient


def unit_sites(group: Group) -> tuple[Site, ...]:
    """What has to be captured for the slopes of a group's units; nothing where they have none."""
    if isinstance(group, ValueGroup):
        return group.coefficient_sites
    return (group.slices_site,) if isinstance(group, HeadGroup) else ()


def times_gradient(capture: Capture, taps: list[Site]) -> Capture:
    """A capture of activation · gradient, with what has no gradient (the experts chosen) as it is."""
    tensors = {}
    for site in taps:
        value = capture[site][None]
        known = site in capture.streams.gradients
        tensors[site] = value.float() * capture.gradient(site).float() if known else value
    return Capture(Streams(tensors, {}), 0)


def summed(group: Group, product: LayerStreams) -> Tensor:
    """The products of a group's units, added up over the positions: (units,)."""
    if isinstance(group, ValueGroup):
        return group.coefficients(product).sum(0)
    assert isinstance(group, HeadGroup)
    slices = product.at(group.slices_site).sum(0).unflatten(-1, (group.heads.count, group.heads.width))
    found: Tensor = slices.sum(-1)
    return found
