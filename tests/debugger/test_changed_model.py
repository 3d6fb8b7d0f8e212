"""What a user does to the model while it is under the debugger: training, compiling, hooks, autocast, threads."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import ModelLoadError, ReentryError, StaleRunError
from tests import zoo
from tests.tiny import debugger, prompt, tokenizer


def own(tiny: Debugger, ids: list[int]) -> torch.Tensor:
    """The model's own logits at the last position."""
    network = tiny.model.network
    training = network.training
    with torch.no_grad():
        logits: torch.Tensor = network.eval()(torch.tensor([ids])).logits[0, -1]
    network.train(training)
    return logits


def train(network: Any, steps: int = 3) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.tensor([prompt()]), labels=torch.tensor([prompt()])).loss.backward()
        optimizer.step()


def test_a_trace_after_training_is_of_the_trained_weights() -> None:
    tiny = debugger("llama")
    before = tiny.trace(prompt())
    fingerprint, value = tiny.summary.fingerprint, tiny.value("L1D5")
    train(tiny.model.network)
    after = tiny.trace(prompt())
    torch.testing.assert_close(after.logits(), own(tiny, prompt()), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(before.last_residual, after.last_residual)
    assert tiny.summary.fingerprint != fingerprint
    assert tiny.value("L1D5").norm != value.norm
    assert tiny.examine().supported


def test_a_trace_of_weights_that_are_gone_is_not_read_through_the_new_ones() -> None:
    tiny = debugger("llama")
    before = tiny.trace(prompt())
    with torch.no_grad():
        tiny.model.network.lm_head.weight.mul_(2)
    with pytest.raises(StaleRunError, match="changed since"):
        before.view()
    assert tiny.trace(prompt()).view().output


@pytest.mark.parametrize("change", ["in place", "replaced tensor", "replaced parameter", "replaced module"])
def test_every_way_to_change_weights_is_noticed(change: str) -> None:
    tiny = debugger("llama")
    tiny.trace(prompt())
    layer = tiny.model.network.model.layers[1].mlp
    with torch.no_grad():
        if change == "in place":
            layer.down_proj.weight[:, 3] = 0
        elif change == "replaced tensor":
            layer.down_proj.weight.data = layer.down_proj.weight.data * 1.5
        elif change == "replaced parameter":
            layer.down_proj.weight = torch.nn.Parameter(layer.down_proj.weight * 1.5)
        else:
            fresh = torch.nn.Linear(layer.down_proj.in_features, layer.down_proj.out_features, bias=False)
            layer.down_proj = fresh
    torch.testing.assert_close(tiny.trace(prompt()).logits(), own(tiny, prompt()), rtol=1e-4, atol=1e-5)
    edited = tiny.trace(prompt(), ["L1D5=7"])
    assert edited.view().comparison is not None
    (group,) = edited.layer(1).layer.groups
    assert float(group.coefficients(edited.layer(1))[0, 5]) == 7.0


def test_a_calibration_after_a_change_is_not_read_back_by_the_unchanged_model(empty_cache: Path) -> None:
    first = debugger("llama")
    level = first.coefficient_range(lm_debugger.ValueName(1, 5)).high
    changed = debugger("llama")
    with torch.no_grad():
        changed.model.network.model.layers[1].mlp.up_proj.weight.mul_(8)
    other = changed.coefficient_range(lm_debugger.ValueName(1, 5)).high
    assert other > 2 * level
    again = debugger("llama")
    assert again.coefficient_range(lm_debugger.ValueName(1, 5)).high == level


def test_a_change_during_a_calibration_keeps_it_out_of_the_cache(empty_cache: Path) -> None:
    tiny = debugger("llama")

    def disturb(step: str, done: int, total: int) -> None:
        if step == "Measuring coefficients" and done == 10:
            with torch.no_grad():
                tiny.model.network.model.layers[1].mlp.up_proj.weight.mul_(8)

    tiny.calibrate(tokens=1000, progress=disturb)
    assert not list(empty_cache.rglob("calibration*/**/*.safetensors"))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_model_is_opened_and_asked_under_any_mode_of_its_users(empty_cache: Path, mode: type) -> None:
    """Notebooks switch derivatives off once for all: heads are found by them, and so are estimates, fixes, lenses."""
    network = zoo.make("llama")
    with mode():
        tiny = lm_debugger.load(network, tokenizer(96))
        assert all(layer.heads for layer in tiny.model.anatomy.layers)
        assert tiny.why(prompt(), verify=2).parts[0].estimate is not None
        assert tiny.fit_lens("jacobian", prompts=2, tokens=24).lens.kind == "jacobian"
        assert tiny.fix(prompt(), 17).forwards
        assert not torch.is_grad_enabled()
        assert not tiny.trace(prompt()).logits().requires_grad
    assert tiny.why(prompt()).parts[0].estimate is not None


def test_weights_that_cannot_be_differentiated_are_refused() -> None:
    with torch.inference_mode():
        network = zoo.make("llama")
    with pytest.raises(ModelLoadError, match="inference_mode"):
        lm_debugger.load(network, tokenizer(96))


def test_results_under_autocast_are_the_models_own() -> None:
    tiny = debugger("llama")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = tiny.trace(prompt(), ["L1D5=4"])
        view, text = under.view(), tiny.generate(prompt(), max_new_tokens=4)
        promoted = tiny.value("L1D5").promotes
    fresh = debugger("llama")
    plain = fresh.trace(prompt(), ["L1D5=4"])
    assert torch.equal(under.last_residual, plain.last_residual)
    assert view == plain.view()
    assert text == fresh.generate(prompt(), max_new_tokens=4)
    assert promoted == fresh.value("L1D5").promotes


def test_a_run_under_a_users_hook_is_forgotten_with_the_hook() -> None:
    tiny = debugger("llama")
    plain = tiny.trace(prompt()).logits()
    handle = tiny.model.network.model.layers[1].register_forward_hook(lambda _, __, out: out * 2)
    hooked = tiny.trace(prompt()).logits()
    handle.remove()
    assert not torch.allclose(hooked, plain)
    assert torch.equal(tiny.trace(prompt()).logits(), plain)


@pytest.mark.parametrize("how", ["compile()", "torch.compile(forward)", "torch.compile(model)"])
def test_edits_act_in_a_compiled_model(how: str) -> None:
    tiny = debugger("llama")
    expected = tiny.trace(prompt(), ["L1D5=50"]).logits()
    network = zoo.make("llama")
    if how == "compile()":
        network.compile(backend="eager")
    elif how == "torch.compile(forward)":
        network.forward = torch.compile(network.forward, backend="eager")
    else:
        network = torch.compile(network, backend="eager")
    network(torch.tensor([prompt()]))  # the compiled code is made without our hooks
    compiled = lm_debugger.load(network, tokenizer(96))
    torch.testing.assert_close(compiled.trace(prompt(), ["L1D5=50"]).logits(), expected, rtol=1e-4, atol=1e-5)
    edited = compiled.generate(prompt(), ["L1D5=50"], max_new_tokens=3)
    assert [t.id for t in edited.tokens] == [
        t.id for t in tiny.generate(prompt(), ["L1D5=50"], max_new_tokens=3).tokens
    ]


def test_a_model_in_training_mode_is_run_in_eval_mode_and_given_back() -> None:
    network = zoo.make("gpt2", resid_pdrop=0.5, embd_pdrop=0.5)
    network.train()
    network.transformer.h[0].eval()  # a mode of its own
    modes = [module.training for module in network.modules()]
    tiny = lm_debugger.load(network, tokenizer(96))
    first = tiny.trace(prompt()).logits()
    tiny.generate(prompt(), max_new_tokens=2)
    assert [module.training for module in network.modules()] == modes
    network.eval()
    torch.testing.assert_close(first, own(tiny, prompt()), rtol=1e-4, atol=1e-5)


def test_a_trace_inside_on_token_is_of_its_own_edits_alone() -> None:
    tiny, fresh = debugger("llama"), debugger("llama")
    inside: list[torch.Tensor] = []
    found = tiny.generate(
        prompt(), ["L1D5=50"], max_new_tokens=3, on_token=lambda _: inside.append(tiny.trace(prompt(5)).logits())
    )
    expected = fresh.trace(prompt(5)).logits()
    assert all(torch.equal(logits, expected) for logits in inside)
    assert torch.equal(tiny.trace(prompt(5)).logits(), expected)
    assert found == fresh.generate(prompt(), ["L1D5=50"], max_new_tokens=3)


def test_the_debugger_inside_a_forward_that_it_runs_is_refused_clearly() -> None:
    tiny = debugger("llama")

    def hook(*_: object) -> None:
        tiny.trace(prompt(4))

    handle = tiny.model.network.model.layers[1].register_forward_hook(hook)
    with pytest.raises(ReentryError, match="in the middle of a forward"):
        tiny.trace(prompt())
    handle.remove()
    assert tiny.trace(prompt()).view().output


def test_the_debugger_inside_a_users_own_forward_is_exact() -> None:
    tiny, fresh = debugger("llama"), debugger("llama")
    seen: list[torch.Tensor] = []
    network = tiny.model.network
    calls: list[int] = []

    def hook(*_: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            seen.append(tiny.trace(prompt(5), ["L2D5=9"]).logits())

    handle = network.model.layers[1].register_forward_hook(hook)
    with torch.no_grad():
        outer = network(torch.tensor([prompt()])).logits[0, -1]
    handle.remove()
    assert torch.equal(seen[0], fresh.trace(prompt(5), ["L2D5=9"]).logits())
    torch.testing.assert_close(outer, fresh.trace(prompt()).logits(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_two_debuggers_on_one_network_in_two_threads_do_not_meet(model_type: str) -> None:
    network = zoo.make(model_type)
    two = [lm_debugger.load(network, tokenizer(96)) for _ in range(2)]
    name = "L1E0D5" if model_type == "mixtral" else "L1D5"
    edits: list[list[str]] = [[f"{name}=30"], [f"{name}=-30"]]
    expected = [debugger(model_type).trace(prompt(6), those).logits() for those in edits]
    wrong: list[int] = []

    def go(which: int) -> None:
        for round_ in range(40):
            tiny = two[which]
            tiny._runs.clear()
            found = tiny.trace(prompt(6), edits[which]).logits()
            if not torch.allclose(found, expected[which], rtol=1e-4, atol=1e-5):
                wrong.append(round_)

    threads = [threading.Thread(target=go, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_a_users_own_forward_in_another_thread_never_sees_our_edits(model_type: str) -> None:
    tiny = debugger(model_type)
    network = tiny.model.network
    name = "L1E0D5" if model_type == "mixtral" else "L1D5"
    expected = own(tiny, prompt(6))
    wrong: list[float] = []
    over = threading.Event()

    def forwards() -> None:
        while not over.is_set():
            with torch.no_grad():
                found = network(torch.tensor([prompt(6)])).logits[0, -1]
            if not torch.allclose(found, expected, rtol=1e-4, atol=1e-5):
                wrong.append(float((found - expected).abs().max()))

    thread = threading.Thread(target=forwards)
    thread.start()
    for size in range(40):
        tiny.trace(prompt(6), [f"{name}={30 + size}"])
    over.set()
    thread.join()
    assert wrong == []


def test_many_threads_on_one_debugger_get_what_they_asked_for() -> None:
    tiny = debugger("llama")
    expected = [debugger("llama").trace(prompt(4 + i), [f"L1D{i}=9"]).logits() for i in range(4)]
    failures: list[object] = []

    def go(which: int) -> None:
        try:
            for _ in range(15):
                found = tiny.trace(prompt(4 + which), [f"L1D{which}=9"]).logits()
                if not torch.allclose(found, expected[which], rtol=1e-4, atol=1e-5):
                    failures.append(which)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=go, args=(i % 4,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_what_another_thread_runs_meanwhile_is_no_change_of_the_model() -> None:
    """A forward under way has our hooks on: a trace that is kept is found all the same, and a session goes on."""
    tiny = debugger("llama")
    inside, over = threading.Event(), threading.Event()
    mine = threading.get_ident()

    def wait(*_: Any) -> None:
        if threading.get_ident() != mine:
            inside.set()
            assert over.wait(60)

    handle = tiny.model.network.model.layers[1].register_forward_hook(wait)
    kept = tiny.trace(prompt())
    session = tiny.debug(prompt(), max_new_tokens=4)
    session.over(2)
    other = threading.Thread(target=lambda: tiny.trace(prompt(7, 1)))
    other.start()
    try:
        assert inside.wait(60)
        assert tiny.find(prompt()) is not None
        session.back()
    finally:
        over.set()
        other.join()
        handle.remove()
    assert kept.view().output


def test_a_first_on_in_a_batch_is_measured_before_anything_runs(empty_cache: Path) -> None:
    tiny = debugger("llama")
    plain, edited = tiny.trace_batch([prompt(5), prompt(6)], [[], ["L2D1=on"]])
    assert plain.baseline is None
    assert edited.view().comparison is not None
    level = tiny.coefficient_range(lm_debugger.ValueName(2, 1)).high
    (group,) = edited.layer(2).layer.groups
    assert float(group.coefficients(edited.layer(2))[0, 1]) == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_ctrl_c_at_any_moment_leaves_nothing_behind(model_type: str) -> None:
    """An interruption after any number of calls inside a traced forward, its set-up and its clean-up included."""
    import sys

    tiny = debugger(model_type)
    network = tiny.model.network
    implementation = network.config._experts_implementation
    name = "L1E0D5" if model_type == "mixtral" else "L1D5"
    tiny.trace(prompt(4), [f"{name}=2"])

    class Interrupt:
        """Raises KeyboardInterrupt in the n-th call of a function of the engine."""

        def __init__(self, after: int) -> None:
            self.left = after

        def __call__(self, frame: Any, event: str, _: object) -> "Interrupt":
            if event in ("call", "return") and "/lm_debugger/" in frame.f_code.co_filename:
                self.left -= 1
                if self.left == 0:
                    raise KeyboardInterrupt
            return self

    calls, interrupted = 1, 0
    while True:
        tiny._runs.clear()
        sys.settrace(Interrupt(calls))
        try:
            tiny.trace(prompt(4), [f"{name}=2"])
        except KeyboardInterrupt:
            interrupted += 1
        else:
            break
        finally:
            sys.settrace(None)
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
        assert network.config._experts_implementation == implementation
        assert not any(m.training for m in network.modules())
        calls += 1 + calls // 40
    assert interrupted > 30
    assert tiny.trace(prompt(4), [f"{name}=2"]).view().output
