"""The sessions of one process: open ones in memory, all of them in the database. Each has an id that cannot be guessed.

A session that is not used for a while gives its caches back; later it leaves memory. What is kept in the database is
enough to go on with it, also in another process.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lm_debugger.debugger.stepping.saved import restored, saved
from lm_debugger.debugger.stepping.session import Session
from lm_debugger.debugger.stepping.standing import Host
from lm_debugger.errors import SessionBusyError, SessionNotFoundError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.session import SavedSession, SessionSummary

if TYPE_CHECKING:
    from lm_debugger.store.database import Database  # whoever keeps no session need not wait for it

AWAKE = 8  # sessions that keep their caches
OPEN = 64  # sessions in memory
SECONDS = 1800.0  # without use, after which a session gives its caches back
_SHOWN = 80  # characters of a text in a list


@dataclass
class _Open:
    session: Session
    used: float
    created: datetime | None = None


class OpenSessions:
    """See the module. May be used from several threads.

    Args:
        database: where they are kept; one that does not answer is only missed after a restart.
    """

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, session: Session, title: str = "") -> Session:
        """Have a new session."""
        session.id, session.title = secrets.token_urlsafe(12), title
        with self._lock:
            self._open[session.id] = _Open(session, time.monotonic())
        self._shrink()
        return session

    def find(self, host: Host, name: str) -> Session:
        """A session by its id, from the database if it is not in memory.

        Raises:
            SessionNotFoundError: if there is none.
        """
        fingerprint = host.model.fingerprint
        with self._lock:
            known = self._open.get(name)
            if known is not None:
                known.used = time.monotonic()
                self._open.move_to_end(name)
        if known is not None and known.session.fingerprint == fingerprint:
            self._shrink()
            return known.session
        kept = self._database.session(fingerprint, name)
        if kept is None:
            raise SessionNotFoundError(f"There is no session {name[:40]!r} of this model.", "List those there are.")
        session = restored(host, kept)
        with self._lock:
            session = self._open.setdefault(name, _Open(session, time.monotonic(), kept.created)).session
        self._shrink()
        return session

    def keep(self, session: Session) -> None:
        """Write a session to the database as it is now."""
        with self._lock:
            known = self._open.get(session.id)
        if known is None:
            return
        found = saved(session, session.fingerprint, known.created)
        known.created = found.created
        self._database.save_session(found)

    def remove(self, host: Host, name: str) -> None:
        """Forget a session.

        Raises:
            SessionNotFoundError: if there is none.
        """
        with self._lock:
            known = self._open.pop(name, None)
        kept = self._database.remove_session(host.model.fingerprint, name)
        if known is None and not kept:
            raise SessionNotFoundError(f"There is no session {name[:40]!r} of this model.", "List those there are.")

    def list(self, host: Host) -> tuple[SessionSummary, ...]:
        """All sessions of the model, last used first."""
        model = host.model
        with self._lock:
            awake = {name for name, each in self._open.items() if each.session.awake}
        self._shrink()
        return tuple(
            _summary(model, kept, awake=kept.id in awake) for kept in self._database.sessions(model.fingerprint)
        )

    def _shrink(self) -> None:
        """Give back what was not used for a while, and what is too much."""
        now = time.monotonic()
        with self._lock:
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
            order = list(reversed(self._open.values()))
        for place, each in enumerate(order):
            if place >= AWAKE or now - each.used > SECONDS:
                try:
                    each.session.sleep()
                except SessionBusyError:
                    continue


def keep_once(database: "Database", session: Session, fingerprint: str, title: str) -> str:
    """Keep a session of no server; its id."""
    session.id = session.id or secrets.token_urlsafe(12)
    session.title = title or session.title
    known = database.session(fingerprint, session.id)
    database.save_session(saved(session, fingerprint, None if known is None else known.created))
    return session.id


def _summary(model: LoadedModel, kept: SavedSession, *, awake: bool) -> SessionSummary:
    vocabulary = model.vocabulary
    by_id = {node.id: node for node in kept.nodes}
    tokens: list[int] = []
    at = by_id[kept.at]
    while at.token is not None and at.parent is not None:
        tokens.append(at.token)
        at = by_id[at.parent]
    parents = {node.parent for node in kept.nodes}
    return SessionSummary(
        id=kept.id,
        title=kept.title,
        prompt=vocabulary.written(kept.ids)[:_SHOWN],
        text=vocabulary.decode(tokens[::-1])[-_SHOWN:],
        tokens=len(tokens),
        branches=sum(node.id not in parents for node in kept.nodes),
        stop=kept.stop,
        awake=awake,
        created=kept.created,
        updated=kept.updated,
    )
