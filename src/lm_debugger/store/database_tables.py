"""The tables as typed models. How they came to be is `store.migrations`'; both must say the same (a test compares)."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, DateTime, Index, Integer, String, Text
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
