"""A debugging session on one prompt: step, break, watch, travel, edit and go on. What `Debugger.debug` returns.

A session stands at a position of its tree, between two tokens, or in a frame between two parts of a step. A verb runs
what it has to and stops again.
"""

import threading
from collections.abc import Callable

from lm_debugger.debugger.stepping.asking import Asking
from lm_debugger.debugger.stepping.editing import Editing
from lm_debugger.debugger.stepping.held import Held
from lm_debugger.debugger.stepping.reenter import entered
from lm_debugger.debugger.stepping.standing import OnStep, at_least_one
from lm_debugger.debugger.stepping.travelling import Travelling
from lm_debugger.debugger.stepping.tree import Node
from lm_debugger.debugger.stepping.watching import Watching
from lm_debugger.errors import CancelledError, OptionError
from lm_debugger.records.session import Because, SessionView, Stop, StopKind
from lm_debugger.watches.evaluate import evaluate, reasons
from lm_debugger.watches.moment import Moment


class Session(Watching, Travelling, Editing, Asking):
    """See the module; made as `Standing` is. Methods return the view after them, unless they say otherwise."""

    def over(
        self, count: int = 1, *, on_step: OnStep | None = None, cancel: threading.Event | None = None
    ) -> SessionView:
        """Run one token and choose the next; in a frame, run one layer.

        Args:
            count: how often.
            on_step: called with each new position.
            cancel: set it to stop.

        Raises:
            OptionError: if the text has ended, or count is below 1.
        """
        at_least_one(count)
        with self._verb(cancel):
            for _ in range(count):
                if self._frame is not None:
                    self._over_layer()
                    continue
                self._step(on_step, "step", keep=True)
                if self._stop.kind != "step":
                    break
            return self.view()

    def into(self, count: int = 1, *, cancel: threading.Event | None = None) -> SessionView:
        """Enter the step that comes next, at its first part; in a frame, run one part. Past the last part it is done.

        Raises:
            OptionError: if the text has ended, or count is below 1.
        """
        at_least_one(count)
        with self._verb(cancel):
            for _ in range(count):
                if self._frame is None:
                    self._enter()
                    continue
                following = self._frame.after(self._frame.place)
                if following is None:
                    self._leave(None)
                    break
                self._frame.place = following
                self._stop = Stop(kind="layer")
            return self.view()

    def out(self, *, on_step: OnStep | None = None, cancel: threading.Event | None = None) -> SessionView:
        """In a frame, run the rest of the step; between two tokens, all the rest, as `continue_`."""
        if self._frame is None:
            return self.continue_(on_step=on_step, cancel=cancel)
        with self._verb(cancel):
            self._leave(on_step)
            return self.view()

    def run_to_layer(self, layer: int, *, cancel: threading.Event | None = None) -> SessionView:
        """Run the step that comes next until a layer's first part; in a frame, on to that layer.

        Raises:
            OptionError: if there is no such layer, or it has run already.
        """
        with self._verb(cancel):
            if not 0 <= layer < self._model.layers:
                raise OptionError(f"Layer {layer} does not exist.", f"Choose one from 0 to {self._model.layers - 1}.")
            if self._frame is not None and self._frame.place.layer >= layer:
                raise OptionError(f"Layer {layer} has run already.", "Go back first, or run to a later one.")
            if self._frame is None:
                self._enter()
            assert self._frame is not None
            self._frame.place = self._frame.at_layer(layer)
            self._stop = Stop(kind="layer")
            return self.view()

    def run_to_token(
        self, wanted: int | str, *, on_step: OnStep | None = None, cancel: threading.Event | None = None
    ) -> SessionView:
        """Run until a position of the text is reached, or a token is chosen.

        Args:
            wanted: a position counted from the beginning of the text, or a token's text.

        Raises:
            OptionError: if the position has been passed, or nothing can be run.
            WatchError: if the text is no single token.
        """
        if isinstance(wanted, int):
            here = len(self.prompt) + self._at.depth - 1
            if wanted <= here:
                raise OptionError(f"Position {wanted} has been passed.", f"Run to one from {here + 1} on, or go back.")
            return self._go(on_step, cancel, lambda node, _: len(self.prompt) + node.depth - 1 >= wanted)
        token = self.breakpoints.of_token(wanted)
        return self._go(on_step, cancel, lambda _, moment: evaluate(token, moment) is True)

    def continue_(self, *, on_step: OnStep | None = None, cancel: threading.Event | None = None) -> SessionView:
        """Run until a breakpoint is true, the text ends, or the branch has its most tokens.

        Raises:
            OptionError: if the text has ended already.
        """
        return self._go(on_step, cancel, None)

    # inside

    def _go(
        self,
        on_step: OnStep | None,
        cancel: threading.Event | None,
        until: Callable[[Node, Moment], bool] | None,
    ) -> SessionView:
        with self._verb(cancel):
            self._check_open()
            first = True
            try:
                while True:
                    moment = self._leave(on_step) if self._frame else self._step(on_step, "step", keep=first)
                    first = self._at.depth % 16 == 0  # on a long way some are kept, to come back to
                    if until is not None and self._stop.kind == "step" and until(self._at, moment):
                        self._stop = Stop(kind="token")
                    if self._stop.kind != "step":
                        break
                    self._walk.work.go_on()
            except CancelledError:
                self._frame = None
                self._stop = Stop(kind="cancelled")
            return self.view()

    def _step(self, on_step: OnStep | None, kind: StopKind, *, keep: bool) -> Moment:
        """One token. The position, the watches' values and the reason to stop there are then known."""
        self._check_open()
        node, held = self._walk.next(self._at, self._edits, self._taps(), keep=keep)
        return self._arrive(node, held, on_step, kind)

    def _arrive(self, node: Node, held: Held, on_step: OnStep | None, kind: StopKind) -> Moment:
        """Be at a new position."""
        followed = [*self._watches.values(), *self.breakpoints.conditions]
        self._at = node
        moment = self._of_step(node, held.last, followed)
        values = {str(watch): evaluate(watch, moment) for watch in self._watches.values()}
        self._at = self.tree.add(node, values)
        met = self.breakpoints.met(moment)
        if met is not None:
            breakpoint_, watch = met
            because = tuple(Because(expression=part, value=value) for part, value in reasons(watch, moment))
            self._stop = Stop(
                kind="breakpoint", breakpoint=breakpoint_.number, expression=breakpoint_.expression, because=because
            )
        elif node.finished:
            reached = node.depth >= self.max_new_tokens
            self._stop = Stop(kind="limit" if reached else "end")
        elif node.depth >= self.max_new_tokens:
            self._stop = Stop(kind="limit")
        else:
            self._stop = Stop(kind=kind)
        if on_step is not None:
            on_step(self._node_view(self._at))
        return moment

    def _enter(self) -> None:
        self._check_open()
        frame = entered(self._walk, self._at, self._edits, self._host.reading)
        if not len(frame.streams(0).total):
            raise OptionError("Nothing of this model's layers is kept in a step.", "Step over it, or trace the text.")
        self._frame = frame
        self._stop = Stop(kind="layer")

    def _over_layer(self) -> None:
        """Run the rest of the layer and the next one's first part; after the last layer the step is done."""
        frame = self._frame
        assert frame is not None
        following = next((place for place in frame.places if place.layer > frame.place.layer), None)
        if following is None:
            self._leave(None)
            return
        frame.place = following
        self._stop = Stop(kind="layer")

    def _leave(self, on_step: OnStep | None) -> Moment:
        """Let the step that was entered end: its token is chosen."""
        frame = self._frame
        assert frame is not None
        self._frame = None
        node, held = self._walk.commit(frame.node, frame.edits, frame.held)
        return self._arrive(node, held, on_step, "step")
