"""Attribution graphs in the public schema that Neuronpedia and circuit-tracer read; field names are that schema's.

Source: Neuronpedia's "Anthropic Attribution Graph" JSON schema, version 1.0.0 (draft 07).
"""

from lm_debugger.records.base import Record


class GraphMetadata(Record):
    """What the graph is of.

    Args:
        slug: a name for it, of letters, digits and hyphens.
        scan: the model.
        prompt_tokens: the tokens' texts.
        prompt: the text.
        generation_settings: how it was made.
    """

    slug: str
    scan: str
    prompt_tokens: tuple[str, ...]
    prompt: str
    generation_settings: dict[str, str | float]


class GraphNode(Record):
    """One node.

    Args:
        node_id: unique.
        feature: which of its layer: a head's number, a token's id; None for a whole feed-forward or mixer.
        layer: `E` for embeddings, the layer's number, and the number of layers for logits.
        ctx_idx: the position.
        feature_type: `embedding`, `attention head`, `feed-forward`, `mixer` or `logit`.
        jsNodeId: `node_id` as viewers address it.
        clerp: its label.
        influence: the part of the prediction's stream that came from it directly, 0 to 1; None for the logit.
    """

    node_id: str
    feature: int | None
    layer: str
    ctx_idx: int
    feature_type: str
    jsNodeId: str  # noqa: N815 (the schema's name)
    clerp: str
    influence: float | None = None
    is_target_logit: bool = False


class GraphLink(Record):
    """How much of what `target` reads came from `source`: 0 to 1."""

    source: str
    target: str
    weight: float


class GraphState(Record):
    """What a viewer shows at first."""

    pinnedIds: tuple[str, ...] = ()  # noqa: N815 (the schema's name)
    supernodes: tuple[tuple[str, ...], ...] = ()
    linkType: str = "both"  # noqa: N815 (the schema's name)


class AttributionGraph(Record):
    """A graph of parts of the model at positions; its JSON validates against the schema."""

    metadata: GraphMetadata
    qParams: GraphState  # noqa: N815 (the schema's name)
    nodes: tuple[GraphNode, ...]
    links: tuple[GraphLink, ...]
