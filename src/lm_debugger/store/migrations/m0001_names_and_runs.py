"""The first tables: names and notes of value vectors, and runs."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)


def apply(connection: Connection) -> None:
    """Create them."""
    tables = MetaData()
    Table(
        "value_notes",
        tables,
        Column("fingerprint", String(128), primary_key=True),
        Column("value", String(64), primary_key=True),
        Column("name", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("updated", DateTime(timezone=True), nullable=False),
    )
    Table(
        "runs",
        tables,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("fingerprint", String(128), nullable=False),
        Column("prompt", Text, nullable=False),
        Column("interventions", JSON, nullable=False),
        Column("position", Integer, nullable=False),
        Column("title", Text, nullable=False),
        Column("created", DateTime(timezone=True), nullable=False),
        Index("runs_of_model", "fingerprint", "id"),
    )
    tables.create_all(connection, checkfirst=False)
