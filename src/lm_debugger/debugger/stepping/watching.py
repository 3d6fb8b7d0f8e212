"""What a session follows, and what it stops at."""

import threading
from collections.abc import Sequence

from lm_debugger.debugger.stepping.standing import Standing
from lm_debugger.errors import OptionError
from lm_debugger.records import limits
from lm_debugger.records.session import BreakpointView, SessionView
from lm_debugger.records.watch import WatchPath, WatchValue
from lm_debugger.watches.bind import bind
from lm_debugger.watches.evaluate import evaluate


class Watching(Standing):
    """A part of `Session`: its watches and breakpoints."""

    def watch(self, expression: str) -> SessionView:
        """Follow an expression at every step from now on.

        Raises:
            WatchError: if it cannot be read, or names what the model does not have.
            OptionError: if there are too many.
        """
        with self._verb(None):
            found = bind(expression, self._model)
            if str(found) not in self._watches and len(self._watches) >= limits.WATCHES:
                raise OptionError(f"{limits.WATCHES} watches are followed already.", "Remove one first.")
            self._watches[str(found)] = found
            return self.view()

    def unwatch(self, expression: str) -> SessionView:
        """Follow an expression no more.

        Raises:
            OptionError: if it is not followed.
        """
        with self._verb(None):
            known = expression if expression in self._watches else str(bind(expression, self._model))
            if self._watches.pop(known, None) is None:
                raise OptionError(f"{known} is not watched.", f"Watched are {', '.join(self._watches) or 'none'}.")
            return self.view()

    def watch_all(self, expressions: Sequence[str]) -> SessionView:
        """Follow exactly these expressions; what is wrong with one leaves all as they were.

        Raises:
            WatchError, OptionError: as `watch`.
        """
        with self._verb(None):
            bound = [bind(expression, self._model) for expression in expressions]
            found = {str(watch): watch for watch in bound}
            if len(found) > limits.WATCHES:
                raise OptionError(f"{len(found)} watches are more than {limits.WATCHES}.", "Follow fewer.")
            self._watches = found
            return self.view()

    @property
    def watches(self) -> tuple[str, ...]:
        """The expressions that are followed."""
        return tuple(self._watches)

    def stop_at(self, condition: str, *, once: bool = False) -> BreakpointView:
        r"""Stop where a condition is true: a watch with a comparison, `" token"`, `/pattern/`, or `differs`.

        Args:
            condition: its text.
            once: whether it goes when it has stopped the session.

        Raises:
            WatchError: if it cannot be read, is no condition, or names what the model does not have.
            OptionError: if there are too many.
        """
        with self._verb(None):
            return self.breakpoints.add(condition, once=once)

    def stop_at_all(self, conditions: Sequence[str]) -> SessionView:
        """Stop at exactly these conditions; those that stay keep their numbers, and what is wrong with one leaves all.

        Raises:
            WatchError, OptionError: as `stop_at`.
        """
        with self._verb(None):
            self.breakpoints.replace(conditions)
            return self.view()

    def clear(self, number: int | None = None) -> None:
        """Remove a breakpoint, or all.

        Raises:
            OptionError: if there is none of this number.
        """
        with self._verb(None):
            self.breakpoints.remove(number)

    def evaluate(self, expression: str, *, cancel: threading.Event | None = None) -> WatchValue:
        """What an expression gives where the session is: of the prediction that the last token was chosen from, or in a
        frame of the lens after the part that has just run.

        Raises:
            WatchError: if it cannot be read, or names what the model does not have.
            OptionError: if nothing has run yet.
        """
        with self._verb(cancel):
            found = bind(expression, self._model)
            if self._frame is None and self._at.parent is None:
                raise OptionError("Nothing has run yet.", "Take a step first.")
            return evaluate(found, self._moment([found]))

    def through(self, expressions: Sequence[str], *, cancel: threading.Event | None = None) -> tuple[WatchPath, ...]:
        """What expressions give before and after every layer, where the last token was predicted."""
        with self._verb(cancel):
            bound = [bind(expression, self._model) for expression in expressions]
            return self._trace().watch(bound, self._predicting)
