"""Traces equal plain transformers, layer by layer, and read-outs equal an independent computation from the weights."""

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.records.names import ValueName
from tests.tiny import COMMON, prompt, shared

# One forward computed the same way twice: only the order of additions may differ.
SAME = 1e-5


def plain(debugger: Debugger, ids: list[int]) -> tuple[list[torch.Tensor], torch.Tensor]:
    with torch.no_grad():
        output = debugger.model.network(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    return [state[0] for state in output.hidden_states], output.logits[0]


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "olmo2", "mixtral", "phi", "opt", "granite"])
def test_every_layer_equals_transformers_hidden_states(model_type: str) -> None:
    debugger = shared(model_type)
    states, _ = plain(debugger, prompt())
    trace = debugger.trace(prompt())
    # transformers' last hidden state is after the final norm, so it is compared through the logits below.
    for index in range(debugger.summary.layers - 1):
        torch.testing.assert_close(trace.layer(index).after, states[index + 1], rtol=SAME, atol=SAME)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "olmo2", "mixtral"])
def test_direct_effect_is_the_part_of_the_logit_that_the_sub_update_makes(model_type: str) -> None:
    """The final norm held at its scale, the logit is linear: taking the sub-update out lowers it by the effect."""
    debugger = shared(model_type)
    trace = debugger.trace(prompt())
    token = trace.view(4).output[0].id
    value = trace.view(4, effect_on=token).layers[1].values[0]
    assert value.effect is not None
    name = ValueName.parse(value.value)
    bound, _ = debugger.model.values(name)
    arriving = debugger.model.vector(name) * trace.layer(1, 4).scale(bound).reshape(-1)[0] * value.coefficient
    network = debugger.model.network
    norm = network.get_submodule(debugger.model.anatomy.readout.modules[0])
    residual = trace.last_residual[4]

    def frozen(stream: torch.Tensor) -> float:
        """The token's logit with the norm's scale of the whole residual."""
        centre = residual - residual.mean() if model_type == "gpt2" else residual
        moved = stream - stream.mean() if model_type == "gpt2" else stream
        rms = (centre.pow(2).mean() + 1e-6).sqrt()
        return float(network.get_output_embeddings().weight[token] @ (moved / rms * norm.weight))

    with torch.no_grad():
        assert value.effect == pytest.approx(frozen(residual) - frozen(residual - arriving), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("model_type", ["llama", "gptj", "olmo2"])
def test_attention_and_feed_forward_contributions_are_what_the_modules_give(model_type: str) -> None:
    debugger = shared(model_type)
    name = {"llama": "self_attn", "gptj": "attn", "olmo2": "post_attention_layernorm"}[model_type]
    module = debugger.model.network.get_submodule(f"{debugger.model.anatomy.layers[1].path}.{name}")
    given: list[torch.Tensor] = []
    handle = module.register_forward_hook(lambda *call: given.append(call[-1][0]))
    plain(debugger, prompt())
    handle.remove()
    streams = debugger.trace(prompt()).layer(1)
    torch.testing.assert_close(streams.attention, given[0].reshape(streams.attention.shape), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        streams.pre + streams.attention + streams.contribution, streams.after, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("model_type", COMMON)
def test_output_equals_transformers_at_every_position(model_type: str) -> None:
    debugger = shared(model_type)
    with torch.no_grad():
        logits = debugger.model.network(torch.tensor([prompt()])).logits[0]
    trace = debugger.trace(prompt())
    for position in (0, 4, 8):
        torch.testing.assert_close(trace.logits(position), logits[position].float(), rtol=1e-4, atol=1e-4)
        best = trace.view(position, top_k=1).output[0]
        assert best.id == int(logits[position].argmax())
        assert best.probability == pytest.approx(float(logits[position].softmax(-1).max()), rel=1e-4)


def test_lens_equals_norm_and_unembedding_applied_by_hand() -> None:
    debugger = shared("llama")
    network, ids = debugger.model.network, prompt()
    before: list[torch.Tensor] = []
    handle = network.model.layers[1].post_attention_layernorm.register_forward_pre_hook(
        lambda _, args: before.append(args[0])
    )
    states, _ = plain(debugger, ids)
    handle.remove()
    view = debugger.trace(ids).view(5, top_k=96)
    with torch.no_grad():
        for stream, shown in ((before[0][0], view.layers[1].before), (states[2], view.layers[1].after)):
            logits = network.lm_head(network.model.norm(stream[5]))
            for token in shown:
                assert token.logit == pytest.approx(float(logits[token.id]), abs=1e-4)
                assert token.probability == pytest.approx(float(logits.softmax(-1)[token.id]), abs=1e-5)
            assert [token.logit for token in shown] == sorted((token.logit for token in shown), reverse=True)


def test_sub_updates_equal_a_computation_from_the_weights() -> None:
    debugger = shared("llama")
    network, ids = debugger.model.network, prompt()
    entered: list[torch.Tensor] = []
    mlp = network.model.layers[2].mlp
    handle = mlp.register_forward_pre_hook(lambda _, args: entered.append(args[0]))
    plain(debugger, ids)
    handle.remove()
    with torch.no_grad():
        x = entered[0][0, 6]
        m = mlp.act_fn(mlp.gate_proj(x)) * mlp.up_proj(x)
        output = mlp.down_proj(x.new_zeros(48) + m)
        norms = mlp.down_proj.weight.norm(dim=0)
    best = (m.abs() * norms).topk(10).indices.tolist()
    shown = debugger.trace(ids).view(6).layers[2].values
    assert [value.value for value in shown] == [f"L2D{i}" for i in best]
    for value, i in zip(shown, best, strict=True):
        vector = mlp.down_proj.weight[:, i]
        assert value.coefficient == pytest.approx(float(m[i]), abs=1e-5)
        assert value.norm == pytest.approx(float(norms[i]), rel=1e-5)
        assert value.score == pytest.approx(float(m[i].abs() * norms[i]), rel=1e-4)
        assert value.share == pytest.approx(float(m[i] * vector @ output / (output @ output)), abs=1e-4)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma3_text", "olmo2", "mixtral", "qwen2_moe"])
def test_shares_of_all_sub_updates_and_the_bias_add_up(model_type: str) -> None:
    """Effective vectors through post-norms and gates included: the parts are the whole."""
    debugger = shared(model_type)
    trace = debugger.trace(prompt())
    layer = debugger.summary.layers - 1
    streams = trace.layer(layer, 4)
    total = sum(value.share for value in trace.view(4, top_k=500).layers[layer].values)
    contribution = streams.contribution[0]
    bias = torch.zeros_like(contribution)
    for bound in streams.layer.groups:
        if bound.extent.letters == "D":
            bias += (bound.static(bound.linear.bias[None]) * streams.scale(bound))[0]
    share_of_bias = float(bias @ contribution / (contribution @ contribution))
    assert total + share_of_bias == pytest.approx(1.0, abs=1e-3)


def test_norm_after_the_feed_forward_scales_what_is_shown() -> None:
    """Coefficient · norm is the length that really arrives in the residual stream."""
    debugger = shared("olmo2")
    trace = debugger.trace(prompt())
    value = trace.view(3).layers[0].values[0]
    base = trace.layer(0, 3)
    (bound,) = base.layer.groups
    dimension = int(value.value.split("D")[1])
    arriving = bound.static(bound.linear.matrix[dimension]) * base.scale(bound)[0] * value.coefficient
    assert float(arriving.norm()) == pytest.approx(value.score, rel=1e-4)


@pytest.mark.parametrize("model_type", ["llama", "mixtral", "gpt2"])
def test_a_batch_equals_single_runs(model_type: str) -> None:
    debugger = shared(model_type)
    prompts = [prompt(9, 1), prompt(5, 2), prompt(9, 3)]
    for ids, trace in zip(prompts, debugger.trace_batch(prompts), strict=True):
        with torch.no_grad():
            logits = debugger.model.network(torch.tensor([ids])).logits[0, -1]
        torch.testing.assert_close(trace.logits(), logits, rtol=1e-4, atol=1e-4)


def test_reading_out_runs_no_forward() -> None:
    debugger = shared("llama")
    runs: list[int] = []
    handle = debugger.model.network.register_forward_hook(lambda *_: runs.append(1))
    trace = debugger.trace(prompt())
    assert runs == [1]
    trace.view(2)
    trace.view(7, top_k=3)
    debugger.trace(prompt()).view(1)
    handle.remove()
    assert runs == [1]
