"""Heads in a trace's read-out against the weights, and edits of heads against edited weights."""

import pytest
import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from tests.tiny import debugger, prompt, shared

SAME = 1e-4
POSITION = 5
OUTPUTS = {
    "llama": "self_attn",
    "gpt2": "attn",
    "falcon": "self_attention",
    "gptj": "attn",  # parallel
    "gpt_neox": "attention",
    "deepseek_v3": "self_attn",
    "qwen3_next": "self_attn",
    "gemma2": "post_attention_layernorm",  # what is added comes out of a norm
    "olmo2": "post_attention_layernorm",
}


def group(found: Debugger, layer: int) -> HeadGroup:
    return next(unit for unit in found.model.blocks[layer].units if isinstance(unit, HeadGroup))


def given(found: Debugger, path: str) -> Tensor:
    """What a module gives in a plain forward: (positions, hidden)."""
    kept: list[Tensor] = []

    def keep(_: object, __: object, output: Tensor | tuple[Tensor, ...]) -> None:
        kept.append(output if isinstance(output, Tensor) else output[0])

    handle = found.model.network.get_submodule(path).register_forward_hook(keep)
    with torch.no_grad():
        found.model.network(torch.tensor([prompt()]), use_cache=False)
    handle.remove()
    return kept[0][0]


@pytest.mark.parametrize("model_type", sorted(OUTPUTS))
def test_heads_and_bias_add_up_to_what_the_attention_module_gives(model_type: str) -> None:
    found = shared(model_type)
    heads = HeadStreams(group(found, 1), found.trace(prompt()).layer(1))
    whole = given(found, f"{found.model.anatomy.layers[1].path}.{OUTPUTS[model_type]}")
    with torch.no_grad():
        torch.testing.assert_close(heads.contributions().sum(1) + heads.bias, whole, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "bert", "deepseek_v3"])
def test_shares_of_heads_and_bias_are_the_whole(model_type: str) -> None:
    found = shared(model_type)
    trace = found.trace(prompt())
    for layer in trace.view(POSITION).layers:
        heads = HeadStreams(group(found, layer.layer), trace.layer(layer.layer, POSITION))
        with torch.no_grad():
            whole, bias = heads.contribution[0].double(), heads.bias[0].double()
        of_bias = float(bias @ whole / (whole @ whole))
        assert sum(head.share for head in layer.heads) + of_bias == pytest.approx(1, abs=SAME)


def test_a_head_without_a_route_is_its_slice_times_its_rows() -> None:
    found = shared("gpt2")
    view = found.trace(prompt()).view(POSITION).layers[1].heads
    attention = found.model.network.transformer.h[1].attn  # type: ignore[union-attr, index]
    kept: list[Tensor] = []
    handle = attention.c_proj.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    with torch.no_grad():
        found.model.network(torch.tensor([prompt()]))
        handle.remove()
        rows = attention.c_proj.weight.unflatten(0, (4, 8))
        written = torch.einsum("hw,hwd->hd", kept[0][0, POSITION].unflatten(0, (4, 8)), rows)
        logits = found.model.readout.project(written)
    assert [head.head for head in view] == [f"L1H{i}" for i in written.norm(dim=-1).argsort(descending=True).tolist()]
    assert [head.norm for head in view] == pytest.approx(written.norm(dim=-1).sort(descending=True).values.tolist())
    strongest = int(view[0].head.removeprefix("L1H"))
    best = logits[strongest].topk(10).indices.tolist()
    assert view[0].promotes == tuple(found.model.vocabulary.text(token) for token in best)


def test_top_k_limits_heads() -> None:
    assert [len(layer.heads) for layer in shared("llama").trace(prompt()).view(top_k=2).layers] == [2, 2, 2]


def test_layers_without_heads_list_none() -> None:
    assert [len(layer.heads) for layer in shared("lfm2").trace(prompt()).view().layers] == [0, 4, 0, 4]


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "deepseek_v3", "qwen3_next", "bert"])
def test_off_equals_zeroed_rows_in_a_trace_and_in_generation(model_type: str) -> None:
    assert_equal_to_scaled_rows(model_type, "L1H2=off", 0.0)


@pytest.mark.parametrize("model_type", ["llama", "gemma2"])
def test_scaled_equals_scaled_rows(model_type: str) -> None:
    assert_equal_to_scaled_rows(model_type, "L1H2*=-3", -3.0)


def assert_equal_to_scaled_rows(model_type: str, edit: str, factor: float) -> None:
    found = debugger(model_type)
    edited = found.trace(prompt(), [edit])
    text = found.generate(prompt(), max_new_tokens=6, interventions=[edit])
    assert edited.baseline is not None
    base = edited.baseline.last_residual.clone()
    heads = group(found, 1)
    with torch.no_grad():
        heads.matrix(2).mul_(factor)
    plain = found.trace(prompt())
    assert not torch.allclose(base, plain.last_residual, rtol=SAME, atol=SAME)
    torch.testing.assert_close(edited.last_residual, plain.last_residual, rtol=SAME, atol=SAME)
    same = found.generate(prompt(), max_new_tokens=6)
    assert [token.id for token in text.tokens] == [token.id for token in same.tokens]
    assert [t.logprob for t in text.tokens] == pytest.approx([t.logprob for t in same.tokens], abs=1e-3)
