"""The second engine, whose network runs in another process: the proof and the trace tests pass through it."""

import signal
from functools import cache
from typing import Any

import pytest
import torch

from lm_debugger.anatomy.discovery.discover import discover
from lm_debugger.debugger.session import Debugger
from lm_debugger.engine import wire
from lm_debugger.engine.engine import Command
from lm_debugger.engine.remote import RemoteEngine
from lm_debugger.engine.sites import LOGITS, Pass
from lm_debugger.errors import EngineError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.proof.verify import verify
from lm_debugger.runs.generate import greedy
from tests import zoo
from tests.edits import test_apply
from tests.tiny import prompt, shared
from tests.trace import test_generate, test_parity

TYPES = ["llama", "gpt2", "olmo2", "mixtral"]
IDS = tuple(prompt(6))


@cache
def engine(model_type: str) -> RemoteEngine:
    model = shared(model_type).model
    always = [wire.as_site(s) for block in model.blocks for group in block.units for s in group.always]
    return RemoteEngine(
        "tests.zoo:make",
        {"model_type": model_type},
        imports=["lm_debugger.units"],
        traits={"batch_first": model.anatomy.batch_first, "mutates": model.anatomy.mutates, "always": always},
    )


@cache
def remote(model_type: str, seed: int = 0) -> Debugger:
    """A debugger whose network runs elsewhere."""
    assert seed == 0
    near = shared(model_type).model
    far = LoadedModel(near.name, near.network, near.vocabulary, near.anatomy, near.examination, engine(model_type))
    return Debugger(far, lambda model: model)


@pytest.mark.parametrize("model_type", TYPES)
def test_the_proof_and_the_trace_tests_pass_through_it(model_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one test a type, so that one process serves them all."""
    network = zoo.make(model_type)
    checks = verify(network, discover(network), engine(model_type)).checks
    assert {check.invariant for check in checks} >= {"I1", "I2", "I3", "I4", "I5"}
    assert [check for check in checks if not check.passed] == []

    near, values = shared(model_type), test_apply.names(shared(model_type))
    trace, expected = (each.trace(prompt(), [f"{v}=3" for v in values]) for each in (remote(model_type), near))
    torch.testing.assert_close(trace.last_residual, expected.last_residual, rtol=1e-5, atol=1e-6)

    monkeypatch.setattr(test_parity, "shared", remote)
    monkeypatch.setattr(test_parity, "fresh", remote, raising=False)
    monkeypatch.setattr(test_generate, "shared", remote)
    for test in (
        test_parity.test_every_layer_equals_transformers_hidden_states,
        test_parity.test_output_equals_transformers_at_every_position,
        test_parity.test_shares_of_all_sub_updates_and_the_bias_add_up,
        test_parity.test_a_batch_equals_single_runs,
        test_generate.test_greedy_generation_equals_transformers,
    ):
        test(model_type)


def test_steps_pause_fork_and_take_commands() -> None:
    near, far = shared("llama").model.engine, engine("llama")

    def go(which: Any) -> list[list[int]]:
        steps = which.steps([Pass(IDS)], greedy, limit=5)
        next(steps)
        fork = steps.fork()
        branch = [fork.send(Command(tokens=(17, 44))), *fork]
        return [[int(s.tokens[0]) for s in found] for found in (branch, steps)]

    assert go(far) == go(near)


def test_gradients_come_back() -> None:
    cotangent = torch.zeros(1, 1, len(IDS), 96)
    cotangent[0, 0, -1, 7] = 1.0
    taps = list(shared("llama").model.blocks[1].sites)
    near, far, later = (
        e.observe([Pass(IDS)], taps, pull={LOGITS: cotangent[:, :, ahead:]}, ahead=ahead)[0]
        for e, ahead in ((shared("llama").model.engine, 0), (engine("llama"), 0), (engine("llama"), 2))
    )
    for site in taps:
        torch.testing.assert_close(far.gradient(site), near.gradient(site), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(later.gradient(site), near.gradient(site)[:, 2:], rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(later[site], near[site][2:], rtol=1e-5, atol=1e-6)


def test_what_goes_wrong_there_is_an_error_here() -> None:
    with pytest.raises(EngineError, match="nobody"):
        RemoteEngine("tests.zoo:nobody", {})
    broken = RemoteEngine("tests.zoo:make", {"model_type": "llama"})
    broken._process.send_signal(signal.SIGKILL)
    with pytest.raises(EngineError, match="has ended"):
        broken.observe([Pass(IDS)], [LOGITS])
