"""Recipes, and the names of clusters."""

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
    """Create their tables."""
    tables = MetaData()
    Table(
        "recipes",
        tables,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("fingerprint", String(128), nullable=False),
        Column("name", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("interventions", JSON, nullable=False),
        Column("created", DateTime(timezone=True), nullable=False),
        Index("recipes_of_model", "fingerprint", "id"),
    )
    Table(
        "cluster_names",
        tables,
        Column("fingerprint", String(128), primary_key=True),
        Column("clustering", String(64), primary_key=True),
        Column("cluster", Integer, primary_key=True, autoincrement=False),
        Column("name", Text, nullable=False),
    )
    tables.create_all(connection, checkfirst=False)
