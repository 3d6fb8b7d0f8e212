"""What a session can be asked about where it stands: its trace, who wrote a token, how to fix it, what differs."""

import threading

from lm_debugger.debugger.stepping.course import Course
from lm_debugger.debugger.stepping.difference import difference
from lm_debugger.debugger.stepping.standing import Standing, at_least_one
from lm_debugger.debugger.trace import Trace
from lm_debugger.errors import OptionError
from lm_debugger.records.fix import Fix, FixOptions
from lm_debugger.records.session import RunDifference
from lm_debugger.records.why import Why


class Asking(Standing):
    """A part of `Session`: questions, which change nothing."""

    def trace(self, wanted: str | None = None, *, cancel: threading.Event | None = None) -> Trace:
        """The text up to a position (None: where it is) as a run with all its read-outs, edits included."""
        with self._verb(cancel):
            return self._trace(None if wanted is None else self.tree.find(wanted))

    def why(
        self,
        target: str | int | None = None,
        against: str | int | None = None,
        *,
        top_k: int = 10,
        cancel: threading.Event | None = None,
    ) -> Why:
        """Who wrote the last token that was chosen, or another one there. Arguments as for `Debugger.why`."""
        from lm_debugger.attribution import why as answering
        from lm_debugger.attribution.choose import Wanted

        with self._verb(cancel):
            chosen_token = self._at.token
            wanted = Wanted(top_k)
            return answering.why(
                self._trace(), chosen_token if target is None else target, against,
                self._predicting, wanted=wanted, ablated=answering.Ablated(), work=self._walk.work,
            )  # fmt: skip

    def fix(self, target: str, *, max_edits: int = 5, cancel: threading.Event | None = None) -> Fix:
        """The fewest edits with which a wanted token would have been chosen here. Nothing is changed.

        Raises:
            OptionError: if no token has been chosen yet, or edits have changed on the way.
        """
        if self._at.parent is None:
            raise OptionError("No token has been chosen yet.", "Take a step first.")
        before = Course(self.prompt, self.tree.path(self.tree[self._at.parent]), self._at.edits)
        with self._verb(cancel):
            options = FixOptions(max_edits=max_edits)
            edits = before.spec().edits
            return self._host.fix(before.ids, target, interventions=edits, options=options, cancel=cancel)

    def difference(
        self, first: str, second: str, *, top_k: int = 20, cancel: threading.Event | None = None
    ) -> RunDifference:
        """What differs between two positions: tokens, layers, units that appear, vanish or change.

        Raises:
            OptionError: if a position does not exist, or top_k is below 1.
        """
        at_least_one(top_k)
        with self._verb(cancel):
            one, other = self.tree.find(first), self.tree.find(second)
            return difference(one.id, other.id, self._trace(one), self._trace(other), top_k)
