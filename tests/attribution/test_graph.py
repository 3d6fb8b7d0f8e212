"""Attribution graphs: what a file for graph viewers must have, and shares that add up."""

import json
from collections import defaultdict

import jsonschema_rs
import pytest

from tests.tiny import COMMON, prompt, shared

IDS = prompt()
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}

# What Neuronpedia's schema of attribution graphs (1.0.0) requires, in our words.
SCHEMA = {
    "type": "object",
    "required": ["metadata", "qParams", "nodes", "links"],
    "properties": {
        "metadata": {
            "type": "object",
            "required": ["slug", "scan", "prompt_tokens", "prompt"],
            "properties": {
                "slug": TEXT, "scan": TEXT, "prompt": TEXT, "prompt_tokens": {"type": "array", "items": TEXT},
                "generation_settings": {"type": "object"},
            },
        },
        "qParams": {
            "type": "object",
            "properties": {"pinnedIds": {"type": "array", "items": TEXT}, "linkType": TEXT},
        },
        "nodes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["node_id", "feature", "layer", "ctx_idx", "feature_type", "jsNodeId", "clerp"],
                "properties": {
                    "node_id": TEXT, "feature": {"type": ["integer", "null"]}, "layer": {"type": ["string", "integer"]},
                    "ctx_idx": WHOLE, "feature_type": TEXT, "jsNodeId": TEXT, "clerp": TEXT,
                    "influence": {"type": ["number", "null"]},
                },
            },
        },
        "links": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["source", "target", "weight"],
                "properties": {"source": TEXT, "target": TEXT, "weight": {"type": "number"}},
            },
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("model_type", COMMON)
def test_shares_add_up_and_the_file_is_what_viewers_read(model_type: str) -> None:
    """With next to nothing left out, what is read comes from somewhere: the shares of every part add up to nearly 1."""
    found = shared(model_type).attribution_graph(IDS, 6, 1e-9)
    written = json.loads(found.model_dump_json())
    jsonschema_rs.validate(SCHEMA, written)
    nodes = {node.node_id: node for node in found.nodes}
    assert len(nodes) == len(found.nodes)
    (logit,) = [node for node in found.nodes if node.feature_type == "logit"]
    shares: dict[str, float] = defaultdict(float)
    for link in found.links:
        assert nodes[link.source].ctx_idx <= nodes[link.target].ctx_idx
        shares[link.target] += link.weight
    read = [name for name, node in nodes.items() if node.feature_type != "embedding"]
    assert {name: shares[name] for name in read} == pytest.approx(dict.fromkeys(read, 1), abs=0.1)
    direct = sum(node.influence for node in found.nodes if node.influence is not None)
    assert direct == pytest.approx(shares[logit.node_id], abs=1e-6)
    assert logit.influence is None


def test_a_threshold_leaves_links_out_and_nothing_hangs_in_the_air() -> None:
    debugger = shared("llama")
    few, many = (debugger.attribution_graph(IDS, 6, threshold) for threshold in (0.2, 0.01))
    assert 0 < len(few.links) < len(many.links)
    assert all(link.weight >= 0.2 for link in few.links)
    ends = {end for link in few.links for end in (link.source, link.target)}
    (logit,) = [node.node_id for node in few.nodes if node.feature_type == "logit"]
    assert {node.node_id for node in few.nodes} == ends | {logit}


def test_the_prediction_is_the_models_own() -> None:
    debugger = shared("gpt2")
    found = debugger.attribution_graph(IDS)
    best = debugger.trace(IDS).view().output[0].id
    assert [node.feature for node in found.nodes if node.is_target_logit] == [best]
