"""How a session goes on otherwise: with other edits, or from another token than the one that was chosen."""

import threading
from collections.abc import Sequence

from lm_debugger.debugger.stepping.reenter import entered_again
from lm_debugger.debugger.stepping.standing import Standing
from lm_debugger.debugger.stepping.tree import Edits, Node, child_of
from lm_debugger.edits.grammar import parse_all
from lm_debugger.errors import OptionError
from lm_debugger.records.edit import Edit, read_edited
from lm_debugger.records.names import UnitName
from lm_debugger.records.session import SessionView, Stop
from lm_debugger.watches.evaluate import evaluate
from lm_debugger.watches.follow import taps_of


class Editing(Standing):
    """A part of `Session`: edit and continue."""

    def edit(self, edits: Sequence[str | Edit], *, cancel: threading.Event | None = None) -> SessionView:
        """Have these edits in force from what runs next on, instead of those so far. What has run stays.

        In a frame the step runs again from the first layer whose edits differ; what lies below is not computed again.

        Raises:
            EditError: if one cannot be read or applied, or two meet.
        """
        with self._verb(cancel):
            found = self._host.settle(edits, self._walk.work)
            self._check_edits(found)
            self._have(found)
            return self.view()

    def set(self, *edits: str | Edit, cancel: threading.Event | None = None) -> SessionView:
        """Have edits in force beside those that are; one of the same unit at the same positions takes its place."""
        read = parse_all(edits)
        units = {(edit.value, edit.scope) for edit in read}
        return self.edit([*(e for e in self._edits if (e.value, e.scope) not in units), *read], cancel=cancel)

    def unset(self, *units: str | UnitName, cancel: threading.Event | None = None) -> SessionView:
        """Take the edits of units back; of all without any.

        Raises:
            ValueNameError: if a text names no unit and no direction.
            OptionError: if a unit is not edited.
        """
        names = {str(read_edited(unit) if isinstance(unit, str) else unit) for unit in units}
        kept = [edit for edit in self._edits if str(edit.value) not in names] if names else []
        edited = {str(edit.value) for edit in self._edits}
        if names - edited:
            missing = min(names - edited)
            raise OptionError(f"{missing} is not edited here.", f"Edited are {', '.join(sorted(edited)) or 'none'}.")
        return self.edit(kept, cancel=cancel)

    def force(self, wanted: str | int) -> SessionView:
        """Have another token than the last one that was chosen. Of a text of several tokens each is forced in turn.

        Args:
            wanted: the text with its leading space, or a token's id.

        Raises:
            OptionError: if nothing was chosen yet, or the text cannot be written with the model's tokens.
        """
        with self._verb(None):
            ids = self._ids_of(wanted)
            if self._at.parent is None:
                raise OptionError("No token has been chosen yet.", "Take a step first; the prompt is as it was given.")
            self._frame = None
            if self._at.depth - 1 + len(ids) > self.max_new_tokens:
                raise OptionError(
                    f"A branch has at most {self.max_new_tokens} tokens.", "Go back, or begin another session."
                )
            self._replace(self._at, ids[0])
            for token in ids[1:]:
                node, _ = self._walk.next(self._at, self._edits, self._taps(), keep=True)
                self._replace(node, token)
            self._stop = Stop(kind="edited")
            return self.view()

    # inside

    def _have(self, edits: Edits) -> None:
        if self._frame is not None and edits != self._edits:
            self._frame = entered_again(self._walk, self._frame, edits, self._host.reading)
        self._edits = edits
        self._stop = Stop(kind="edited")

    def _replace(self, node: Node, token: int) -> None:
        """Be at the position that another token leads to."""
        if token == node.token:
            self._at = node
            return
        followed = list(self._watches.values())
        step = self._walk.last(node, taps_of(followed))
        logits = step.logits[0]
        logprob = float(logits[token] - logits.logsumexp(-1)) if token < len(logits) else None
        parent = self.tree[node.parent or ""]
        forced = child_of(parent, node.edits, token, forced=True, logprob=logprob, finished=False)
        self.tree.add(forced)
        moment = self._of_step(forced, step, followed)
        self._at = self.tree.add(forced, {str(watch): evaluate(watch, moment) for watch in followed})

    def _ids_of(self, wanted: str | int) -> list[int]:
        vocabulary = self._model.vocabulary
        if isinstance(wanted, int):
            return vocabulary.encode([wanted])
        if not wanted:
            raise OptionError("The token to force is an empty text.", "Write one, such as ' he'.")
        exact_token = self.breakpoints.token_of(wanted)
        return [exact_token] if exact_token is not None else vocabulary.encode(wanted, special=False)
