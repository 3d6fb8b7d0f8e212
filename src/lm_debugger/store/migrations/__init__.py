"""The steps from an empty database to today's: an append-only list.

A step that was released is never changed: add another at the end. Each is applied once, in order, in one transaction
with the note that it was; programs that start together apply it once.
"""

from collections.abc import Callable

from sqlalchemy import Connection, text

from lm_debugger.store.migrations import (
    m0001_names_and_runs,
    m0002_recipes_and_cluster_names,
    m0003_runs_as_a_tree,
    m0004_debugging_sessions,
)

Migration = Callable[[Connection], None]

MIGRATIONS: tuple[Migration, ...] = (
    m0001_names_and_runs.apply,
    m0002_recipes_and_cluster_names.apply,
    m0003_runs_as_a_tree.apply,
    m0004_debugging_sessions.apply,
)

_LOCK = 0x6C6D646267  # "lmdbg": PostgreSQL's advisory locks are numbers


class NewerDatabaseError(Exception):
    """The database has steps that this program does not know."""


def migrate(connection: Connection) -> None:
    """Apply the steps that are missing. Call it in a transaction that may write; on SQLite one begun IMMEDIATE.

    Raises:
        NewerDatabaseError: if the database was made by a newer program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"))
    version = connection.scalar(text("SELECT max(version) FROM schema_version")) or 0
    if version > len(MIGRATIONS):
        raise NewerDatabaseError(version)
    for number, apply in enumerate(MIGRATIONS[version:], start=version + 1):
        apply(connection)
        connection.execute(text("INSERT INTO schema_version (version) VALUES (:version)"), {"version": number})
