"""A flow as a graph of parts: which head or feed-forward read what from which, for viewers of attribution graphs.

A flow says, for each residual stream, which parts of it came from where. Followed upwards from the embeddings, that
gives the share that every part has in each later stream: it is multiplied by what goes past each layer. A link's weight
is the source's share of the stream that the target reads; several sources of one head count by what it brought from
them.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from lm_debugger.records.flow import Flow, FlowEdge
from lm_debugger.records.graph import AttributionGraph, GraphLink, GraphMetadata, GraphNode, GraphState
from lm_debugger.records.names import HeadName
from lm_debugger.records.token import Token
from lm_debugger.runs.kept import KeptRun

Shares = dict[str, float]  # of a stream, by node


def graph(run: KeptRun, flow: Flow) -> AttributionGraph:
    """The graph of a run's flow. Links below the flow's threshold, and what they alone lead to, are left out."""
    best = int(run.logits(flow.position).argmax())
    prediction = Token(position=flow.position + 1, id=best, text=run.model.vocabulary.text(best))
    prompt = run.model.vocabulary.written(run.ids)
    builder = _Builder(flow, prediction)
    nodes, links = builder.reached()
    return AttributionGraph(
        metadata=GraphMetadata(
            slug=re.sub(r"[^a-z0-9]+", "-", f"{prompt[-40:]} {prediction.text}".lower()).strip("-") or "prompt",
            scan=run.model.summary.name,
            prompt_tokens=tuple(token.text for token in flow.tokens),
            prompt=prompt,
            generation_settings={
                "method": "information-flow routes (arXiv 2403.00824)",
                "threshold": flow.threshold,
                "position": flow.position,
                "interventions": "; ".join(flow.interventions),
            },
        ),
        qParams=GraphState(pinnedIds=(builder.logit.node_id,)),
        nodes=nodes,
        links=links,
    )


class _Builder:
    """Goes through a flow from the bottom up."""

    def __init__(self, flow: Flow, prediction: Token) -> None:
        self._flow = flow
        self._nodes: dict[str, GraphNode] = {}
        self._links: dict[tuple[str, str], float] = {}
        self._streams = [self._embedding(at, token) for at, token in enumerate(flow.tokens[: flow.position + 1])]
        edges: Mapping[int, list[FlowEdge]] = defaultdict(list)
        for edge in flow.edges:
            edges[edge.layer].append(edge)
        for layer in range(flow.layers):
            self._layer(layer, edges[layer])
        top = self._streams[flow.position]
        self.logit = self._node(
            f"{flow.layers}_{prediction.id}_{flow.position}", prediction.id, str(flow.layers), flow.position,
            "logit", f"{prediction.text!r} is predicted",
        )  # fmt: skip
        self._read(self.logit.node_id, top)
        self._direct = top

    def reached(self) -> tuple[tuple[GraphNode, ...], tuple[GraphLink, ...]]:
        """The nodes from which the prediction can be reached, and their links."""
        links = {ends: weight for ends, weight in self._links.items() if weight >= self._flow.threshold}
        reached, todo = {self.logit.node_id}, [self.logit.node_id]
        while todo:
            target = todo.pop()
            for source, end in links:
                if end == target and source not in reached:
                    reached.add(source)
                    todo.append(source)
        nodes = [
            node.model_copy(update={"influence": None if node is self.logit else self._direct.get(name, 0.0)})
            for name, node in self._nodes.items()
            if name in reached
        ]
        kept = [
            GraphLink(source=source, target=target, weight=weight)
            for (source, target), weight in links.items()
            if target in reached
        ]
        return tuple(nodes), tuple(kept)

    def _layer(self, layer: int, edges: list[FlowEdge]) -> None:
        below = self._streams
        self._streams = list(below)
        for target in {edge.target for edge in edges}:
            mine = [edge for edge in edges if edge.target == target]
            mixed: Shares = defaultdict(float)
            brought: dict[str, dict[int, float]] = defaultdict(dict)  # by head: from each position
            gone: Shares = {}
            after = None
            for edge in mine:
                if edge.kind == "past attention":
                    _add(mixed, below[target], edge.contribution)
                elif edge.kind == "attention":
                    for head in edge.heads:
                        brought[head.head][edge.source] = head.contribution
                elif edge.kind == "mixer":
                    node = self._node(f"{layer}_mixer_{target}", None, str(layer), target, "mixer", f"L{layer} mixer")
                    self._read(node.node_id, below[target])
                    mixed[node.node_id] += edge.contribution
                elif edge.kind == "feed-forward":
                    after = edge.contribution
                else:
                    gone["past"] = edge.contribution
            for name, sources in brought.items():
                self._head(name, layer, target, sources, below, mixed)
            self._streams[target] = self._feed_forward(layer, target, dict(mixed), after, gone.get("past"))

    def _head(
        self, name: str, layer: int, target: int, sources: Mapping[int, float], below: list[Shares], mixed: Shares
    ) -> None:
        number = HeadName.parse(name).head
        node = self._node(f"{layer}_{number}_{target}", number, str(layer), target, "attention head", name)
        whole = sum(sources.values())
        read: Shares = defaultdict(float)
        for source, contribution in sources.items():
            _add(read, below[source], contribution / whole if whole else 0.0)
        self._read(node.node_id, read)
        mixed[node.node_id] += whole

    def _feed_forward(self, layer: int, target: int, before: Shares, added: float | None, past: float | None) -> Shares:
        if added is None and past is None:  # the layer has no feed-forward
            return before
        after: Shares = defaultdict(float)
        _add(after, before, past or 0.0)
        if added is not None:
            node = self._node(
                f"{layer}_ffn_{target}", None, str(layer), target, "feed-forward", f"L{layer} feed-forward"
            )
            self._read(node.node_id, before)
            after[node.node_id] += added
        return dict(after)

    def _embedding(self, at: int, token: Token) -> Shares:
        return {self._node(f"E_{token.id}_{at}", token.id, "E", at, "embedding", f"{token.text!r}").node_id: 1.0}

    def _node(self, name: str, feature: int | None, layer: str, at: int, kind: str, label: str) -> GraphNode:
        node = GraphNode(
            node_id=name, feature=feature, layer=layer, ctx_idx=at, feature_type=kind,
            jsNodeId=name.rsplit("_", 1)[0] + f"-{at}", clerp=label, is_target_logit=kind == "logit",
        )  # fmt: skip
        self._nodes[name] = node
        return node

    def _read(self, target: str, stream: Mapping[str, float]) -> None:
        for source, share in stream.items():
            self._links[source, target] = share


def _add(to: Shares, stream: Mapping[str, float], factor: float) -> None:
    for name, share in stream.items():
        to[name] += share * factor
