"""Estimates of what ablating a unit at all positions would do, for all units at once.

The effect of a small change of a coefficient is its gradient; gradient · (coefficient − what takes its place), added up
over the positions, estimates what the ablation takes away. Three ways to a gradient:

- `gradient`: of the run itself (attribution patching: Nanda 2023; Syed et al. 2023, arXiv 2310.10348). One forward and
  one backward pass.
- `integrated`: the mean over runs whose input lies between the reference and this run's (integrated gradients,
  Sundararajan et al. 2017; on inputs: Hanna et al. 2024, arXiv 2403.17806). `STEPS` times as long.
- `relevance`: of the run itself under the rules of `relevance`. As long as a gradient.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.direct import passed
from lm_debugger.attribution.question import Question
from lm_debugger.attribution.reference import Key, Reference, embedding_site, key, numbers, unit_sites
from lm_debugger.attribution.relevance import Relevance
from lm_debugger.engine.sites import Capture, Pass, Site, Streams, Write
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.records.why import EstimateMethod
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.unit import Group
from lm_debugger.work import Work

WHOLE = slice(None)
STEPS = 5  # runs between the reference and this one
DEFAULT: EstimateMethod = "gradient"


class Estimates(NamedTuple):
    """What ablating parts is estimated to take away from a difference.

    Args:
        units: for each group of units: (units,), on the CPU.
        embedding: of the stream that enters layer 0.
    """

    units: Mapping[Key, Tensor]
    embedding: float

    def of(self, group: Group, index: int) -> float:
        """The estimate of a unit."""
        return float(self.units[key(group)][index])


def estimates(
    run: KeptRun,
    question: Question,
    work: Work,
    method: EstimateMethod = DEFAULT,
    reference: Reference | None = None,
) -> Estimates:
    """Estimate all units of a run.

    Args:
        method: see the file's first lines.
        reference: what takes a unit's place; None for zero.

    Raises:
        UnsupportedModelError: if no gradients can be taken through the model.
    """
    model = run.model
    first = embedding_site(model)
    groups = [group for block in model.blocks for group in block.units if unit_sites(group)]
    taps = list(dict.fromkeys([first, *(site for group in groups for site in unit_sites(group))]))
    passes = [*(_between(run, first, reference) if method == "integrated" else ()), passed(run)]
    slopes: dict[Key, Tensor] = {}
    own: dict[Key, Tensor] = {}
    slope_there = entered = torch.zeros(())
    with torch.no_grad():
        for step, one in enumerate(passes):  # one after the other: each keeps as much as a trace
            work("Estimating what each part causes", step, len(passes))
            capture = _pulled(run, question, one, taps, method, work)
            gradient = _gradients(capture, taps)
            slope_there, entered = slope_there + gradient[first], capture[first].float()
            for group in groups:
                block = model.blocks[group.layer]
                slopes[key(group)] = slopes.get(key(group), 0) + numbers(group, LayerStreams(block, gradient, WHOLE))
                own[key(group)] = numbers(group, LayerStreams(block, capture, WHOLE))
        found: dict[Key, Tensor] = {}
        for group in groups:  # the last of the passes was the run itself
            each, kept = key(group), own[key(group)]
            apart = kept if reference is None else kept - reference.instead(reference.units[each], kept)
            found[each] = of_units(group, (slopes[each] * apart).sum(0) / len(passes)).cpu()
        apart = entered if reference is None else entered - reference.instead(reference.embedding, entered)
        return Estimates(found, float((slope_there * apart).double().sum()) / len(passes))


def _between(run: KeptRun, first: Site, reference: Reference | None) -> list[Pass]:
    """Runs whose input is moved from the reference towards this run's, step by step."""
    plain, hidden = passed(run), run.model.anatomy.hidden_size
    ends = (Write(first, 0, hidden, 0.0),) if reference is None else reference.embedding_writes(first)

    def moved(share: float) -> tuple[Write, ...]:
        return tuple(
            Write(
                end.site, end.first, end.count, share,
                tuple((1 - share) * shift for shift in end.shift) if isinstance(end.shift, tuple) else 0.0,
                False, end.start, end.stop,
            )
            for end in ends
        )  # fmt: skip

    return [Pass(plain.ids, (*plain.writes, *moved(step / STEPS))) for step in range(1, STEPS)]


def _pulled(
    run: KeptRun, question: Question, one: Pass, taps: Sequence[Site], method: EstimateMethod, work: Work
) -> Capture:
    """A pass with the gradients of the question's difference at the taps."""
    model = run.model
    last = model.anatomy.layers[-1].after
    residual = run.last_residual
    if one.writes != passed(run).writes:
        with torch.no_grad():
            residual = model.engine.observe([one], [last], work=work)[0][last]
    cotangent = torch.zeros(1, 1, *residual.shape, dtype=residual.dtype)
    if method == "relevance":
        weights = [(question.target, 1.0), *([] if question.against is None else [(question.against, -1.0)])]
        along = model.backward.from_logits(weights, residual[question.position]).direction
    else:
        along = slope_at(model.readout, residual[question.position], question)
    cotangent[0, 0, question.position] = along
    try:
        with Relevance() if method == "relevance" else nullcontext():
            return model.engine.observe([one], taps, pull={last: cotangent}, work=work)[0]
    except RuntimeError as failure:  # torch raises it where no derivative can be taken
        raise UnsupportedModelError(f"No gradients can be taken ({str(failure).splitlines()[0]}).") from failure


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


def _gradients(capture: Capture, taps: Sequence[Site]) -> Capture:
    """A capture with gradients in the place of activations, and what has none (the experts chosen) as it is."""
    tensors = {}
    for site in taps:
        known = site in capture.streams.gradients
        tensors[site] = capture.gradient(site).float() if known else capture[site][None]
    return Capture(Streams(tensors, {}), 0)


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
    return of_units(group, numbers(group, product).sum(0))


def of_units(group: Group, each: Tensor) -> Tensor:
    """What a group's numbers (numbers,) are for its units together: (units,)."""
    if not isinstance(group, HeadGroup):
        return each
    found: Tensor = each.unflatten(-1, (group.heads.count, group.heads.width)).sum(-1)
    return found
