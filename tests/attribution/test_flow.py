"""Information-flow routes: every stream's ways add up, and equal a computation from the weights."""

from collections import defaultdict

import pytest
import torch

from lm_debugger.attribution.flow import importances
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from tests.tiny import COMMON, prompt, shared

IDS = prompt()
TINY = 1e-9


def test_importance_is_nearness_as_a_share() -> None:
    """By hand: y = (3, 1); z = (3, 0), (0, 1), (-1, 0) lie 1, 3 and 5 away from it, of a length of 4."""
    found = importances(torch.tensor([3.0, 1.0]), torch.tensor([3.0, 0.0]), torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    assert found.past == pytest.approx(3 / 4)
    assert found.parts.tolist() == pytest.approx([1 / 4, 0])


@pytest.mark.parametrize("model_type", [*COMMON, "afmoe", "doge", "llama4_text"])
def test_what_a_stream_comes_from_adds_up_to_one(model_type: str) -> None:
    found = shared(model_type).flow(IDS, 6, TINY)
    around_attention: dict[tuple[int, int], float] = defaultdict(float)
    around_ffn: dict[tuple[int, int], float] = defaultdict(float)
    for edge in found.edges:
        ways = around_ffn if "feed-forward" in edge.kind else around_attention
        ways[edge.layer, edge.target] += edge.contribution
        assert edge.source <= edge.target <= 6
        if edge.heads:
            assert sum(head.contribution for head in edge.heads) == pytest.approx(edge.contribution, rel=0.05)
    assert (shared(model_type).summary.layers - 1, 6) in around_attention
    for total in (*around_attention.values(), *around_ffn.values()):
        assert total == pytest.approx(1, abs=1e-4)


@torch.no_grad()
def test_attention_edges_equal_a_computation_from_the_weights() -> None:
    debugger = shared("llama")
    network, position, layer = debugger.model.network, 5, 2
    block = network.model.layers[layer]
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        block.register_forward_pre_hook(lambda _, args: seen.update(pre=args[0][0])),
        block.post_attention_layernorm.register_forward_pre_hook(lambda _, args: seen.update(mid=args[0][0])),
        block.self_attn.v_proj.register_forward_hook(lambda _, args, output: seen.update(v=output[0])),
    ]
    network.config._attn_implementation = "eager"
    weights = network(torch.tensor([IDS]), output_attentions=True, use_cache=False).attentions[layer][0]
    for hook in hooks:
        hook.remove()
    groups = weights.shape[0] // (seen["v"].shape[-1] // 8)
    values = seen["v"].view(len(IDS), -1, 8).repeat_interleave(groups, 1)  # (positions, heads, width)
    projection = block.self_attn.o_proj.weight.view(-1, weights.shape[0], 8)  # (hidden, heads, width)
    pieces = torch.einsum("hk,khw,dhw->khd", weights[:, position], values, projection)[: position + 1]
    y = seen["mid"][position]
    nearness = (y.abs().sum() - (y - pieces).abs().sum(-1)).clamp_min(0)
    past = (y.abs().sum() - (y - seen["pre"][position]).abs().sum()).clamp_min(0)
    whole = nearness.sum() + past
    edges = {
        e.source: e for e in debugger.flow(IDS, position, TINY).edges if e.layer == layer and e.kind == "attention"
    }
    for source in range(position + 1):
        expected = nearness[source] / whole
        assert edges[source].contribution == pytest.approx(float(expected.sum()), abs=1e-5)
        for head in edges[source].heads:
            index = int(head.head.split("H")[1])
            assert head.contribution == pytest.approx(float(expected[index]), abs=1e-5)
            assert head.weight == pytest.approx(float(weights[index, position, source]), abs=1e-5)


def test_a_threshold_leaves_out_weak_edges_and_what_only_they_reach(demo: Debugger) -> None:
    few, many = (demo.flow("My wife is working as a", threshold=each) for each in (0.1, 0.03))
    assert {(e.kind, e.layer, e.source, e.target) for e in few.edges} < {
        (e.kind, e.layer, e.source, e.target) for e in many.edges
    }
    assert min(edge.contribution for edge in few.edges) >= 0.1
    # Every edge but the top ones ends where another one begins.
    starts = {(e.layer, e.source) for e in many.edges} | {(demo.summary.layers, many.position)}
    for edge in many.edges:
        assert (edge.layer + 1, edge.target) in starts


def test_edits_change_the_flow() -> None:
    debugger = shared("llama")
    plain = {(e.layer, e.source, e.target, e.kind): e for e in debugger.flow(IDS, 6, TINY).edges}
    cut = debugger.flow(IDS, 6, TINY, ["L1H0=off", "L1H1=off", "L1H2=off", "L1H3=off"])
    assert any(key[0] == 1 and key[3] == "attention" for key in plain)
    assert not any(edge.layer == 1 and edge.kind == "attention" for edge in cut.edges)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(OptionError, match="threshold"):
        shared("llama").flow(IDS, threshold=threshold)
