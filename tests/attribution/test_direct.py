"""Direct effects add up to the model's own difference in logits, and each is the part's own."""

import pytest
import torch

from lm_debugger.attribution.account import Account
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.question import ask
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from lm_debugger.records.why import Why
from lm_debugger.work import UNWATCHED
from tests.tiny import COMMON, prompt, shared

# What may stay unexplained, as a share of the sum of the two logits' sizes: float32's rounding in sums of some
# thousand numbers. The largest of 48 types measured 5e-6.
TOLERANCE = 1e-4

# Norms after the sum or after a sub-layer, factors, gates, mixtures, soft caps, read-outs with more than a norm, mixers
# that do not split, biases everywhere.
MORE = (
    "gemma3n_text", "minimax", "falcon_h1", "zamba2", "jamba", "bamba", "mamba2", "nemotron_h", "glm4", "exaone4",
    "olmo3", "electra", "xlm-roberta-xl", "bert-generation", "megatron-bert", "biogpt", "granitemoehybrid",
    "llama4_text", "deepseek_v2", "ernie4_5_moe", "hunyuan_v1_moe", "cohere2_moe", "seed_oss", "helium", "dots1",
    "longcat_flash",
)  # fmt: skip


def logits_of(debugger: Debugger, ids: list[int]) -> torch.Tensor:
    """Plain transformers' logits, before a soft cap."""
    with torch.no_grad():
        logits: torch.Tensor = debugger.model.network(torch.tensor([ids]), use_cache=False).logits[0].double()
    cap = debugger.model.readout.soft_cap
    return cap * torch.atanh(logits / cap) if cap else logits


def assert_adds_up(debugger: Debugger, position: int) -> Account:
    run = debugger.trace(prompt())
    logits = logits_of(debugger, prompt())[position]
    question = ask(run, None, None, position)
    found = account(run, question, UNWATCHED)
    target, against = float(logits[question.target]), float(logits[question.against or 0])
    size = abs(target) + abs(against)
    assert found.total == pytest.approx(target - against, abs=TOLERANCE * size)
    assert found.difference == pytest.approx(target - against, abs=TOLERANCE * size)
    alone = account(run, ask(run, question.target, None, position), UNWATCHED)
    assert alone.total == pytest.approx(target, abs=TOLERANCE * size)
    return found


@pytest.mark.parametrize("model_type", COMMON)
def test_all_parts_add_up_to_the_difference_of_plain_logits(model_type: str) -> None:
    debugger = shared(model_type)
    for position in (0, 5):
        found = assert_adds_up(debugger, position)
        names = [entry.name for entry in found.entries]
        names += [str(u.group.name(index)) for u in found.units for index in range(len(u.effects))]
        assert len(names) == len(set(names))
        assert "embedding" in names


@pytest.mark.slow
@pytest.mark.parametrize("model_type", MORE)
def test_rarer_architectures_add_up_too(model_type: str) -> None:
    assert_adds_up(shared(model_type), 5)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "olmo2", "mixtral"])
def test_with_edits_the_parts_are_those_of_the_edited_run(model_type: str) -> None:
    debugger = shared(model_type)
    unit = "L1E0D3" if model_type == "mixtral" else "L1D3"
    plain = debugger.why(prompt(), target=5, against=6)
    found = debugger.why(prompt(), target=5, against=6, interventions=[f"{unit}*=-30", "L2H1=off"], top_k=400)
    assert found.interventions == (f"{unit}*=-30.0", "L2H1=off")
    assert found.difference != pytest.approx(plain.difference)
    assert found.unexplained == pytest.approx(0, abs=1e-4)
    assert "L2H1" not in [part.part for part in found.parts]  # it writes nothing


def test_effects_equal_a_computation_from_the_weights() -> None:
    debugger = shared("llama")
    network, ids, position = debugger.model.network, prompt(), 6
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(lambda _, args, name=name: seen.update({name: args[0][0, position]}))
        for name, layer in (
            ("ffn", network.model.layers[1].mlp.down_proj),
            ("heads", network.model.layers[1].self_attn.o_proj),
            ("final", network.model.norm),
            ("first", network.model.layers[0].input_layernorm),
        )
    ]
    with torch.no_grad():
        network(torch.tensor([ids]))
        rows = network.lm_head.weight[11] - network.lm_head.weight[40]
        scale = (seen["final"].pow(2).mean() + network.config.rms_norm_eps).rsqrt()
        direction = rows * network.model.norm.weight * scale
        values = seen["ffn"] * (network.model.layers[1].mlp.down_proj.weight.T @ direction)
        width = seen["heads"].shape[0] // 4
        back = seen["heads"] * (network.model.layers[1].self_attn.o_proj.weight.T @ direction)
        heads = back.view(4, width).sum(-1)
    for hook in hooks:
        hook.remove()
    answer = debugger.why(ids, 11, 40, position, layers="1", top_k=100)
    effects = {part.part: part.effect for part in answer.parts}
    for index in range(4):
        assert effects[f"L1H{index}"] == pytest.approx(float(heads[index]), abs=1e-5)
    for index in range(48):
        assert effects[f"L1D{index}"] == pytest.approx(float(values[index]), abs=1e-5)
    embedding = next(p for p in debugger.why(ids, 11, 40, position, top_k=500).parts if p.part == "embedding")
    assert embedding.effect == pytest.approx(float(seen["first"] @ direction), abs=1e-5)


def kept_scales_and_outputs(decoder: torch.nn.Module, ids: list[int], position: int) -> dict[str, torch.Tensor]:
    """What a run of BART's decoder had: the stream that entered, each sub-layer's output, each norm's scale."""
    kept: dict[str, torch.Tensor] = {}

    def keep_scale(key: str, eps: float):
        return lambda _, args: kept.update({key: (args[0][0, position].var(correction=0) + eps).rsqrt()})

    def keep(key: str, *, output: bool):
        def hook(_, args, left=None):
            found = left if output else args[0]
            kept[key] = found.reshape(-1, found.shape[-1])[position]

        return hook

    hooks = [decoder.layers[0].register_forward_pre_hook(keep("in", output=False))]
    hooks.append(decoder.layers[0].fc2.register_forward_pre_hook(keep("coefficients", output=False)))
    for number, layer in enumerate(decoder.layers):
        for name, norm, module in (
            ("attention", layer.self_attn_layer_norm, layer.self_attn.out_proj),
            ("ffn", layer.final_layer_norm, layer.fc2),
        ):
            hooks.append(norm.register_forward_pre_hook(keep_scale(f"{number} {name} scale", norm.eps)))
            hooks.append(module.register_forward_hook(keep(f"{number} {name}", output=True)))
    decoder(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return kept


@torch.no_grad()
def test_an_early_part_is_carried_through_the_norms_that_follow_at_their_scales() -> None:
    """In a post-norm model: with all scales and later outputs held, taking a vector out lowers the logits by it."""
    debugger = shared("bart")
    network, ids, position = debugger.model.network, prompt(), 7
    decoder = network.model.decoder
    kept = kept_scales_and_outputs(decoder, ids, position)

    def difference(without: int | None) -> float:
        stream = kept["in"]
        for number, layer in enumerate(decoder.layers):
            for name, norm in (("attention", layer.self_attn_layer_norm), ("ffn", layer.final_layer_norm)):
                stream = stream + kept[f"{number} {name}"]
                if (number, name) == (0, "ffn") and without is not None:
                    stream = stream - kept["coefficients"][without] * layer.fc2.weight[:, without]
                stream = (stream - stream.mean()) * kept[f"{number} {name} scale"] * norm.weight + norm.bias
        logits = network.lm_head(stream)
        return float(logits[11] - logits[40])

    answer = debugger.why(ids, 11, 40, position, top_k=500)
    effects = {part.part: part.effect for part in answer.parts}
    assert answer.difference == pytest.approx(difference(None), abs=1e-4)
    for index in (0, 5, 17):
        assert effects[f"L0D{index}"] == pytest.approx(difference(None) - difference(index), abs=1e-4)


def test_the_demo_model_adds_up(demo: Debugger) -> None:
    for text in ("My wife is working as a", "It was the first time that two"):
        found = demo.why(text, top_k=30)
        assert isinstance(found, Why)
        assert abs(found.unexplained) < 1e-3
        assert sum(part.effect for part in found.parts) + found.rest + found.unexplained == pytest.approx(
            found.difference, abs=1e-6
        )
        assert [abs(p.effect) for p in found.parts] == sorted((abs(p.effect) for p in found.parts), reverse=True)


def test_no_forward_is_run_for_a_trace_that_is_kept() -> None:
    debugger = shared("llama")
    runs: list[int] = []
    handle = debugger.model.network.register_forward_hook(lambda *_: runs.append(1))
    debugger.trace(prompt())
    debugger.why(prompt())
    handle.remove()
    assert runs == [1]


@pytest.mark.parametrize("bad", [{"top_k": 0}, {"layers": "1-9"}, {"position": 40}, {"target": 96}, {"target": ""}])
def test_what_is_out_of_range_is_refused(bad: dict) -> None:
    with pytest.raises(OptionError):
        shared("llama").why(prompt(), **bad)
