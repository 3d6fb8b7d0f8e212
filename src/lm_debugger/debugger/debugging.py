"""The verbs that begin and keep debugging sessions, and help to write what they watch."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial

from lm_debugger.debugger.stepping.saved import restored
from lm_debugger.debugger.stepping.session import Session
from lm_debugger.debugger.stepping.sessions import keep_once
from lm_debugger.debugger.stepping.standing import Host
from lm_debugger.debugger.verb import verb
from lm_debugger.errors import SessionNotFoundError, WatchError
from lm_debugger.records import limits
from lm_debugger.records.edit import Edit
from lm_debugger.records.generation import Sampling
from lm_debugger.records.session import Steering
from lm_debugger.records.watch import Suggestion, WatchCheck, WatchFault
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.watches.bind import bind, bind_condition
from lm_debugger.watches.complete import beginning, complete
from lm_debugger.work import Progress, Work

Edits = Sequence[str | Edit]


class Debugging(Host, ABC):
    """A part of `Debugger`: a prompt under the debugger, step by step."""

    @abstractmethod
    def refresh(self) -> None:
        """See `Debugger`."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @verb
    def debug(
        self,
        prompt: Prompt,
        interventions: Edits = (),
        *,
        watches: Sequence[str] = (),
        breakpoints: Sequence[str] = (),
        max_new_tokens: int = limits.SESSION_TOKENS,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        chat: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Session:
        """A debugging session on a prompt: step, break, watch, travel, edit and go on. Nothing has run yet.

        Args:
            prompt: a text, or token ids.
            interventions: edits in force from the beginning.
            watches: expressions to follow at every step, such as `p(" Paris")`.
            breakpoints: conditions to stop at, such as `p(" she") > 10%`.
            max_new_tokens: most tokens of a branch; fewer where the model's context is shorter.
            temperature, top_k, top_p, seed: as for `generate`.
            chat: put the prompt through the model's chat template.
            progress: told of calibration, if an edit needs it.
            cancel: set it to stop.

        Raises:
            PromptError, OptionError, EditError, WatchError, CalibrationError.
        """
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        steering = Steering(sampling=sampling, max_new_tokens=max_new_tokens)
        edits = self.settle(interventions, self._work(progress, cancel))
        vocabulary = self.model.vocabulary
        ids = vocabulary.encode(vocabulary.turn(prompt) if chat else prompt, special=not chat)
        context = self.model.context
        most = steering.max_new_tokens if context is None else max(1, min(max_new_tokens, context - len(ids)))
        session = Session(self, ids, edits, sampling=sampling, max_new_tokens=most)
        for watch in watches:
            session.watch(watch)
        for condition in breakpoints:
            session.stop_at(condition)
        return session

    def save_session(self, session: Session, title: str = "", database: str | None = None) -> str:
        """Keep a session, its tree, watches and breakpoints.

        Args:
            title: of the session.
            database: a file or URL; None for the file in the user's data folder.

        Returns:
            Its id, for `saved_session`.

        Raises:
            OptionError, DatabaseError.
        """
        from lm_debugger.store.database import Database

        kept = Database(database)
        try:
            return keep_once(kept, session, self.model.fingerprint, title)
        finally:
            kept.close()

    @verb
    def saved_session(self, name: str, database: str | None = None) -> Session:
        """A session that was kept. Nothing is run: its tokens run again when it goes on.

        Raises:
            SessionNotFoundError: if this model has no such session.
            OptionError, DatabaseError.
        """
        from lm_debugger.store.database import Database

        kept = Database(database)
        try:
            found = kept.session(self.model.fingerprint, name)
        finally:
            kept.close()
        if found is None:
            raise SessionNotFoundError(
                f"There is no session {name[:40]!r} of this model.", "Choose the model that it was begun with."
            )
        return restored(self, found)

    def suggest(self, expression: str, cursor: int, units: Sequence[str] = ()) -> tuple[Suggestion, ...]:
        """How a watch may go on where the cursor is.

        Args:
            cursor: index of the character before which the cursor stands.
            units: names of units worth proposing.
        """
        return complete(expression, cursor, partial(beginning, self.model), units)

    @verb
    def check_watch(
        self, expression: str, cursor: int | None = None, *, condition: bool = False, units: Sequence[str] = ()
    ) -> WatchCheck:
        """What is wrong with a watch that is being written, and how it may go on.

        Args:
            cursor: where it is being written; None for its end.
            condition: whether it is to be a condition to stop at.
            units: names of units worth proposing.
        """
        place = len(expression) if cursor is None else cursor
        suggestions = self.suggest(expression, place, units)
        try:
            found = (bind_condition if condition else bind)(expression, self.model)
        except WatchError as error:
            wrong = WatchFault(at=error.at, what=error.what, cure=error.cure)
            return WatchCheck(expression=None, kind=None, error=wrong, suggestions=suggestions)
        return WatchCheck(
            expression=str(found), kind=found.kind, error=None, warnings=found.warnings, suggestions=suggestions
        )
