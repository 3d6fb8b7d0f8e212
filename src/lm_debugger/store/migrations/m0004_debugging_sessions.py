"""Debugging sessions, and the positions of their trees."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)


def apply(connection: Connection) -> None:
    """Create their tables."""
    tables = MetaData()
    Table(
        "sessions",
        tables,
        Column("id", String(64), primary_key=True),
        Column("fingerprint", String(128), nullable=False),
        Column("title", Text, nullable=False),
        Column("ids", JSON, nullable=False),
        Column("sampling", JSON, nullable=False),
        Column("max_new_tokens", Integer, nullable=False),
        Column("at", String(64), nullable=False),
        Column("edits", JSON, nullable=False),
        Column("stop", JSON, nullable=False),
        Column("watches", JSON, nullable=False),
        Column("breakpoints", JSON, nullable=False),
        Column("next_number", Integer, nullable=False),
        Column("created", DateTime(timezone=True), nullable=False),
        Column("updated", DateTime(timezone=True), nullable=False),
        Index("sessions_of_model", "fingerprint", "updated"),
    )
    Table(
        "session_nodes",
        tables,
        Column("session", String(64), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        Column("id", String(64), primary_key=True),
        Column("parent", String(64), nullable=True),
        Column("depth", Integer, nullable=False),
        Column("token", Integer, nullable=True),
        Column("logprob", Double, nullable=True),
        Column("forced", Boolean, nullable=False),
        Column("edits", JSON, nullable=False),
        Column("finished", Boolean, nullable=False),
        Column("name", Text, nullable=False),
        Column("values", JSON, nullable=False),
    )
    tables.create_all(connection, checkfirst=False)
