"""A head's circuit against brute force: the whole matrix of a tiny model, from the modules themselves."""

import threading

import pytest
import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import CancelledError, OptionError, ValueNameError
from lm_debugger.units.heads import circuit as circuit_module
from lm_debugger.units.heads.circuit import Circuit
from lm_debugger.work import Work
from tests.tiny import debugger, shared

NAME = "L1H2"


def llama_matrix(found: Debugger) -> Tensor:
    """W_E · W_V · W_O · W_U of head 2 of four with two key-value heads, width 8, written with the modules' names."""
    network = found.model.network
    layer = network.model.layers[1]
    with torch.no_grad():
        entered = layer.input_layernorm(network.model.embed_tokens.weight)
        value = entered @ layer.self_attn.v_proj.weight[8:16].T
        written = value @ layer.self_attn.o_proj.weight[:, 16:24].T
        return (written * network.model.norm.weight) @ network.lm_head.weight.T


def latent_matrix(found: Debugger) -> Tensor:
    """The same for latent attention: the values come through a norm of their own."""
    network = found.model.network
    layer = network.model.layers[1]
    attention = layer.self_attn
    with torch.no_grad():
        latent = attention.kv_a_proj_with_mqa(layer.input_layernorm(network.model.embed_tokens.weight))[:, :8]
        value = attention.kv_a_layernorm(latent) @ attention.kv_b_proj.weight[40:48].T
        written = value @ attention.o_proj.weight[:, 16:24].T
        return (written * network.model.norm.weight) @ network.lm_head.weight.T


def post_norm_matrix(found: Debugger) -> Tensor:
    """The same where a norm follows attention and none comes before the values."""
    network = found.model.network
    layer = network.model.layers[1]
    with torch.no_grad():
        value = network.model.embed_tokens.weight @ layer.self_attn.v_proj.weight[8:16].T
        written = value @ layer.self_attn.o_proj.weight[:, 16:24].T * layer.post_attention_layernorm.weight
        return (written * network.model.norm.weight) @ network.lm_head.weight.T


MATRICES = {"llama": llama_matrix, "deepseek_v3": latent_matrix, "olmo2": post_norm_matrix}


@pytest.mark.parametrize("model_type", sorted(MATRICES))
def test_the_extremes_equal_brute_force(model_type: str) -> None:
    found = shared(model_type)
    matrix = MATRICES[model_type](found)
    view = found.head(NAME, top_k=15)
    for pairs, largest in ((view.promotes, True), (view.suppresses, False)):
        best = matrix.flatten().topk(15, largest=largest)
        places = [divmod(place, matrix.shape[1]) for place in best.indices.tolist()]
        assert [(pair.read.id, pair.written.id) for pair in pairs] == places
        assert [pair.value for pair in pairs] == pytest.approx(best.values.tolist(), rel=1e-3)
    assert view.rms == pytest.approx(float(matrix.pow(2).mean().sqrt()), rel=1e-3)


def test_copying_is_that_of_the_whole_matrix_eigenvalues() -> None:
    found = shared("llama")
    values = torch.linalg.eigvals(llama_matrix(found).double())
    assert found.head(NAME).copying == pytest.approx(float(values.real.sum() / values.abs().sum()), rel=1e-3)


def test_what_is_copied_is_the_diagonal_with_its_rank() -> None:
    found = shared("llama")
    matrix = llama_matrix(found)
    best = matrix.diagonal().topk(20)
    copies = found.head(NAME).copies
    assert [token.id for token in copies] == best.indices.tolist()
    assert [token.rank for token in copies] == [
        int((matrix[token] > matrix[token, token]).sum()) + 1 for token in best.indices.tolist()
    ]


def test_a_head_made_to_copy_copies() -> None:
    """W_V · W_O is symmetric and positive, and the unembedding is the embedding."""
    found = debugger("llama")
    network = found.model.network
    layer = network.model.layers[1]
    with torch.no_grad():
        rows = torch.randn(8, 32, generator=torch.Generator().manual_seed(3))
        layer.self_attn.v_proj.weight[8:16] = rows
        layer.self_attn.o_proj.weight[:, 16:24] = rows.T
        layer.input_layernorm.weight.fill_(1)
        network.model.norm.weight.fill_(1)
        network.lm_head.weight.copy_(network.model.embed_tokens.weight)
    assert found.head(NAME).copying == pytest.approx(1, abs=1e-3)
    with torch.no_grad():
        layer.self_attn.o_proj.weight[:, 16:24] *= -1
    assert found.head(NAME).copying == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_pruning_loses_nothing(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small pieces, lengths that differ by orders of magnitude: the same entries as from the whole matrix."""
    monkeypatch.setattr(circuit_module, "ROWS", 7)
    generator = torch.Generator().manual_seed(1)
    reads, writes = (
        torch.randn(300, 4, generator=generator) * (spread * torch.randn(300, 1, generator=generator)).exp()
        for _ in range(2)
    )
    told: list[int] = []
    high, low = Circuit(reads, writes).extremes(25, Work(lambda _, done, __: told.append(done)))
    matrix = (reads @ writes.T).flatten()
    torch.testing.assert_close(high.values, matrix.topk(25).values)
    torch.testing.assert_close(low.values, matrix.topk(25, largest=False).values)
    assert len(told) < 43 if spread else told  # 43 pieces, most of which hold nothing large enough


def test_a_circuit_that_is_not_linear_is_not_made_up() -> None:
    view = shared("qwen3_next").head(NAME)
    assert "gate" in view.opaque
    assert view.norm > 0
    assert (view.promotes, view.copies, view.copying) == ((), (), None)


def test_wrong_names_and_numbers_are_refused() -> None:
    with pytest.raises(ValueNameError, match="layer 1 has no head 4"):
        shared("llama").head("L1H4")
    with pytest.raises(ValueNameError, match="does not name a head"):
        shared("llama").head("L1D4")
    with pytest.raises(OptionError, match="top_k is 0"):
        shared("llama").head(NAME, top_k=0)


def test_it_can_be_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        debugger("llama").head(NAME, cancel=cancel)
