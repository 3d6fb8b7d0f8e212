"""An engine whose network runs in another process. It proves the seam: what a remote host or a server would implement.

The process is started anew (nothing is inherited), makes its own network, and is spoken to over its standard input
and output (`wire`). Tokens are chosen here, so that any function can choose. What is not covered: stopping a forward
midway.
"""

import copy
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Self

from torch import Tensor

from lm_debugger import errors
from lm_debugger.engine import wire
from lm_debugger.engine.engine import Choose, Command, Resume, Step, Warp
from lm_debugger.engine.sites import Capture, Pass, Site, Streams, by_length
from lm_debugger.errors import EngineError, LMDebuggerError
from lm_debugger.work import UNWATCHED, Work

Chooser = Callable[[Tensor, Tensor], Tensor]


class RemoteEngine:
    """See `engine.Engine`.

    Args:
        factory: what makes the network in the other process, as `module:function`.
        arguments: for the factory: JSON.
        imports: modules to import there, such as those that register ports.
        traits: arguments of the `LocalEngine` there: `batch_first`, `mutates`; sites of `always` as JSON.

    Raises:
        EngineError: if the process cannot make the network.
    """

    def __init__(
        self,
        factory: str,
        arguments: Mapping[str, Any],
        *,
        imports: Sequence[str] = (),
        traits: Mapping[str, Any] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lm_debugger.engine.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._end = weakref.finalize(self, _end, self._process)
        self.ask(
            {
                "verb": "open", "factory": factory, "arguments": dict(arguments), "imports": list(imports),
                "traits": dict(traits or {}),
            }
        )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        self._end()

    def ask(
        self, question: wire.Header, tensors: Mapping[str, Tensor] | None = None, choose: Chooser | None = None
    ) -> tuple[wire.Header, dict[str, Tensor]]:
        """Have the other process do something, and choose for it when it asks.

        Raises:
            EngineError: if the process is gone or failed; otherwise what it raised.
        """
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                wire.send(self._process.stdin, question, tensors)
                while True:
                    answer, found = wire.receive(self._process.stdout)
                    if answer["kind"] != "choose":
                        break
                    assert choose is not None
                    wire.send(self._process.stdin, {}, {"tokens": choose(found["ids"], found["scores"])})
            except (EOFError, BrokenPipeError, ValueError) as failure:
                raise EngineError("The process that runs the model has ended.", "Load the model again.") from failure
        if answer["kind"] == "error":
            raise _error(answer)
        return answer, found

    def weights(self) -> Hashable:
        """See `Engine`."""
        return id(self), self.ask({"verb": "state"})[0]["weights"]

    def state(self) -> Hashable:
        """See `Engine`."""
        return id(self), self.ask({"verb": "state"})[0]["state"]

    def observe(
        self,
        passes: Sequence[Pass],
        taps: Sequence[Site],
        *,
        pull: Mapping[Site, Tensor] | None = None,
        within: tuple[int, int] | None = None,
        ahead: int = 0,
        resume: Resume | None = None,
        work: Work = UNWATCHED,
    ) -> list[Capture]:
        """See `Engine`. Always runs everything."""
        found: dict[int, Capture] = {}
        for members in by_length(passes):
            work.go_on()
            cotangents = list(pull.items()) if pull else []
            question = {
                "verb": "observe",
                "passes": wire.as_passes([passes[index] for index in members]),
                "taps": [wire.as_site(site) for site in taps],
                "pull": [wire.as_site(site) for site, _ in cotangents] if pull is not None else None,
                "within": within,
                "ahead": ahead,
            }
            answer, tensors = self.ask(question, {str(i): tensor for i, (_, tensor) in enumerate(cotangents)})
            streams = _streams(answer["rows"], tensors, taps, len(members))
            found |= {index: Capture(*streams[row]) for row, index in enumerate(members)}
        return [found[index] for index in range(len(passes))]

    def steps(
        self,
        passes: Sequence[Pass],
        choose: Choose,
        taps: Sequence[Site] = (),
        *,
        limit: int,
        endless: bool = False,
        warps: Sequence[Warp] = (),
        work: Work = UNWATCHED,
    ) -> "RemoteSteps":
        """See `Engine`."""
        question = {
            "verb": "steps", "passes": wire.as_passes(passes), "taps": [wire.as_site(site) for site in taps],
            "limit": limit, "endless": endless,
        }  # fmt: skip
        return RemoteSteps(self, self.ask(question)[0]["number"], choose, taps, warps, work)


class RemoteSteps:
    """See `engine.Steps`. The other process holds the cache, under a number."""

    def __init__(
        self,
        engine: RemoteEngine,
        number: int,
        choose: Choose,
        taps: Sequence[Site],
        warps: Sequence[Warp],
        work: Work,
    ) -> None:
        self._engine = engine
        self._number = number
        self._choose = choose
        self._taps = tuple(taps)
        self._warps = tuple(warps)
        self._work = work

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        return self.send(None)

    def send(self, command: Command | None) -> Step:
        """See `Steps`."""
        self._work.go_on()
        order = None
        if command is not None:
            writes = None if command.writes is None else [wire.as_writes(row) for row in command.writes]
            taps = None if command.taps is None else [wire.as_site(site) for site in command.taps]
            self._taps = self._taps if command.taps is None else command.taps
            order = {"tokens": command.tokens, "writes": writes, "taps": taps}
        answer, tensors = self._engine.ask(
            {"verb": "step", "number": self._number, "command": order}, choose=self._chosen
        )
        if answer["kind"] == "over":
            raise StopIteration
        tokens = tensors["tokens"]
        captures = [Capture(*one) for one in _streams(answer["rows"], tensors, self._taps, len(tokens))]
        return Step(answer["at"], tokens, tensors["logits"], tuple(captures) if self._taps else (), answer["finished"])

    def _chosen(self, ids: Tensor, scores: Tensor) -> Tensor:
        for warp in self._warps:
            scores = warp(ids, scores)
        return self._choose(scores)

    @property
    def can_reuse(self) -> bool:
        """See `Steps`. What modules give is not sent back and forth."""
        return False

    def fork(self) -> Self:
        """See `Steps`."""
        number = self._engine.ask({"verb": "fork", "number": self._number})[0]["number"]
        choose, warps = copy.deepcopy((self._choose, self._warps))
        return type(self)(self._engine, number, choose, self._taps, warps, self._work)


def _streams(
    rows: Sequence[Sequence[int]], tensors: Mapping[str, Tensor], taps: Sequence[Site], count: int
) -> list[tuple[Streams, int]]:
    """The forwards that a verb ran: for each pass its forward and its row there.

    Args:
        rows: for each pass the number of its forward and its row in it.
        tensors: as sent: `t<forward>.<tap>` and `g<forward>.<tap>`.
    """
    forwards = {forward for forward, _ in rows}
    made = {
        forward: Streams(
            {site: tensors[f"t{forward}.{i}"] for i, site in enumerate(taps)},
            {site: tensors[f"g{forward}.{i}"] for i, site in enumerate(taps) if f"g{forward}.{i}" in tensors},
        )
        for forward in forwards
    }
    return [(made[forward], row) for forward, row in rows[:count]]


def _error(answer: wire.Header) -> LMDebuggerError:
    kind = getattr(errors, answer["error"], EngineError)
    found: LMDebuggerError = kind(answer["what"], answer["cure"])
    return found


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
