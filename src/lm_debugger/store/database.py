"""What people make of models, kept: names and notes of vectors, runs, recipes, names of clusters, sessions.

Everything is keyed by the model's fingerprint. Nothing here can be computed again, so unlike in the cache a failure is
an error. Several processes may use one database: each change is one statement or one short transaction.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lm_debugger.errors import OptionError
from lm_debugger.records.recipe import Recipe, SavedRecipe
from lm_debugger.records.saved import SavedRun, ValueNote
from lm_debugger.store.database_tables import Base, ClusterNameRow, NoteRow, RecipeRow, RunRow
from lm_debugger.store.engine import DatabaseError, answering, open_engine
from lm_debugger.store.sessions import Sessions

RETRY_SECONDS = 10.0  # between two attempts to open what could not be opened
RUNS_KEPT = 1000  # for each model; the oldest go first
RECIPES_KEPT = 1000  # for each model; more are refused


class Database(Sessions):
    """An open database, brought up to date. May be used from several threads.

    Args:
        place: a file or a URL; None for the file in the user's data folder.

        required: whether it must be possible to open it now. Otherwise `problem` says why it is not open, every method
            raises that, and opening it is tried again once in a while.

    Attributes:
        problem: why it is not open, or None.

    Raises:
        OptionError: if place names no database that can be used.
        DatabaseError: if it is required and cannot be opened.
    """

    def __init__(self, place: str | None = None, *, required: bool = True) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._next_try = 0.0
        self.problem: DatabaseError | None = None
        try:
            self._opened()
        except DatabaseError:
            if required:
                raise

    def close(self) -> None:
        """Close its connections."""
        if self._engine is not None:
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
        statement = self._insert(NoteRow).values(fingerprint=fingerprint, **kept.model_dump())
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
        self,
        fingerprint: str,
        *,
        prompt: str,
        interventions: tuple[str, ...],
        position: int,
        title: str = "",
        parent: int | None = None,
        view: str = "",
    ) -> SavedRun | None:
        """Keep a run; of a model's runs beyond RUNS_KEPT the oldest go.

        Returns:
            What is kept, or None if there is no such parent.
        """
        row = RunRow(
            fingerprint=fingerprint,
            prompt=prompt,
            interventions=list(interventions),
            position=position,
            title=title,
            created=datetime.now(UTC),
            parent=parent,
            view=view,
        )
        mine = RunRow.fingerprint == fingerprint
        with self._session() as session:
            session.add(row)
            session.flush()  # writes first, so that SQLite's write lock is held before anything is read
            if parent is not None and session.scalar(select(RunRow.id).where(mine, RunRow.id == parent)) is None:
                session.rollback()
                return None
            oldest = session.scalar(select(RunRow.id).where(mine).order_by(RunRow.id.desc()).offset(RUNS_KEPT).limit(1))
            if oldest is not None:
                session.execute(delete(RunRow).where(mine, RunRow.id <= oldest))
                session.execute(update(RunRow).where(mine, RunRow.parent <= oldest).values(parent=None))
            return _run(row)

    def name_run(self, fingerprint: str, number: int, title: str) -> SavedRun | None:
        """Give a run another title; what is kept now, or None if there is none."""
        mine = (RunRow.fingerprint == fingerprint, RunRow.id == number)
        with self._session() as session:
            row = session.scalar(update(RunRow).where(*mine).values(title=title).returning(RunRow))
            return None if row is None else _run(row)

    def remove_run(self, fingerprint: str, number: int) -> bool:
        """Forget a run; whether there was one. What came from it then came from its parent."""
        mine = RunRow.fingerprint == fingerprint
        query = delete(RunRow).where(mine, RunRow.id == number).returning(RunRow)
        with self._session() as session:
            gone = session.scalar(query)
            if gone is None:
                return False
            session.execute(update(RunRow).where(mine, RunRow.parent == number).values(parent=gone.parent))
            return True

    def recipes(self, fingerprint: str) -> tuple[SavedRecipe, ...]:
        """A model's recipes, newest first."""
        query = select(RecipeRow).where(RecipeRow.fingerprint == fingerprint).order_by(RecipeRow.id.desc())
        with self._session() as session:
            return tuple(_recipe(row) for row in session.scalars(query))

    def recipe(self, fingerprint: str, number: int) -> SavedRecipe | None:
        """One recipe of a model."""
        with self._session() as session:
            row = session.get(RecipeRow, number)
            return None if row is None or row.fingerprint != fingerprint else _recipe(row)

    def add_recipe(self, recipe: Recipe) -> SavedRecipe:
        """Keep a recipe, of the model whose fingerprint it has.

        Raises:
            OptionError: if that model has RECIPES_KEPT already.
        """
        row = RecipeRow(
            fingerprint=recipe.fingerprint,
            name=recipe.name,
            model=recipe.model,
            note=recipe.note,
            interventions=list(recipe.interventions),
            created=datetime.now(UTC),
        )
        count = select(func.count()).where(RecipeRow.fingerprint == recipe.fingerprint)
        with self._session() as session:
            session.add(row)
            session.flush()  # writes first, so that SQLite's write lock is held before anything is read
            if (session.scalar(count) or 0) > RECIPES_KEPT:
                raise OptionError(f"{RECIPES_KEPT} recipes of this model are kept already.", "Remove some first.")
            return _recipe(row)

    def change_recipe(
        self, fingerprint: str, number: int, *, name: str, note: str, interventions: tuple[str, ...]
    ) -> SavedRecipe | None:
        """Change a recipe; what is kept now, or None if there is none."""
        mine = (RecipeRow.fingerprint == fingerprint, RecipeRow.id == number)
        changed = update(RecipeRow).where(*mine).values(name=name, note=note, interventions=list(interventions))
        with self._session() as session:
            row = session.scalar(changed.returning(RecipeRow))
            return None if row is None else _recipe(row)

    def remove_recipe(self, fingerprint: str, number: int) -> bool:
        """Forget a recipe; whether there was one."""
        mine = (RecipeRow.fingerprint == fingerprint, RecipeRow.id == number)
        with self._session() as session:
            return session.scalar(delete(RecipeRow).where(*mine).returning(RecipeRow.id)) is not None

    def cluster_names(self, fingerprint: str, clustering: str) -> dict[int, str]:
        """The names that users gave to clusters of one clustering of a model, by the cluster's number."""
        here = (ClusterNameRow.fingerprint == fingerprint, ClusterNameRow.clustering == clustering)
        with self._session() as session:
            rows = session.execute(select(ClusterNameRow.cluster, ClusterNameRow.name).where(*here))
            return {row.cluster: row.name for row in rows}

    def write_cluster_name(self, fingerprint: str, clustering: str, cluster: int, name: str) -> None:
        """Name a cluster; "" takes its name away."""
        key = {"fingerprint": fingerprint, "clustering": clustering, "cluster": cluster}
        if name:
            statement = self._insert(ClusterNameRow).values(**key, name=name)
            with self._session() as session:
                session.execute(statement.on_conflict_do_update(index_elements=list(key), set_={"name": name}))
            return
        with self._session() as session:
            session.execute(delete(ClusterNameRow).filter_by(**key))

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is not None:
                return self._engine
            if self.problem is not None and time.monotonic() < self._next_try:
                raise self.problem.with_traceback(None)
            try:
                self._engine = open_engine(self._place)
            except DatabaseError as error:
                self.problem = error
                self._next_try = time.monotonic() + RETRY_SECONDS
                raise
            self.problem = None
            return self._engine

    def _insert(self, table: type[Base]) -> Any:
        """An insertion that can be told what to do where the row is there already; each dialect has its own."""
        make = postgresql.insert if self._opened().dialect.name == "postgresql" else sqlite.insert
        return make(table)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        engine = self._opened()
        with answering(engine), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session


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
        parent=row.parent,
        view=row.view,
    )


def _recipe(row: RecipeRow) -> SavedRecipe:
    return SavedRecipe(
        id=row.id,
        name=row.name,
        fingerprint=row.fingerprint,
        model=row.model,
        note=row.note,
        interventions=tuple(row.interventions),
        created=_utc(row.created),
    )


def _utc(when: datetime) -> datetime:
    """SQLite keeps no time zone: what was written was UTC."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
