"""Work dies with its client: what nobody wants any more is given up in the middle, not when it is done."""

import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from torch import nn

from lm_debugger import Debugger
from lm_debugger.errors import CancelledError
from tests.server.live import Process, wait_until
from tests.tiny import prompt, shared

LONG = "word " * 1200


def leave(client: httpx2.Client, path: str, body: dict[str, Any], step: str) -> None:
    """Ask for something long, go away once a step of it is under way, and wait until nothing is done any more."""
    with client.stream("POST", path, json=body | {"stream": True}) as answer:
        assert answer.status_code == 200, answer.read()
        lines = answer.iter_lines()
        assert any(step in line for line in lines)
    wait_until(lambda: client.get("/api/health").json()["step"] == "")


def test_ten_thousand_clusters_are_not_made_for_nobody(served: Process) -> None:
    leave(served.client, "/api/clusters", {"k": 10_000, "seed": 77}, "lustering")
    known = served.client.get("/api/clusters")
    assert known.status_code == 404 or (known.json()["k"], known.json()["seed"]) != (10_000, 77)


def test_parts_are_not_switched_off_for_nobody(served: Process) -> None:
    """The lane is free for the next one, who gets an answer."""
    leave(served.client, "/api/why", {"prompt": LONG, "verify": 200, "estimate": False}, "Switching parts off")
    assert served.client.post("/api/trace", json={"prompt": "My wife is"}).status_code == 200


def test_a_forward_stops_in_the_middle() -> None:
    """Hardly a module more runs once it is to stop."""
    debugger = shared("llama")
    assert _run_after_cancel(debugger, lambda cancel: debugger.trace(prompt(8), ["L0D1=3"], cancel=cancel)) == 0


def test_a_backward_pass_is_not_begun_for_nobody() -> None:
    debugger = shared("llama")
    assert _run_after_cancel(debugger, lambda cancel: debugger.why(prompt(9), cancel=cancel)) == 0


def _run_after_cancel(debugger: Debugger, work: Callable[[threading.Event], object]) -> int:
    """How many of the later layers run although the work was told to stop in the second one."""
    cancel, ran = threading.Event(), []
    layers = debugger.model.network.get_submodule(debugger.model.anatomy.layers[0].path.rpartition(".")[0])
    assert isinstance(layers, nn.ModuleList)

    def see(number: int) -> Callable[..., None]:
        def hook(*_: object) -> None:
            if cancel.is_set():
                ran.append(number)
            if number == 1:
                cancel.set()

        return hook

    hooks = [layer.register_forward_pre_hook(see(number)) for number, layer in enumerate(layers)]
    try:
        with pytest.raises(CancelledError):
            work(cancel)
    finally:
        for hook in hooks:
            hook.remove()
    return len(ran)
