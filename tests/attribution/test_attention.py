"""Attention patterns are eager attention's own, and what heads bring from each position adds up to what they write."""

import threading

import pytest
import torch
from torch import Tensor

import lm_debugger
from lm_debugger.attribution.attention import brought, head_group, patterns
from lm_debugger.attribution.heads import scores
from lm_debugger.debugger.session import Debugger
from lm_debugger.units.attention.watching import Watching
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.work import UNWATCHED
from tests import tiny, zoo
from tests.tiny import COMMON, prompt, shared

IDS = prompt()
# Attention that does not go through transformers' interface: seen in torch's functions.
OLD = ("gpt_neo", "bloom", "falcon", "mpt", "xglm", "openai-gpt")
# A gate or norm between attention and the output projection, or a mixer that is no attention.
UNSPLIT = ("qwen3_next", "lfm2", "recurrent_gemma")


def eager_weights(network: torch.nn.Module, ids: list[int]) -> list[Tensor]:
    """transformers' own attention weights, (positions, heads, positions attended to) for each layer."""
    network.config._attn_implementation = "eager"
    with torch.no_grad():
        found = network(torch.tensor([ids]), output_attentions=True, use_cache=False).attentions
    return [each[0].transpose(0, 1) for each in found]


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize(
    "model_type", ["llama", "gpt2", "gemma3_text", "mistral", "bert", "gpt_neox", "qwen3_moe", "afmoe"]
)
def test_patterns_are_eager_attentions(model_type: str, implementation: str) -> None:
    network = zoo.make(model_type)
    network.config._attn_implementation = implementation
    debugger = tiny.lm_debugger.load(network, tiny.tokenizer(96))
    run = debugger.trace(IDS)
    found = patterns(run, range(debugger.summary.layers), UNWATCHED)
    assert network.config._attn_implementation == implementation
    expected = eager_weights(network, IDS)
    assert len(found) == len(expected)
    for layer, weights in enumerate(expected):
        torch.testing.assert_close(found[layer].weights, weights, rtol=1e-4, atol=1e-6)


def test_only_the_layers_asked_for_are_read() -> None:
    assert list(patterns(shared("llama").trace(IDS), [1], UNWATCHED)) == [1]


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("model_type", OLD)
def test_attention_that_does_not_ask_the_interface_is_seen(model_type: str, implementation: str) -> None:
    network = zoo.make(model_type)
    if implementation == "sdpa" and not network._supports_sdpa:
        pytest.skip("it has plain attention only")  # which the other case of this type tests
    network.config._attn_implementation = implementation
    debugger = lm_debugger.load(network, tiny.tokenizer(96))
    run = debugger.trace(IDS)
    found = patterns(run, range(debugger.summary.layers), UNWATCHED)
    assert sorted(found) == list(range(debugger.summary.layers))
    for layer, weights in enumerate(eager_weights(network, IDS)):
        torch.testing.assert_close(found[layer].weights, weights, rtol=1e-5, atol=1e-6)
    assert all(row.previous is not None for row in debugger.heads(IDS).heads)


def test_a_fused_attention_has_its_weights_computed_beside_it() -> None:
    query, key, value = (torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(n)) for n in range(3))
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    module = torch.nn.Identity()
    added = torch.zeros(6, 6).masked_fill(~mask, float("-inf"))
    for options in ({"is_causal": True}, {"attn_mask": mask}, {"attn_mask": added, "scale": 0.3}):
        watching = Watching()
        with watching.layers([("layer", module)]):
            watching._layer = "layer"
            output = torch.nn.functional.scaled_dot_product_attention(query, key, value, **options)
        seen = watching.seen["layer"]
        torch.testing.assert_close(seen.weights @ seen.values, output, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", [name for name in COMMON if name not in UNSPLIT])
def test_what_heads_bring_from_each_position_adds_up_to_what_they_write(model_type: str) -> None:
    debugger = shared(model_type)
    run = debugger.trace(IDS)
    layer = debugger.summary.layers - 1
    pattern = patterns(run, [layer], UNWATCHED)[layer]
    assert pattern.values is not None
    group = head_group(run, layer)
    assert group is not None
    for position in (0, 6):
        pieces = brought(run, pattern, layer, position)
        assert pieces.shape[:2] == (position + 1, group.heads.count)
        heads = HeadStreams(group, run.layer(layer, position))
        none = heads.added[0] - pieces.sum((0, 1))  # the biases
        slices = heads.slices[0]
        written = torch.einsum("hw,hwd->d", slices, group.projection.matrix.float().reshape(*slices.shape, -1))
        if not group.summed:
            torch.testing.assert_close(pieces.sum((0, 1)), written, rtol=1e-4, atol=1e-5)
        bias = heads.bias[0] if not group.heads.post_norm else none
        torch.testing.assert_close(none, bias, rtol=1e-3, atol=1e-4)


def test_the_models_own_attention_is_back_after_an_interruption() -> None:
    debugger = tiny.debugger("llama")
    network = debugger.model.network
    network.config._attn_implementation = "sdpa"
    run = debugger.trace(IDS)

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    handle = network.model.layers[1].mlp.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="broken"):
        patterns(run, [0, 1, 2], UNWATCHED)
    handle.remove()
    assert network.config._attn_implementation == "sdpa"


def test_somebody_elses_forward_meanwhile_attends_as_it_always_does() -> None:
    debugger = tiny.debugger("llama")
    network = debugger.model.network
    network.config._attn_implementation = "sdpa"
    with torch.no_grad():
        alone = network(torch.tensor([IDS])).logits
    run = debugger.trace(IDS)
    seen: list[Tensor] = []

    def elsewhere() -> None:
        with torch.no_grad():
            seen.append(network(torch.tensor([IDS])).logits)

    def meanwhile(*_: object) -> None:
        if threading.current_thread() is threading.main_thread() and not seen:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

    handle = network.model.layers[1].register_forward_pre_hook(meanwhile)
    patterns(run, [0, 2], UNWATCHED)
    handle.remove()
    torch.testing.assert_close(seen[0], alone, rtol=1e-5, atol=1e-5)


def test_scores_are_those_of_ideal_heads() -> None:
    ids = [5, 6, 7, 8, 5, 6, 7, 8]
    length = len(ids)
    previous, first, duplicate, induction = (torch.zeros(length, length) for _ in range(4))
    for at in range(length):
        previous[at, max(at - 1, 0)] = first[at, 0] = 1
        duplicate[at, at - 4 if at >= 4 else 0] = 1
        induction[at, at - 3 if at >= 4 else 0] = 1
    found = scores(torch.stack([previous, first, duplicate, induction], 1), ids)
    assert found.previous is not None
    assert found.first is not None
    assert found.duplicate is not None
    assert found.induction is not None
    assert found.previous[0] == 1
    assert found.first[1] == 1
    assert found.duplicate.tolist() == [0, 0.25, 1, 0]  # the first token comes again once
    assert found.induction.tolist() == [0, 0, 0, 1]


def test_a_text_without_repetition_has_no_such_scores() -> None:
    found = scores(torch.full((3, 2, 3), 1 / 3), [4, 5, 6])
    assert (found.duplicate, found.induction) == (None, None)
    assert any("No token occurs twice" in text for text in shared("llama").heads([4, 5, 6]).warnings)


def test_induction_heads_of_the_demo_model_are_found(demo: Debugger) -> None:
    found = demo.heads("The quick brown cat sat on a mat. The quick brown cat sat on")
    best = {row.head: row.induction or 0 for row in found.heads}
    strongest = sorted(best, key=lambda head: -best[head])[:3]
    assert strongest[0] == "L17H4"
    assert best["L17H4"] > 0.7
    # Such a head promotes what followed the last time.
    (row,) = (row for row in found.heads if row.head == "L17H4")
    assert found.tokens[row.attends or 0].text == " a"


def test_rows_are_the_traces_heads() -> None:
    debugger = shared("llama")
    rows = debugger.heads(IDS, 6).heads
    assert [row.head for row in rows] == [f"L{layer}H{head}" for layer in range(3) for head in range(4)]
    streams = debugger.trace(IDS).layer(1, 6)
    group = head_group(debugger.trace(IDS), 1)
    assert group is not None
    vectors = HeadStreams(group, streams).contributions()[0]
    assert rows[6].norm == pytest.approx(float(vectors[2].norm()), rel=1e-4)
    assert sum(row.share for row in rows[4:8]) == pytest.approx(1, abs=1e-4)
