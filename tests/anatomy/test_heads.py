"""Heads are found by experiment: they are independent by another experiment, and what is no head is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from lm_debugger.anatomy.discovery import discover as discovery
from lm_debugger.anatomy.discovery.discover import LENGTH, discover, probing_ids
from lm_debugger.anatomy.discovery.heads import HeadExperiment
from lm_debugger.anatomy.discovery.layer import LayerExperiment
from lm_debugger.anatomy.discovery.record import record
from lm_debugger.anatomy.discovery.split import Split
from lm_debugger.anatomy.discovery.stack import find_layers
from lm_debugger.anatomy.parts import Anatomy, Form, Heads
from lm_debugger.engine.hooks import input_of, output_of, with_output
from lm_debugger.proof import report as report_module
from lm_debugger.proof.report import examine_network
from lm_debugger.proof.verify import verify
from tests import zoo


def heads_of(found: Anatomy, layer: int) -> Heads:
    heads = found.layers[layer].heads
    assert heads is not None
    return heads


@pytest.mark.parametrize(
    ("model_type", "layer", "projection", "count", "width"),
    [
        ("llama", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # two key-value heads for four
        ("gpt2", 1, "transformer.h.1.attn.c_proj", 4, 8),  # one map for queries, keys and values
        ("gpt_bigcode", 1, "transformer.h.1.attn.c_proj", 4, 8),  # one key-value head for all
        ("falcon", 1, "transformer.h.1.self_attention.dense", 4, 8),
        ("phi3", 1, "model.layers.1.self_attn.o_proj", 4, 8),
        ("deepseek_v3", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # latent attention
        ("bitnet", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # a norm over all heads before the projection
        ("minimax_m2", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # a norm over all heads' queries
        ("qwen3_next", 0, "model.layers.0.linear_attn.out_proj", 4, 8),  # gated delta rule
        ("qwen3_next", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # output gate
        ("diffllama", 1, "model.layers.1.self_attn.o_proj", 2, 16),  # two of the configuration's heads make one
        ("laguna", 1, "model.layers.1.self_attn.o_proj", 48, 8),  # counts by layer
        ("llama4_text", 1, "model.layers.1.self_attn.o_proj", 4, 8),  # the feed-forward cannot be told apart
    ],
)
def test_heads_are_found(model_type: str, layer: int, projection: str, count: int, width: int) -> None:
    heads = heads_of(discover(zoo.make(model_type)), layer)
    assert (heads.path, heads.count, heads.width) == (projection, count, width)


@pytest.mark.parametrize(
    ("model_type", "layer"),
    [("llama", 1), ("gpt2", 1), ("falcon", 1), ("phi3", 1), ("gptj", 1), ("gpt_neox", 1), ("gemma2", 1), ("bert", 1),
     ("deepseek_v3", 1), ("olmo2", 1), ("qwen3_next", 0), ("qwen3_next", 1), ("diffllama", 1)],
)  # fmt: skip
def test_a_change_inside_one_head_reaches_its_slice_alone(model_type: str, layer: int) -> None:
    """Finite changes of channels of every map in the mixer; discovery used derivatives on a random stream."""
    network = zoo.make(model_type)
    heads = heads_of(discover(network), layer)
    projection = network.get_submodule(heads.path)
    block = network.get_submodule(discover(network).layers[layer].path)
    maps = [m for m in block.modules() if not list(m.children()) and list(m.parameters()) and m is not projection]
    plain = slices(network, projection, heads)
    own = set()
    for module in maps:
        for channel in range(0, channels(network, module), 3):  # some of every head
            with changed(module, channel):
                moved = (slices(network, projection, heads) - plain).abs().amax(0) > 1e-5  # (heads, width)
            touched = [head for head in range(heads.count) if bool(moved[head].any())]
            if len(touched) == 1 and bool(moved[touched[0]].all()):
                own.add(touched[0])
    assert own == set(range(heads.count))


def slices(network: nn.Module, projection: nn.Module, heads: Heads) -> Tensor:
    """What enters the projection: (positions, heads, width)."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        entered = input_of(args, kwargs)
        assert entered is not None
        kept.append(entered.reshape(-1, heads.count, heads.width))

    handle = projection.register_forward_pre_hook(keep, with_kwargs=True)
    with torch.no_grad():
        network(input_ids=probing_ids(network, 8))  # type: ignore[arg-type]
    handle.remove()
    return kept[0]


def channels(network: nn.Module, module: nn.Module) -> int:
    seen: list[int] = []
    handle = module.register_forward_hook(lambda _, __, output: seen.append(_stream(output).shape[-1]))
    with torch.no_grad():
        network(input_ids=probing_ids(network, 8))  # type: ignore[arg-type]
    handle.remove()
    return seen[0] if seen else 0


def _stream(output: object) -> Tensor:
    stream = output_of(output)
    assert stream is not None
    return stream


@contextmanager
def changed(module: nn.Module, channel: int) -> Iterator[None]:
    """One channel of what leaves the module is larger by a number of its own for each position."""

    def change(_: nn.Module, __: object, output: object) -> object:
        stream = _stream(output).clone()
        stream[..., channel] += torch.linspace(0.5, 1.5, stream[..., channel].numel()).view(stream[..., channel].shape)
        return with_output(output, stream)

    handle = module.register_forward_hook(change)
    yield
    handle.remove()


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "deepseek_v3", "gpt_bigcode", "mpt"])
def test_every_other_number_of_heads_is_refused(model_type: str) -> None:
    split = split_of(model_type)
    assert [count for count in (1, 2, 4, 8, 16) if split.proves(count)] == [4]


def test_more_heads_in_the_configuration_than_there_are_find_nothing() -> None:
    assert split_of("llama").heads([8, 16]) == 0


def split_of(model_type: str) -> Split:
    """The experiment on the last layer's projection."""
    network = zoo.make(model_type)
    ids = probing_ids(network)
    calls = record(network, lambda: network(input_ids=ids, use_cache=False))
    layer = LayerExperiment(find_layers(calls, LENGTH)[-1], LENGTH)
    heads = HeadExperiment(layer, layer.find(), (4,))
    projection = next(iter(heads.projections()))
    return Split(layer.subject, projection.call, heads.maps(projection))


@pytest.mark.parametrize(
    ("model_type", "layer", "reason"),
    [
        ("lfm2", 0, "Lfm2ShortConv"),
        ("jamba", 0, "JambaMambaMixer"),
        ("minimax", 1, "MiniMaxLightningAttention"),  # a norm over all heads, then a gate
        ("nemotron_h", 1, "no token mixer"),
    ],
)
def test_a_layer_without_heads_says_why_and_the_model_keeps_the_rest(model_type: str, layer: int, reason: str) -> None:
    report, found = examine_network(zoo.make(model_type), name=model_type, fingerprint="")
    assert report.supported
    assert found is not None
    assert found.layers[layer].heads is None
    assert reason in found.layers[layer].headless
    assert any(reason in why for why in report.headless)


def test_a_mixer_that_writes_without_a_module_of_its_own_has_no_heads() -> None:
    """XLNet's output projection is a bare parameter: there is nothing whose input could be read."""
    found = discover(zoo.make("xlnet"))
    assert found.head_count == 0
    assert "no linear map" in found.layers[0].headless


def test_hybrids_have_heads_in_some_layers() -> None:
    report, found = examine_network(zoo.make("lfm2"), name="lfm2", fingerprint="")
    assert found is not None
    assert [layer.heads is not None for layer in found.layers] == [False, True, False, True]
    assert report.heads == 8


def test_the_norm_after_attention_is_on_the_route() -> None:
    heads = heads_of(discover(zoo.make("gemma2")), 1)
    assert [(s.form, s.path) for s in heads.route] == [(Form.NORM, "model.layers.1.post_attention_layernorm")]
    assert heads.post_norm == ""


def test_a_norm_after_the_sum_is_told_from_one_before_it() -> None:
    heads = heads_of(discover(zoo.make("bert")), 1)
    assert heads.post_norm == "bert.encoder.layer.1.attention.output.LayerNorm"
    assert [term.site.path for term in heads.rest] == ["bert.encoder.layer.1"]


def test_a_residual_multiplier_is_on_the_route() -> None:
    (step,) = heads_of(discover(zoo.make("granite", residual_multiplier=0.25)), 0).route
    assert step.factor == pytest.approx((0.25,))


@pytest.mark.parametrize(
    ("model_type", "way"),
    [
        ("llama", [("self_attn.v_proj", "input_layernorm", (0, 0, 8, 8))]),
        ("gpt2", [("attn.c_attn", "ln_1", (64, 72, 80, 88))]),
        ("olmo2", [("self_attn.v_proj", "", (0, 0, 8, 8))]),
        ("gpt_oss", [("self_attn.v_proj", "input_layernorm", (0, 0, 8, 8))]),  # a sink takes a part of the attention
        ("deepseek_v3", [("self_attn.kv_a_proj_with_mqa", "input_layernorm", (0,)),
                         ("self_attn.kv_b_proj", "self_attn.kv_a_layernorm", (8, 24, 40, 56))]),
    ],
)  # fmt: skip
def test_the_way_of_the_values_is_found(model_type: str, way: list[tuple[str, str, tuple[int, ...]]]) -> None:
    found = discover(zoo.make(model_type))
    prefix = found.layers[1].path + "."
    read = [(r.path.removeprefix(prefix), r.norm.removeprefix(prefix), r.starts) for r in heads_of(found, 1).values]
    assert read == way


def test_a_gate_after_the_values_is_named() -> None:
    heads = heads_of(discover(zoo.make("qwen3_next")), 1)
    assert heads.values == ()
    assert "gate" in heads.opaque


@pytest.mark.parametrize(
    ("model_type", "wrong"),
    [
        ("gemma2", {"route": ()}),
        ("granite", {"route": ()}),
        ("bert", {"post_norm": "", "route": ()}),
        ("llama", {"path": "model.layers.1.self_attn.q_proj"}),
        ("gptj", {"rest": ()}),
    ],
)
def test_a_wrong_route_fails_the_proof(
    model_type: str, wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the model is loaded without these heads, not refused."""
    network = zoo.make(model_type, **({"residual_multiplier": 0.25} if model_type == "granite" else {}))
    found = discover(network)
    if wrong == {"rest": ()}:
        wrong = {"rest": (found.layers[0].heads.rest)}  # type: ignore[union-attr]  # gptj has heads
    layers = list(found.layers)
    layers[1] = layers[1].model_copy(update={"heads": heads_of(found, 1).model_copy(update=wrong)})
    found = found.model_copy(update={"layers": tuple(layers)})
    proof = verify(network, found)
    assert set(proof.unproved) == {1}
    assert {check.invariant for check in proof.checks if not check.passed} == {"I5"}
    monkeypatch.setattr(report_module, "discover", lambda *_, **__: found)
    report, kept = examine_network(network, name=model_type, fingerprint="")
    assert report.supported
    assert kept is not None
    assert [layer.heads is None for layer in kept.layers] == [index == 1 for index in range(len(layers))]
    assert "I5 does not hold" in report.headless[0]


def test_layers_that_share_a_projection_have_no_heads() -> None:
    network = zoo.make("llama")
    network.model.layers[2].self_attn.o_proj = network.model.layers[0].self_attn.o_proj
    found = discover(network)
    assert [layer.heads is None for layer in found.layers] == [True, False, True]
    assert "shared" in found.layers[0].headless


def test_heads_need_no_configuration_field_of_a_known_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that the configuration does not have is not believed: nothing is proposed, nothing found."""
    monkeypatch.setattr(discovery, "proposed_heads", lambda _: ())
    found = discover(zoo.make("llama"))
    assert found.head_count == 0
    assert "does not split" in found.layers[0].headless
