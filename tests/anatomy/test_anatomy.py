"""What is found is what the architecture's code says: formulas, groups, read-out; and wrong models are refused."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

import lm_debugger
from lm_debugger.anatomy.discovery.discover import discover
from lm_debugger.anatomy.parts import Anatomy, Form
from lm_debugger.engine import local
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.proof.report import examine_network
from lm_debugger.proof.verify import verify
from tests import zoo
from tests.tiny import tokenizer


def anatomy(model_type: str) -> Anatomy:
    return discover(zoo.make(model_type))


def test_sequential_block() -> None:
    found = anatomy("llama")
    assert {layer.formula for layer in found.layers} == {"resid_pre + self_attn + mlp.down_proj"}
    assert found.layers[1].before[0].site.path == "model.layers.1.post_attention_layernorm"
    assert found.readout.modules == ("model.norm", "lm_head")


def test_parallel_block_adds_up_the_stream_before() -> None:
    layer = anatomy("gptj").layers[0]
    assert [term.site.path for term in layer.before] == ["transformer.h.0", "transformer.h.0.attn"]


def test_norm_after_the_feed_forward_is_part_of_the_route() -> None:
    (group,) = anatomy("gemma3_text").layers[0].groups
    assert [(step.form, step.path) for step in group.route] == [
        (Form.NORM, "model.layers.0.post_feedforward_layernorm")
    ]


def test_post_layer_norm() -> None:
    layer = anatomy("openai-gpt").layers[0]
    assert layer.after_norm == "transformer.h.0.ln_2"
    assert layer.total.path == "transformer.h.0.ln_2"


def test_scaled_residual_and_scaled_logits() -> None:
    network = zoo.make("granite", residual_multiplier=0.25, logits_scaling=4.0)
    found = discover(network)
    (step,) = found.layers[0].groups[0].route
    assert step.factor == pytest.approx((0.25,))
    assert found.readout.logit_scale == pytest.approx(0.25)


def test_soft_cap() -> None:
    found = discover(zoo.make("gemma2", final_logit_softcapping=12.5))
    assert found.readout.soft_cap == pytest.approx(12.5, rel=1e-3)


def test_shared_expert_is_gated_by_token_and_numbered_apart_from_experts() -> None:
    found = anatomy("qwen2_moe")
    layer = found.layers[-1]
    assert layer.routed is not None
    (dense,) = layer.dense
    assert [step.form for step in dense.route] == [Form.TOKEN]
    assert found.experts(len(found.layers) - 1) == (layer.routed.experts, layer.routed.width)
    assert found.dense_width(len(found.layers) - 1) == dense.width


def test_bfloat16_is_proved_at_its_own_tolerance() -> None:
    report, found = examine_network(zoo.make("llama").to(torch.bfloat16), name="llama", fingerprint="")
    assert report.failures == ()
    assert found is not None
    assert found.layers[0].formula == "resid_pre + self_attn + mlp.down_proj"


class Crooked(nn.Module):
    """A feed-forward whose output does not reach the stream linearly."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> Any:
        return torch.sin(self.inner(x))


def test_a_bent_feed_forward_is_refused_naming_the_projection() -> None:
    network = zoo.make("llama")
    for layer in network.model.layers:
        layer.mlp = Crooked(layer.mlp)
    with pytest.raises(UnsupportedModelError, match=r"mlp\.inner\.down_proj"):
        lm_debugger.load(network, tokenizer(96))


def test_layers_that_share_a_feed_forward_are_refused() -> None:
    network = zoo.make("llama")
    network.model.layers[2].mlp = network.model.layers[0].mlp
    with pytest.raises(UnsupportedModelError, match="Layers 0 and 2 share"):
        lm_debugger.load(network, tokenizer(96))


@pytest.mark.parametrize(("invariant", "change"), [("I1", "before"), ("I2", "bias"), ("I3", "scale")])
def test_verification_catches_a_wrong_anatomy(invariant: str, change: str) -> None:
    """The proof does not trust discovery: each invariant fails when what it proves is wrong."""
    network = zoo.make("gpt2")
    found = discover(network)
    if change == "before":
        wrong = found.layers[1].model_copy(update={"before": found.layers[0].before})
        found = found.model_copy(update={"layers": (found.layers[0], wrong, *found.layers[2:])})
    if change == "scale":
        found = found.model_copy(update={"readout": found.readout.model_copy(update={"logit_scale": 2.0})})
    if change == "bias":
        projection = network.transformer.h[1].mlp.c_proj
        network.transformer.h[1].mlp.c_proj = Doubled(projection)
        found = _with_group(found, 1, "transformer.h.1.mlp.c_proj.inner.twice")
    failed = {check.invariant for check in verify(network, found).checks if not check.passed}
    assert invariant in failed


def test_verification_catches_edits_that_do_not_land(monkeypatch: pytest.MonkeyPatch) -> None:
    """As happens to hooks that are added after a model was compiled."""
    monkeypatch.setattr(local, "rounds", lambda _: {})
    network = zoo.make("gpt2")
    proof = verify(network, discover(network))
    assert [check.invariant for check in proof.checks if not check.passed] == ["I4", "I4", "I5", "I5"]
    assert set(proof.unproved) == {0, 1, 2}


class Doubled(nn.Module):
    """Computes what the inner projection does, through a module that is no linear map."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = copy.deepcopy(inner)
        self.inner.twice = _Bent(inner)

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner.twice(x)


class _Bent(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.weight = inner.weight
        self.bias = inner.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) @ self.weight + self.bias


def _with_group(found: Anatomy, index: int, path: str) -> Anatomy:
    layer = found.layers[index]
    group = layer.groups[0].model_copy(update={"path": path})
    changed = layer.model_copy(update={"groups": (group,)})
    return found.model_copy(update={"layers": (*found.layers[:index], changed, *found.layers[index + 1 :])})


def test_weights_that_are_not_finite_are_reported() -> None:
    network = zoo.make("llama")
    network.model.layers[1].mlp.down_proj.weight.data[0, 0] = float("nan")
    report, found = examine_network(network, name="llama", fingerprint="")
    assert not report.supported
    assert found is None


def test_examination_leaves_no_hooks_and_no_change() -> None:
    network = zoo.make("mixtral")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    implementation = network.config._experts_implementation
    examine_network(network, name="mixtral", fingerprint="")
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert network.config._experts_implementation == implementation
