"""The tables as typed models. How they came to be is `store.migrations`'; both must say the same (a test compares)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Double, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only where the column's type is INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The base of all tables."""


class NoteRow(Base):
    """A value vector's name and note: one for each model and vector."""

    __tablename__ = "value_notes"

    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    updated: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RunRow(Base):
    """A run that was kept."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_of_model", "fingerprint", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    fingerprint: Mapped[str] = mapped_column(String(128))
    prompt: Mapped[str] = mapped_column(Text)
    interventions: Mapped[list[str]] = mapped_column(JSON)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    parent: Mapped[int | None] = mapped_column(Id)
    view: Mapped[str] = mapped_column(Text)


class RecipeRow(Base):
    """A named group of edits that was kept."""

    __tablename__ = "recipes"
    __table_args__ = (Index("recipes_of_model", "fingerprint", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    fingerprint: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    interventions: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ClusterNameRow(Base):
    """A cluster's name: one for each model, clustering and cluster."""

    __tablename__ = "cluster_names"

    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    clustering: Mapped[str] = mapped_column(String(64), primary_key=True)
    cluster: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)


class SessionRow(Base):
    """A debugging session."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_of_model", "fingerprint", "updated"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(128))
    title: Mapped[str] = mapped_column(Text)
    ids: Mapped[list[int]] = mapped_column(JSON)
    sampling: Mapped[dict[str, Any]] = mapped_column(JSON)
    max_new_tokens: Mapped[int] = mapped_column(Integer)
    at: Mapped[str] = mapped_column(String(64))
    edits: Mapped[list[Any]] = mapped_column(JSON)
    stop: Mapped[dict[str, Any]] = mapped_column(JSON)
    watches: Mapped[list[str]] = mapped_column(JSON)
    breakpoints: Mapped[list[Any]] = mapped_column(JSON)
    next_number: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SessionNodeRow(Base):
    """A position of a session's tree."""

    __tablename__ = "session_nodes"

    session: Mapped[str] = mapped_column(String(64), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    parent: Mapped[str | None] = mapped_column(String(64))
    depth: Mapped[int] = mapped_column(Integer)
    token: Mapped[int | None] = mapped_column(Integer)
    logprob: Mapped[float | None] = mapped_column(Double)
    forced: Mapped[bool] = mapped_column(Boolean)
    edits: Mapped[list[Any]] = mapped_column(JSON)
    finished: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
