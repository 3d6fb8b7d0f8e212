"""Ports: how the tensor at a site is read and changed while the network runs.

Most sites are the stream at one end of a module's call: `ModulePort`. A kind of unit whose numbers lie inside a module
brings a port of its own and registers it under the sides that it serves.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from lm_debugger.engine.hooks import Hook, attached, input_of, output_of, with_input, with_output
from lm_debugger.engine.rewrite import Due, Rounds, rewrite
from lm_debugger.engine.sites import Side, Site
from lm_debugger.work import UNWATCHED, Work

R = TypeVar("R")

LAID_OUT = 3  # batch, positions, channels


class Clock:
    """Where a forward stands.

    Attributes:
        batch: rows.
        start: position of the first token that runs.
        length: number of tokens that run.
        work: asked between modules whether to go on.
    """

    def __init__(self, batch: int, work: Work = UNWATCHED) -> None:
        self.batch = batch
        self.start = 0
        self.length = 0
        self.work = work

    def rows(self, stream: Tensor) -> Tensor:
        """The stream as (batch, positions, channels), whatever the module's own layout."""
        if stream.dim() == LAID_OUT and stream.shape[0] == self.batch:
            return stream
        return stream.reshape(self.batch, -1, stream.shape[-1])

    def first(self, rows: Tensor) -> int:
        """Position of the first of rows (batch, positions, …): a stream of fewer positions holds the last ones."""
        return self.start + self.length - rows.shape[1]


class Order:
    """What is to be read and changed in one or more forwards.

    Args:
        module: gives a module of the network by its path.
        taps: sites to read.
        rounds: changes, by site.
        clock: where each forward stands.
        copy: whether the network changes streams in place, so that what is read must be copied.

    Attributes:
        kept: what passed each tap, as (batch, positions, …).
        flows: where gradients are wanted, the same as the very tensor that flows on.
    """

    def __init__(
        self, module: Callable[[str], nn.Module], taps: Sequence[Site], rounds: Rounds, clock: Clock, *, copy: bool
    ) -> None:
        self.module = module
        self.taps = dict.fromkeys(taps)  # in order, and looked up often
        self.rounds = rounds
        self.clock = clock
        self.copy = copy
        self.kept: dict[Site, Tensor] = {}
        self.flows: dict[Site, Tensor] = {}

    def keep(self, site: Site, stream: Tensor) -> None:
        """Keep what passes a site."""
        if torch.is_grad_enabled():
            self.flows[site] = stream if stream.requires_grad else stream.requires_grad_()
        self.kept[site] = self.clock.rows(stream.clone() if self.copy else stream)

    def mine(self, sides: frozenset[str]) -> tuple[list[Site], dict[Site, list[Due]]]:
        """The taps and changes of a port's sides."""
        return [s for s in self.taps if s.side in sides], {s: r for s, r in self.rounds.items() if s.side in sides}


class Port(Protocol):
    """Serves the sites of some sides."""

    sides: frozenset[str]

    def around(self, order: Order, forward: Callable[[], R]) -> R:
        """Run a forward, read and changed as ordered. What it needs for that is gone afterwards, whatever happens."""


_ports: list[Port] = []


def register(port: Port) -> None:
    """Have a port serve its sides."""
    _ports.append(port)


def ports() -> tuple[Port, ...]:
    """All ports."""
    return tuple(_ports)


class ModulePort:
    """Reads and changes the streams at the ends of modules' calls, with hooks."""

    sides: frozenset[str] = frozenset((Side.INPUT, Side.OUTPUT))

    def around(self, order: Order, forward: Callable[[], R]) -> R:
        """See `Port`."""
        taps, rounds = order.mine(self.sides)
        ends: dict[str, _Ends] = {}
        for site in taps:
            ends.setdefault(site.path, _Ends(order)).tap(site)
        for site, changes in rounds.items():
            ends.setdefault(site.path, _Ends(order)).change(site, changes)
        with attached(found.hook(order.module(path)) for path, found in ends.items()):
            return forward()


class _Ends:
    """What is read and changed at both ends of one module's calls."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._taps: dict[str, list[Site]] = {}
        self._rounds: dict[str, list[Due]] = {}
        self._calls = 0

    def tap(self, site: Site) -> None:
        self._taps.setdefault(site.side, []).append(site)

    def change(self, site: Site, rounds: list[Due]) -> None:
        self._rounds.setdefault(site.side, []).extend(rounds)

    def hook(self, module: nn.Module) -> Hook:
        # Without changes the input is read after the call: one hook a module is faster than two. It is read before the
        # call where the network works in place, and where gradients are wanted, as then it must be what flows on.
        if not (self._rounds or self._order.copy or torch.is_grad_enabled()):
            return Hook(module, None, self._read)
        early = (self._order.copy or torch.is_grad_enabled()) and Side.INPUT in self._taps
        before = partial(self._before, early) if early or Side.INPUT in self._rounds else None
        late = Side.INPUT in self._taps and not early
        return Hook(module, before, partial(self._after, late))

    def _read(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Only reads: what nearly every hook does, a hundred times in a forward."""
        clock, kept, calls = self._order.clock, self._order.kept, self._calls
        clock.work.go_on()
        self._calls = calls + 1
        for side, sites in self._taps.items():
            for site in sites:
                if site.occurrence == calls:
                    stream = input_of(args, kwargs) if side == Side.INPUT else output_of(output)
                    assert stream is not None  # the anatomy says that a stream passes here
                    kept[site] = clock.rows(stream)

    def _changed(self, side: str, stream: Tensor) -> Tensor:
        rounds = self._rounds.get(side)  # a change holds in every call: some models run a layer in two streams
        if not rounds:
            return stream
        rows = self._order.clock.rows(stream)
        changed = rewrite(rounds, rows, self._order.clock.first(rows))
        return stream if changed is rows else changed.reshape(stream.shape)

    def _keep(self, side: str, stream: Tensor | None) -> None:
        for site in self._taps.get(side, ()):
            if site.occurrence == self._calls:
                assert stream is not None  # the anatomy says that a stream passes here
                self._order.keep(site, stream)

    def _before(
        self, early: bool, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        stream = input_of(args, kwargs)
        assert stream is not None
        changed = self._changed(Side.INPUT, stream)
        if early:
            self._keep(Side.INPUT, changed)
            changed = self._onward(Side.INPUT, changed)
        return None if changed is stream else with_input(args, kwargs, changed)

    def _onward(self, side: str, kept: Tensor) -> Tensor:
        """What flows on from a tap. A network that works in place gets a copy where gradients are wanted: they are
        those of what was kept, not of what is made of it.
        """
        return kept.clone() if self._order.copy and torch.is_grad_enabled() and side in self._taps else kept

    def _after(self, late: bool, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        self._order.clock.work.go_on()
        if late:
            self._keep(Side.INPUT, input_of(args, kwargs))
        left = output_of(output)
        result = None
        if left is not None:
            changed = self._changed(Side.OUTPUT, left)
            self._keep(Side.OUTPUT, changed)
            changed = self._onward(Side.OUTPUT, changed)
            result = None if changed is left else with_output(output, changed)
        self._calls += 1
        return result


register(ModulePort())
