"""The step loop: equal to transformers' `generate` on every type; what pausing, forcing, forking, editing mean."""

import copy
import threading
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, PreTrainedModel

from lm_debugger.engine.engine import Command
from lm_debugger.engine.local import LocalEngine
from lm_debugger.engine.sites import FOREVER, LOGITS, Pass, Side, Site, Write
from lm_debugger.runs.generate import greedy
from tests import zoo
from tests.tiny import COMMON, prompt, shared

STEPS = 5
IDS = tuple(prompt(6))

# Nothing but the largest score is taken, whatever a type's own settings say of sampling and beams.
GREEDY: dict[str, Any] = {
    "do_sample": False, "num_beams": 1, "max_new_tokens": STEPS, "max_length": None, "temperature": None,
    "top_k": None, "top_p": None,
}  # fmt: skip


def generated(network: PreTrainedModel, ids: tuple[int, ...] = IDS, steps: int = STEPS) -> list[int]:
    """What transformers' own loop generates."""
    config = copy.deepcopy(network.generation_config)
    config.update(**(GREEDY | {"max_new_tokens": steps}))
    if config.pad_token_id is None:
        config.update(pad_token_id=0)
    tokens = torch.tensor([ids])
    with torch.no_grad():
        found: list[int] = network.generate(tokens, attention_mask=torch.ones_like(tokens), generation_config=config)[
            0
        ].tolist()
    return found[len(ids) :]


def stepped(engine: LocalEngine, ids: tuple[int, ...] = IDS, limit: int = STEPS, **more: Any) -> list[int]:
    return [int(step.tokens[0]) for step in engine.steps([Pass(ids)], greedy, limit=limit, **more)]


def made(model_type: str) -> PreTrainedModel:
    try:
        network = zoo.make(model_type)
    except zoo.Unavailable as why:
        pytest.skip(f"cannot be made here: {why}")  # as in the table of supported models
    if not network.can_generate():
        pytest.skip("cannot generate")
    return network


# Types whose own `generate` fails here, with both settings or with their own.
CANNOT = {"musicgen", "musicgen_melody", "reformer"}


@pytest.mark.parametrize("model_type", zoo.TYPES)
def test_steps_equal_generate_with_plain_and_with_own_settings(model_type: str) -> None:
    network = made(model_type)
    for config in (network.generation_config, GenerationConfig.from_model_config(network.config)):
        network.generation_config = config
        try:
            expected = generated(network)
        except Exception:  # the type itself cannot do it here
            assert model_type in CANNOT
            continue
        assert stepped(LocalEngine(network)) == expected


def test_own_settings_take_part() -> None:
    """Processors and stopping rules of the model's own generation settings act in our loop."""
    network = zoo.make("llama")
    plain = generated(network)
    network.generation_config = GenerationConfig(
        pad_token_id=0, repetition_penalty=5.0, suppress_tokens=[plain[0]], eos_token_id=None
    )
    changed = generated(network)
    assert changed != plain
    assert stepped(LocalEngine(network)) == changed
    network.generation_config.eos_token_id = changed[2]
    assert stepped(LocalEngine(network)) == changed[:3]
    assert len(stepped(LocalEngine(network), endless=True)) == STEPS


@pytest.mark.parametrize("model_type", COMMON)
def test_a_paused_continuation_goes_on_as_if_it_had_not_been(model_type: str) -> None:
    """Other runs in between, on the same network, change nothing."""
    debugger = shared(model_type)
    engine = debugger.model.engine
    whole = [int(step.tokens[0]) for step in engine.steps([Pass(IDS)], greedy, limit=STEPS)]
    steps = engine.steps([Pass(IDS)], greedy, limit=STEPS)
    found = [int(next(steps).tokens[0]) for _ in range(2)]
    debugger.trace(prompt(8, 3))
    debugger.generate(prompt(5, 1), max_new_tokens=2)
    assert [*found, *(int(step.tokens[0]) for step in steps)] == whole


# Types whose state is no key-value cache too: recurrent, convolutional, linear attention, a mixture of experts.
FORKED = ["llama", "gpt2", "gemma3_text", "mixtral", "qwen3_next", "recurrent_gemma", "lfm2", "bert", "mamba"]


@pytest.mark.parametrize("model_type", FORKED)
def test_a_fork_and_its_origin_do_not_see_each_other(model_type: str) -> None:
    engine = LocalEngine(made(model_type))
    steps = engine.steps([Pass(IDS)], greedy, limit=STEPS)
    first = [next(steps) for _ in range(2)]
    other = (int(first[-1].tokens[0]) + 1) % 90 + 3
    fork = steps.fork()
    branch = [fork.send(Command(tokens=(other,))), *fork]
    rest = list(steps)
    assert [int(s.tokens[0]) for s in (*first, *rest)] == stepped(engine)
    begun = (*IDS, int(first[0].tokens[0]), other)
    assert [int(s.tokens[0]) for s in branch] == stepped(engine, begun, STEPS - 2)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "opt", "mpt", "bloom", "gemma3_text", "mixtral", "qwen3_next"])
def test_several_forced_tokens_run_in_one_step_at_the_right_positions(model_type: str) -> None:
    engine = LocalEngine(made(model_type))
    forced = (17, 44, 8)
    steps = engine.steps([Pass(IDS)], greedy, limit=12)
    next(steps)
    step = steps.send(Command(tokens=forced))
    whole = engine.observe([Pass((*IDS, *forced))], [LOGITS])[0][LOGITS]
    torch.testing.assert_close(step.logits[0], whole[-1].float(), rtol=1e-4, atol=1e-4)
    rest = [int(s.tokens[0]) for s in (step, *(next(steps) for _ in range(3)))]
    assert rest == stepped(engine, (*IDS, *forced), 4)


def _coefficients(engine: LocalEngine) -> Site:
    return Site(path="model.layers.1.mlp.down_proj", side=Side.INPUT)


def test_writes_at_positions_are_right_when_several_tokens_run_under_a_cache() -> None:
    """A write at one position, with the tokens there run one by one, three at once, and all at once."""
    engine = LocalEngine(zoo.make("llama"))
    site, forced = _coefficients(engine), (17, 44, 8)
    place = len(IDS) + 1
    write = Write(site, 5, shift=30.0, scale=0.0, start=place, stop=place + 1)
    whole = engine.observe([Pass((*IDS, *forced), (write,))], [LOGITS, site])[0]
    steps = engine.steps([Pass(IDS, (write,))], greedy, [site], limit=12)
    next(steps)
    at_once = steps.send(Command(tokens=forced))
    torch.testing.assert_close(at_once.captures[0][site], whole[site][-3:], rtol=1e-4, atol=1e-5)
    steps = engine.steps([Pass(IDS, (write,))], greedy, [site], limit=12)
    next(steps)
    for token in forced:
        one = steps.send(Command(tokens=(token,)))
    torch.testing.assert_close(one.logits[0], whole[LOGITS][-1], rtol=1e-4, atol=1e-4)
    assert float(whole[site][place, 5]) == 30.0
    assert float(whole[site][place - 1, 5]) != 30.0


def test_other_writes_hold_from_the_next_step_on() -> None:
    engine = LocalEngine(zoo.make("llama"))
    site = _coefficients(engine)
    write = Write(site, 5, shift=40.0, scale=0.0, start=0, stop=FOREVER)
    steps = engine.steps([Pass(IDS)], greedy, [site], limit=6)
    next(steps)
    edited = steps.send(Command(writes=((write,),)))
    assert float(edited.captures[0][site][0, 5]) == 40.0
    plain = steps.send(Command(writes=((),)))
    assert float(plain.captures[0][site][0, 5]) != 40.0


def test_a_paused_continuation_holds_no_hooks_and_no_lock() -> None:
    network = zoo.make("mixtral")
    engine = LocalEngine(network)
    site = Site(path="model.layers.1.mlp.experts", side=Side.OUTPUT)
    steps = engine.steps([Pass(IDS)], greedy, [site], limit=6)
    next(steps)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    found: list[object] = []
    other = threading.Thread(target=lambda: found.append(engine.observe([Pass(IDS)], [LOGITS])))
    other.start()
    other.join(60)
    assert len(found) == 1


def test_pulled_gradients_equal_autograd() -> None:
    """For the stream after each layer, the inputs of a projection, and two cotangents."""
    network = zoo.make("llama")
    engine = LocalEngine(network)
    taps = [Site(path="model.layers.0", side=Side.OUTPUT), _coefficients(engine)]
    cotangents = torch.zeros(2, 1, len(IDS), network.config.vocab_size)
    cotangents[0, 0, -1, 7], cotangents[1, 0, 2, 9] = 1.0, -2.0
    capture = engine.observe([Pass(IDS)], taps, pull={LOGITS: cotangents})[0]
    held: dict[str, torch.Tensor] = {}

    def keep(name: str, stream: torch.Tensor) -> torch.Tensor:
        held[name] = stream
        stream.retain_grad()
        return stream

    network.model.layers[0].register_forward_hook(lambda _, __, out: keep("stream", out))
    network.model.layers[1].mlp.down_proj.register_forward_pre_hook(lambda _, args: (keep("inner", args[0]),))
    for row, (position, token, factor) in enumerate([(5, 7, 1.0), (2, 9, -2.0)]):
        network.zero_grad()
        (network(torch.tensor([IDS])).logits[0, position, token] * factor).backward()
        for site, name in zip(taps, ("stream", "inner"), strict=True):
            expected = held[name].grad
            assert expected is not None
            torch.testing.assert_close(capture.gradient(site)[row], expected[0], rtol=1e-4, atol=1e-6)


def test_gradients_at_experts_coefficients_predict_a_small_change() -> None:
    from lm_debugger.units.experts.port import CHOSEN, COEFFICIENT

    engine = shared("mixtral").model.engine
    sites = [Site(path="model.layers.1.mlp.experts", side=side) for side in (CHOSEN, COEFFICIENT)]
    cotangent = torch.zeros(1, 1, len(IDS), 96)
    cotangent[0, 0, -1, 7] = 1.0
    capture = engine.observe([Pass(IDS)], sites, pull={LOGITS: cotangent})[0]
    expert, width = int(capture[sites[0]][3, 0]), capture[sites[1]].shape[-1]
    size = 1e-2
    write = Write(sites[1], expert * width + 5, shift=size, start=3, stop=4)
    base, moved = (engine.observe([Pass(IDS, w)], [LOGITS, sites[0]])[0][LOGITS][-1, 7] for w in ((), (write,)))
    assert float(moved - base) / size == pytest.approx(float(capture.gradient(sites[1])[0, 3, 0, 5]), rel=0.05)
