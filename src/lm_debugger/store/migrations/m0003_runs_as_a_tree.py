"""What a run came from, and how the page showed it."""

from sqlalchemy import Connection, text


def apply(connection: Connection) -> None:
    """Add the columns: runs kept before have no parent, and no more of the view than their position."""
    number = "INTEGER" if connection.dialect.name == "sqlite" else "BIGINT"
    connection.execute(text(f"ALTER TABLE runs ADD COLUMN parent {number}"))
    connection.execute(text("ALTER TABLE runs ADD COLUMN view TEXT NOT NULL DEFAULT ''"))
