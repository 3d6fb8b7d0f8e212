"""Information-flow routes: from a prediction back to the tokens, along what contributed most to each residual stream.

Source: Ferrando and Voita 2024, arXiv 2403.00824 (sections 2 and 3). A stream y is a sum of vectors: the stream that
went by, what each head brought from each position, what the feed-forward added. The importance of a vector z for y is
its nearness, max(0, ‖y‖₁ − ‖y − z‖₁), as a share of the sum over all vectors of y. The graph is gone through from the
top; an edge is kept if its importance (for attention: the sum over its heads) is at least the threshold.

Where a norm follows the sum of stream and attention, or the layer, the sum before the norm is taken.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.attribution.attention import Pattern, brought, head_group, patterns
from lm_debugger.errors import OptionError
from lm_debugger.records.flow import EdgeKind, Flow, FlowEdge, FlowHead
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.work import Work

LEAST_HEAD = 0.01  # of an edge: smaller parts of it are not listed


class Importances(NamedTuple):
    """What a stream came from.

    Args:
        past: the stream that went by.
        parts: the other vectors; the sum of all is 1.
    """

    past: float
    parts: Tensor


def importances(total: Tensor, past: Tensor, parts: Tensor) -> Importances:
    """Importance of the stream that went by (hidden,) and of other vectors (…, hidden) for their sum (hidden,)."""
    vectors = torch.cat([past[None], parts.reshape(-1, past.shape[-1])])
    nearness = (total.abs().sum() - (total - vectors).abs().sum(-1)).clamp_min(0)
    shares = nearness / nearness.sum().clamp_min(1e-30)
    return Importances(float(shares[0]), shares[1:].view(parts.shape[:-1]))


@torch.no_grad()
def flow(run: KeptRun, position: int, threshold: float, work: Work, *, through: bool = False) -> Flow:
    """See `Debugger.flow`.

    Args:
        through: also follow what a feed-forward read where the stream past it does not count.
    """
    run.check_current()
    if not 0 < threshold <= 1:
        raise OptionError(f"threshold is {threshold}.", "It must be above 0 and at most 1, such as 0.04.")
    place, layers = run.position(position), run.model.layers
    work("Reading attention")
    found = patterns(run, range(layers), work)
    edges: list[FlowEdge] = []
    reached = {place}
    for layer in reversed(range(layers)):
        work("Following the flow", layers - 1 - layer, layers)
        mine = _Layer(run, layer, found.get(layer), threshold, through=through)
        reached = {source for target in sorted(reached) for source in mine.back(target)}
        edges += mine.edges
        if not reached:
            break
    readable = {layer for layer, pattern in found.items() if pattern.values is not None}
    unread = [layer for layer in range(layers) if layer not in readable]
    notes = []
    if unread:
        notes.append(f"Where attention took from cannot be read in layers {', '.join(map(str, unread))}.")
    return Flow(
        tokens=run.tokens,
        position=place,
        threshold=threshold,
        layers=layers,
        edges=tuple(edges),
        interventions=tuple(map(str, run.interventions)),
        warnings=tuple(notes),
    )


class _Layer:
    """The edges of one layer that are reached from above."""

    def __init__(self, run: KeptRun, layer: int, pattern: Pattern | None, threshold: float, *, through: bool) -> None:
        self._run = run
        self._layer = layer
        self._pattern = pattern
        self._threshold = threshold
        self._through = through
        self.edges: list[FlowEdge] = []

    def back(self, target: int) -> set[int]:
        """Go back from a position above the layer; gives the positions below it that are reached."""
        streams = self._run.layer(self._layer, target)
        before = streams.before[0]
        if streams.layer.groups:
            through = importances(streams.total[0], before, streams.contribution)
            added = self._add("feed-forward", target, target, float(through.parts[0]))
            went_by = self._add("past feed-forward", target, target, through.past)
            if not went_by and not (added and self._through):
                return set()
        group = head_group(self._run, self._layer)
        if self._pattern is None or self._pattern.values is None or group is None:
            return self._mixer(target, before, streams.pre[0])
        heads = HeadStreams(group, streams)
        pieces = brought(self._run, self._pattern, self._layer, target)
        past = heads.total[0] - heads.added[0]
        shares = importances(heads.total[0], past, pieces)
        reached = {target} if self._add("past attention", target, target, shares.past) else set()
        for source in range(target + 1):
            parts = self._heads(group, shares.parts[source], self._pattern.weights[target, :, source])
            if self._add("attention", source, target, float(shares.parts[source].sum()), parts):
                reached.add(source)
        return reached

    def _mixer(self, target: int, before: Tensor, entered: Tensor) -> set[int]:
        shares = importances(before, entered, (before - entered)[None])
        self._add("mixer", target, target, float(shares.parts[0]))
        return {target} if self._add("past attention", target, target, shares.past) else set()

    def _heads(self, group: HeadGroup, shares: Tensor, weights: Tensor) -> tuple[FlowHead, ...]:
        least = LEAST_HEAD * float(shares.sum())
        order = shares.argsort(descending=True).tolist()
        return tuple(
            FlowHead(head=str(group.name(head)), contribution=float(shares[head]), weight=float(weights[head]))
            for head in order
            if shares[head] > least
        )

    def _add(
        self, kind: EdgeKind, source: int, target: int, contribution: float, heads: tuple[FlowHead, ...] = ()
    ) -> bool:
        """Keep an edge if it counts."""
        if contribution < self._threshold:
            return False
        edge = FlowEdge(
            kind=kind, layer=self._layer, source=source, target=target, contribution=contribution, heads=heads
        )
        self.edges.append(edge)
        return True
