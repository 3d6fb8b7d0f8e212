"""What a vector promotes and suppresses equals its projection through norm weight and unembedding, by hand."""

import pytest
import torch

from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.records.names import ValueName
from tests.tiny import shared


def by_hand(model_type: str) -> torch.Tensor:
    """The projection of a middle layer's vector 5, from the weights alone."""
    network = shared(model_type).model.network
    if model_type == "llama":
        vector, norm, head = (
            network.model.layers[1].mlp.down_proj.weight[:, 5],
            network.model.norm.weight,
            network.lm_head,
        )
        return head.weight @ (vector * norm)
    if model_type == "gpt2":
        vector, norm = network.transformer.h[1].mlp.c_proj.weight[5], network.transformer.ln_f.weight
        return network.lm_head.weight @ ((vector - vector.mean()) * norm)
    if model_type == "gemma2":
        layer = network.model.layers[1]
        vector = layer.mlp.down_proj.weight[:, 5] * (1 + layer.post_feedforward_layernorm.weight)
        return network.lm_head.weight @ (vector * (1 + network.model.norm.weight))
    vector = network.model.layers[1].mlp.experts.down_proj[2][:, 5]
    return network.lm_head.weight @ (vector * network.model.norm.weight)


@pytest.mark.parametrize(
    ("model_type", "name"), [("llama", "L1D5"), ("gpt2", "L1D5"), ("gemma2", "L1D5"), ("mixtral", "L1E2D5")]
)
def test_projection_equals_the_weights(model_type: str, name: str) -> None:
    expected = by_hand(model_type).detach()
    view = shared(model_type).value(name, top_k=10)
    for shown, largest in ((view.promotes, True), (view.suppresses, False)):
        best = expected.topk(10, largest=largest)
        torch.testing.assert_close(torch.tensor([t.logit for t in shown]), best.values, rtol=1e-3, atol=1e-3)
        assert [t.id for t in shown] == best.indices.tolist()


def test_a_negative_coefficient_promotes_what_the_vector_suppresses() -> None:
    debugger = shared("llama")
    view = debugger.trace([5, 9, 17, 33]).view()
    shown = [value for layer in view.layers for value in layer.values]
    assert {value.coefficient < 0 for value in shown} == {True, False}
    for value in shown:
        own = debugger.value(value.value, top_k=10)
        side = own.suppresses if value.coefficient < 0 else own.promotes
        assert value.promotes == tuple(token.text for token in side)


@pytest.mark.parametrize(
    ("name", "says"), [("L9D1", "0 to"), ("L0D48", "0 to 47"), ("nonsense", "L12D345"), ("L0E1D1", "expert")]
)
def test_names_that_do_not_exist(name: str, says: str) -> None:
    with pytest.raises(ValueNameError, match=says):
        shared("llama").value(name)


def test_top_k_is_checked_and_names_are_accepted_as_values() -> None:
    with pytest.raises(OptionError, match="top_k"):
        shared("llama").value("L1D5", top_k=0)
    assert shared("llama").value(ValueName(1, 5)) == shared("llama").value("l1d5")
