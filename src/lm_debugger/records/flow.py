"""How information flows to a prediction: a graph over tokens and layers."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.token import Token

EdgeKind = Literal["attention", "past attention", "feed-forward", "past feed-forward", "mixer"]


class FlowHead(Record):
    """One head's part of an attention edge.

    Args:
        head: its name.
        contribution: its part of the edge's.
        weight: its attention weight there.
    """

    head: str
    contribution: float
    weight: float
    name: str | None = None


class FlowEdge(Record):
    """One way that part of a token's residual stream came.

    Args:
        kind: `attention`: from `source` to `target` in this layer; `past attention`, `past feed-forward`: the stream
            that went by; `feed-forward`: what that added; `mixer`: what a token mixer added whose way from other
            positions cannot be read.
        layer: the layer.
        source, target: positions; equal but for attention.
        contribution: the part of the stream where the edge ends that came this way, 0 to 1; all ways there add up to 1.
        heads: for attention, its heads, the largest contribution first.
    """

    kind: EdgeKind
    layer: int
    source: int
    target: int
    contribution: float
    heads: tuple[FlowHead, ...] = ()


class Flow(Record):
    """The edges that matter for a position's prediction.

    Args:
        position: whose prediction it is, from 0.
        threshold: edges with a smaller contribution are left out, and what is only reached through them.
        layers: number of layers.
        edges: from the last layer down; within a layer by position.
    """

    tokens: tuple[Token, ...]
    position: int
    threshold: float
    layers: int
    edges: tuple[FlowEdge, ...]
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
