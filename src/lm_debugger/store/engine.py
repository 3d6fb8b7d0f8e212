"""Opens a database and brings it up to date: SQLite in a file, or PostgreSQL. Knows nothing of what is kept in it."""

import functools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from lm_debugger.errors import LMDebuggerError, OptionError
from lm_debugger.store.files import data_folder, private_file, private_folder
from lm_debugger.store.filesystem import on_network
from lm_debugger.store.migrations import NewerDatabaseError, migrate

BUSY_SECONDS = 5  # how long a change waits for another process's

_EXAMPLE = "Give a file, or a URL such as postgresql://user:password@host/database."


class DatabaseError(LMDebuggerError):
    """The database cannot be opened, read or written."""

    code = "database"


def open_engine(place: str | None) -> Engine:
    """The database at a file or a URL (None: the file in the user's data folder), with today's tables.

    Raises:
        OptionError: if place names no database that can be used.
        DatabaseError: if it cannot be opened.
    """
    engine = _engine(_url(place))
    try:
        with answering(engine):
            _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
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


def default_file() -> Path:
    """The database in the user's data folder."""
    return data_folder() / "lm-debugger.db"


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
            return sqlalchemy.create_engine(
                url, pool_pre_ping=True, pool_timeout=BUSY_SECONDS, connect_args={"connect_timeout": BUSY_SECONDS}
            )
        if not url.database or url.database == ":memory:":
            return sqlalchemy.create_engine(url)
        file = Path(url.database)
        _prepare(file)
        engine = sqlalchemy.create_engine(url, pool_timeout=BUSY_SECONDS, connect_args={"timeout": BUSY_SECONDS})
    except (ModuleNotFoundError, NoSuchModuleError):
        raise OptionError(
            "PostgreSQL needs the package psycopg.", "Install it: pip install 'lm-debugger[postgres]'."
        ) from None
    except OSError as error:
        raise DatabaseError(f"The folder of {url.database} cannot be made: {error}.", _EXAMPLE) from error
    event.listen(engine, "connect", functools.partial(_durable, journal="DELETE" if on_network(file) else "WAL"))
    return engine


def _prepare(file: Path) -> None:
    """See that a database's file can be made and that nobody else reads it. One that others made is left as it is.

    What SQLite keeps beside it (`-wal`, `-shm`) gets the same mode.
    """
    own = file == default_file()
    if own or not file.parent.exists():
        private_folder(file.parent)
    if own or not file.exists():
        private_file(file)


def _durable(connection: DBAPIConnection, _entry: ConnectionPoolEntry, *, journal: str) -> None:
    """Choose how changes are written, and wait no longer than BUSY_SECONDS for that.

    WAL: readers and a writer do not block each other; a killed process loses nothing that was committed. It needs
    memory that all processes share, which a network file system does not have: there it is SQLite's older journal.
    """
    cursor = connection.cursor()
    end = time.monotonic() + BUSY_SECONDS
    cursor.execute("PRAGMA busy_timeout = 100")
    # Two processes that open a new file at once may both want to change its mode: the later one asks again.
    while True:
        try:
            cursor.execute(f"PRAGMA journal_mode={journal}")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    cursor.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS}")
    cursor.execute(f"PRAGMA synchronous={'NORMAL' if journal == 'WAL' else 'FULL'}")
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


def _place(dialect: Dialect, url: sqlalchemy.URL) -> str:
    return str(url.database) if dialect.name == "sqlite" else url.render_as_string(hide_password=True)
