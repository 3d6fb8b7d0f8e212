"""Debugging sessions in the database: a part of `Database`."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lm_debugger.records.session import SavedNode, SavedSession
from lm_debugger.store.database_tables import SessionNodeRow, SessionRow

SESSIONS_KEPT = 200  # for each model; those that were used longest ago go first
SESSION_DAYS = 30  # after its last use


class Sessions(ABC):
    """Keeps sessions, each as a whole."""

    @abstractmethod
    def _session(self) -> AbstractContextManager[Session]:
        """A short transaction."""

    def sessions(self, fingerprint: str) -> tuple[SavedSession, ...]:
        """A model's sessions, last used first."""
        query = select(SessionRow).where(SessionRow.fingerprint == fingerprint).order_by(SessionRow.updated.desc())
        with self._session() as session:
            return tuple(_saved(session, row) for row in session.scalars(query))

    def session(self, fingerprint: str, name: str) -> SavedSession | None:
        """One session of a model."""
        with self._session() as session:
            row = session.get(SessionRow, name)
            return None if row is None or row.fingerprint != fingerprint else _saved(session, row)

    def save_session(self, saved: SavedSession) -> None:
        """Keep a session as it is now; of the model's sessions beyond SESSIONS_KEPT the oldest go, and expired ones."""
        own = {
            **saved.model_dump(mode="json", exclude={"nodes", "created", "updated"}),
            "created": saved.created,
            "updated": saved.updated,
        }
        with self._session() as session:
            session.merge(SessionRow(**own))
            session.flush()
            names = select(SessionNodeRow.id, SessionNodeRow.name).where(SessionNodeRow.session == saved.id)
            known: dict[str, str] = {row.id: row.name for row in session.execute(names)}
            gone = known.keys() - {node.id for node in saved.nodes}
            if gone:
                mine = SessionNodeRow.session == saved.id
                session.execute(delete(SessionNodeRow).where(mine, SessionNodeRow.id.in_(gone)))
            for node in saved.nodes:
                if known.get(node.id) != node.name:
                    session.merge(SessionNodeRow(session=saved.id, **node.model_dump(mode="json")))
            _expire(session, saved.fingerprint)

    def remove_session(self, fingerprint: str, name: str) -> bool:
        """Forget a session; whether there was one."""
        with self._session() as session:
            row = session.get(SessionRow, name)
            if row is None or row.fingerprint != fingerprint:
                return False
            _remove(session, [name])
            return True


def _expire(session: Session, fingerprint: str) -> None:
    mine = SessionRow.fingerprint == fingerprint
    ordered = select(SessionRow.id).where(mine).order_by(SessionRow.updated.desc()).offset(SESSIONS_KEPT)
    old = select(SessionRow.id).where(mine, SessionRow.updated < datetime.now(UTC) - timedelta(days=SESSION_DAYS))
    _remove(session, [*session.scalars(ordered), *session.scalars(old)])


def _remove(session: Session, names: list[str]) -> None:
    if names:
        session.execute(delete(SessionNodeRow).where(SessionNodeRow.session.in_(names)))
        session.execute(delete(SessionRow).where(SessionRow.id.in_(names)))


def _saved(session: Session, row: SessionRow) -> SavedSession:
    query = select(SessionNodeRow).where(SessionNodeRow.session == row.id)
    nodes = session.scalars(query.order_by(SessionNodeRow.depth, SessionNodeRow.id))
    own = {name: getattr(row, name) for name in SavedSession.model_fields if name != "nodes"}
    kept = [{name: getattr(node, name) for name in SavedNode.model_fields} for node in nodes]
    # SQLite keeps no time zone: what was written was UTC.
    times = {name: own[name] if own[name].tzinfo else own[name].replace(tzinfo=UTC) for name in ("created", "updated")}
    return SavedSession.model_validate({**own, **times, "nodes": kept})
