"""What people make of models, kept: names and notes of value vectors, and runs. SQLite, or PostgreSQL for a team.

Everything is keyed by the model's fingerprint. Nothing here can be computed again, so unlike in the cache a failure is
an error. Several processes may use one database: each change is one statement or one short transaction.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import platformdirs
import sqlalchemy
from sqlalchemy import Dialect, Engine, delete, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from lm_debugger.errors import LMDebuggerError, OptionError
from lm_debugger.records.saved import SavedRun, ValueNote
from lm_debugger.store.database_tables import NoteRow, RunRow
from lm_debugger.store.migrations import NewerDatabaseError, migrate

BUSY_SECONDS = 10  # how long a change waits for another process's
RUNS_KEPT = 1000  # for each model; the oldest go first

_EXAMPLE = "Give a file, or a URL such as postgresql://user:password@host/database."


class DatabaseError(LMDebuggerError):
    """The database cannot be opened, read or written."""

    code = "database"


class Database:
    """An open database, brought up to date. May be used from several threads.

    Args:
        place: a file or a URL; None for the file in the user's data folder.

    Raises:
        OptionError: if place names no database that can be used.
        DatabaseError: if it cannot be opened.
    """

    def __init__(self, place: str | None = None) -> None:
        self._engine = _engine(_url(place))
        try:
            with _answering(self._engine):
                _bring_up_to_date(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def names(self, fingerprint: str) -> dict[str, str]:
        """The names of a model's value vectors, by vector."""
        with self._session() as session:
            rows = session.execute(select(NoteRow.value, NoteRow.name).where(NoteRow.fingerprint == fingerprint))
            return {value: name for value, name in rows if name}

    def notes(self, fingerprint: str) -> tuple[ValueNote, ...]:
        """Names and notes of a model's value vectors, last changed first."""
        query = select(NoteRow).where(NoteRow.fingerprint == fingerprint)
        with self._session() as session:
            rows = session.scalars(query.order_by(NoteRow.updated.desc(), NoteRow.value))
            return tuple(_note(row) for row in rows)

    def note(self, fingerprint: str, value: str) -> ValueNote | None:
        """Name and note of one value vector."""
        with self._session() as session:
            row = session.get(NoteRow, (fingerprint, value))
            return None if row is None else _note(row)

    def write_note(self, fingerprint: str, value: str, name: str, note: str) -> ValueNote | None:
        """Name and describe a value vector; both empty removes what there was.

        Returns:
            What is kept now.
        """
        here = (NoteRow.fingerprint == fingerprint, NoteRow.value == value)
        if not name and not note:
            with self._session() as session:
                session.execute(delete(NoteRow).where(*here))
            return None
        kept = ValueNote(value=value, name=name, note=note, updated=datetime.now(UTC))
        # Read-then-write would lose to another process between the two.
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(NoteRow).values(fingerprint=fingerprint, **kept.model_dump())
        changed = {"name": kept.name, "note": kept.note, "updated": kept.updated}
        with self._session() as session:
            session.execute(
                statement.on_conflict_do_update(index_elements=[NoteRow.fingerprint, NoteRow.value], set_=changed)
            )
        return kept

    def runs(self, fingerprint: str, limit: int = RUNS_KEPT) -> tuple[SavedRun, ...]:
        """A model's runs, newest first."""
        query = select(RunRow).where(RunRow.fingerprint == fingerprint).order_by(RunRow.id.desc()).limit(limit)
        with self._session() as session:
            return tuple(_run(row) for row in session.scalars(query))

    def add_run(
        self, fingerprint: str, *, prompt: str, interventions: tuple[str, ...], position: int, title: str = ""
    ) -> SavedRun:
        """Keep a run; of a model's runs beyond RUNS_KEPT the oldest go."""
        row = RunRow(
            fingerprint=fingerprint,
            prompt=prompt,
            interventions=list(interventions),
            position=position,
            title=title,
            created=datetime.now(UTC),
        )
        mine = RunRow.fingerprint == fingerprint
        with self._session() as session:
            session.add(row)
            session.flush()  # writes first, so that SQLite's write lock is held before anything is read
            oldest = select(RunRow.id).where(mine).order_by(RunRow.id.desc()).offset(RUNS_KEPT).limit(1)
            session.execute(delete(RunRow).where(mine, RunRow.id <= oldest.scalar_subquery()))
            return _run(row)

    def remove_run(self, fingerprint: str, number: int) -> bool:
        """Forget a run; whether there was one."""
        query = delete(RunRow).where(RunRow.fingerprint == fingerprint, RunRow.id == number).returning(RunRow.id)
        with self._session() as session:
            return session.scalar(query) is not None

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with _answering(self._engine), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session


def default_file() -> Path:
    """The database in the user's data folder."""
    return Path(platformdirs.user_data_dir("lm-debugger", appauthor=False)) / "lm-debugger.db"


def _url(place: str | None) -> sqlalchemy.URL:
    if place is None or "://" not in place:
        path = (default_file() if place is None else Path(place)).expanduser().absolute()
        return sqlalchemy.URL.create("sqlite", database=str(path))
    try:
        url = sqlalchemy.make_url(place)
    except (ArgumentError, ValueError):
        raise OptionError("The database's URL cannot be read.", _EXAMPLE) from None
    name = url.get_backend_name()
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise OptionError(f"Databases of the kind {name!r} are not supported.", _EXAMPLE)
    return url


def _engine(url: sqlalchemy.URL) -> Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return sqlalchemy.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS})
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sqlalchemy.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    except (ModuleNotFoundError, NoSuchModuleError):
        raise OptionError(
            "PostgreSQL needs the package psycopg.", "Install it: pip install 'lm-debugger[postgres]'."
        ) from None
    except OSError as error:
        raise DatabaseError(f"The folder of {url.database} cannot be made: {error}.", _EXAMPLE) from error
    event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Readers and a writer do not block each other; a killed process loses nothing that was committed.
    # Two processes that open a new file at once may both want to change its mode: the later one asks again.
    for attempt in range(20):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if attempt == 19:
                raise
            time.sleep(0.05)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _bring_up_to_date(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            migrate(connection)
        return
    # Python's driver begins a transaction only before it changes data; migrating needs one from the start.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            migrate(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


@contextmanager
def _answering(engine: Engine) -> Iterator[None]:
    """Turn the library's errors into ours; no password, no SQL."""
    where = _place(engine.dialect, engine.url)
    try:
        yield
    except NewerDatabaseError:
        raise DatabaseError(
            f"{where} was made by a newer LM-Debugger.", "Update LM-Debugger, or choose another with --database."
        ) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise DatabaseError(
            f"The database {where} does not answer: {reason}", "See that it can be reached and written, then try again."
        ) from error


def _place(dialect: Dialect, url: sqlalchemy.URL) -> str:
    return str(url.database) if dialect.name == "sqlite" else url.render_as_string(hide_password=True)


def _note(row: NoteRow) -> ValueNote:
    return ValueNote(value=row.value, name=row.name, note=row.note, updated=_utc(row.updated))


def _run(row: RunRow) -> SavedRun:
    return SavedRun(
        id=row.id,
        prompt=row.prompt,
        interventions=tuple(row.interventions),
        position=row.position,
        title=row.title,
        created=_utc(row.created),
    )


def _utc(when: datetime) -> datetime:
    """SQLite keeps no time zone: what was written was UTC."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
