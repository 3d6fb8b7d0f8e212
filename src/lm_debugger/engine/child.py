"""The other end of `remote`: makes a network and runs it for the process that started this one, until that hangs up."""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from torch import Tensor

from lm_debugger.engine import wire
from lm_debugger.engine.engine import Command
from lm_debugger.engine.local import LocalEngine
from lm_debugger.engine.sites import Capture, Site
from lm_debugger.engine.stepping import LocalSteps
from lm_debugger.errors import LMDebuggerError

Answer = tuple[wire.Header, dict[str, Tensor]]


class Child:
    """Answers one question after the other.

    Args:
        questions, answers: the pipes.
    """

    def __init__(self, questions: BinaryIO, answers: BinaryIO) -> None:
        self._questions = questions
        self._answers = answers
        self._engine: LocalEngine | None = None
        self._steps: dict[int, LocalSteps] = {}
        self._running: LocalSteps | None = None
        self._states: list[object] = []

    def serve(self) -> None:
        """Until the other side hangs up."""
        while True:
            try:
                question, tensors = wire.receive(self._questions)
            except EOFError:
                return
            try:
                answer, found = self._answer(question, tensors)
            except LMDebuggerError as error:
                answer = {"kind": "error", "error": type(error).__name__, "what": error.what, "cure": error.cure}
                found = {}
            except Exception as error:  # noqa: BLE001  # whatever it is, who asked is told
                traceback.print_exc()
                what = f"{type(error).__name__}: {error}"
                answer, found = {"kind": "error", "error": "EngineError", "what": what, "cure": ""}, {}
            wire.send(self._answers, answer, found)

    def _answer(self, question: wire.Header, tensors: dict[str, Tensor]) -> Answer:
        verbs: dict[str, Callable[[wire.Header, dict[str, Tensor]], Answer]] = {
            "open": self._open, "state": self._state, "observe": self._observe, "steps": self._begin,
            "step": self._step, "fork": self._fork,
        }  # fmt: skip
        return verbs[question["verb"]](question, tensors)

    @property
    def engine(self) -> LocalEngine:
        """The engine, once it was opened."""
        assert self._engine is not None
        return self._engine

    def _open(self, question: wire.Header, _: dict[str, Tensor]) -> Answer:
        for module in question["imports"]:
            importlib.import_module(module)
        module, _, function = question["factory"].partition(":")
        made = getattr(importlib.import_module(module), function)(**question["arguments"])
        network = made[0] if isinstance(made, tuple) else made  # some factories also give a tokenizer
        traits: dict[str, Any] = dict(question["traits"])
        always = [wire.to_site(site) for site in traits.pop("always", ())]
        self._engine = LocalEngine(network, always=always, **traits)
        return {"kind": "done"}, {}

    def _state(self, _: wire.Header, __: dict[str, Tensor]) -> Answer:
        weights, state = self.engine.weights(), self.engine.state()
        return {"kind": "done", "weights": self._number(weights), "state": self._number(state)}, {}

    def _number(self, state: object) -> int:
        """A number that stands for a state."""
        if state not in self._states:
            self._states.append(state)
        return self._states.index(state)

    def _observe(self, question: wire.Header, tensors: dict[str, Tensor]) -> Answer:
        taps = [wire.to_site(site) for site in question["taps"]]
        pull = question["pull"]
        within = None if question["within"] is None else (question["within"][0], question["within"][1])
        cotangents = None if pull is None else {wire.to_site(site): tensors[str(i)] for i, site in enumerate(pull)}
        passes, ahead = wire.to_passes(question["passes"]), question["ahead"]
        captures = self.engine.observe(passes, taps, pull=cotangents, within=within, ahead=ahead)
        return _told(captures, taps)

    def _begin(self, question: wire.Header, _: dict[str, Tensor]) -> Answer:
        def choose(scores: Tensor) -> Tensor:
            """Ask who asked: functions cannot be sent."""
            assert self._running is not None
            wire.send(self._answers, {"kind": "choose"}, {"ids": self._running.ids, "scores": scores})
            return wire.receive(self._questions)[1]["tokens"]

        begun = self.engine.steps(
            wire.to_passes(question["passes"]),
            choose,
            [wire.to_site(site) for site in question["taps"]],
            limit=question["limit"],
            endless=question["endless"],
        )
        return self._keep(begun)

    def _keep(self, steps: LocalSteps) -> Answer:
        number = len(self._steps)
        self._steps[number] = steps
        return {"kind": "done", "number": number}, {}

    def _step(self, question: wire.Header, _: dict[str, Tensor]) -> Answer:
        steps = self._running = self._steps[question["number"]]
        order = question["command"]
        command = None
        if order is not None:
            tokens = None if order["tokens"] is None else tuple(order["tokens"])
            writes = None if order["writes"] is None else tuple(wire.to_writes(row) for row in order["writes"])
            taps = None if order["taps"] is None else tuple(map(wire.to_site, order["taps"]))
            command = Command(tokens, writes, taps)
        try:
            step = steps.send(command)
        except StopIteration:
            return {"kind": "over"}, {}
        answer, tensors = _told(step.captures, steps.taps)
        answer |= {"at": step.number, "finished": step.finished}
        return answer, {**tensors, "tokens": step.tokens, "logits": step.logits}

    def _fork(self, question: wire.Header, _: dict[str, Tensor]) -> Answer:
        return self._keep(self._steps[question["number"]].fork())


def _told(captures: Sequence[Capture], taps: Sequence[Site]) -> Answer:
    """What captures hold, each forward's tensors once."""
    forwards: dict[int, int] = {}
    tensors: dict[str, Tensor] = {}
    rows = []
    for capture in captures:
        forward = forwards.setdefault(id(capture.streams), len(forwards))
        rows.append([forward, capture.row])
        for index, site in enumerate(taps):
            tensors[f"t{forward}.{index}"] = capture.streams.tensors[site]
            if site in capture.streams.gradients:
                tensors[f"g{forward}.{index}"] = capture.streams.gradients[site]
    return {"kind": "done", "rows": rows}, tensors


def main() -> None:
    """Serve on standard input and output; whatever else prints goes to standard error."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Child(questions, answers).serve()


if __name__ == "__main__":
    main()
