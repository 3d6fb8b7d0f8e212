"""Names, notes, runs and recipes, on SQLite and on a real PostgreSQL, in one process and in several."""

import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text

from lm_debugger.errors import OptionError
from lm_debugger.records.recipe import Recipe
from lm_debugger.records.saved import SavedRun
from lm_debugger.store import database as module
from lm_debugger.store import files
from lm_debugger.store.database import Database
from lm_debugger.store.database_tables import Base
from lm_debugger.store.engine import DatabaseError
from lm_debugger.store.migrations import MIGRATIONS

SERVER_VARIABLE = "LM_DEBUGGER_TEST_DATABASE"
MODEL = "f" * 16
NASTY = "<script>alert(1)</script> \"'; DROP TABLE value_notes; -- ünï🤖\n"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL: the one in the variable, else a private one, started if Debian's package is there."""
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip(f"no PostgreSQL: install Debian's package postgresql, or set {SERVER_VARIABLE}")
    binaries = programs[-1].parent
    folder = Path("/tmp") / f"lm-debugger-postgres-{uuid.uuid4().hex[:8]}"  # short: it holds a socket
    folder.mkdir(mode=0o700)
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and runuser is not installed")
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def call(name: str, *arguments: str) -> None:
        subprocess.run([*as_user, str(binaries / name), *arguments], check=True, capture_output=True, cwd="/")

    data = str(folder / "data")
    try:
        call("initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-c listen_addresses= -k {folder}", "start")
        yield f"postgresql://tester@/postgres?host={folder}"
        call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "new folder" / "a.db")
        return
    server = request.getfixturevalue("postgres")
    url = sqlalchemy.make_url(server).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    server_engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with server_engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with server_engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server_engine.dispose()


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    found = Database(place)
    yield found
    found.close()


def test_names_and_notes(database: Database) -> None:
    assert database.note(MODEL, "L1D2") is None
    kept = database.write_note(MODEL, "L1D2", "numbers", "")
    assert kept is not None
    assert database.note(MODEL, "L1D2") == kept
    changed = database.write_note(MODEL, "L1D2", NASTY, NASTY)
    assert database.notes(MODEL) == (changed,)
    database.write_note(MODEL, "L1D3", "", "only a note")
    assert database.names(MODEL) == {"L1D2": NASTY}
    assert [note.value for note in database.notes(MODEL)] == ["L1D3", "L1D2"]
    assert database.write_note(MODEL, "L1D2", "", "") is None
    assert database.write_note(MODEL, "L1D2", "", "") is None
    assert database.names(MODEL) == {}


def test_models_do_not_see_each_others_work(database: Database) -> None:
    database.write_note(MODEL, "L1D2", "mine", "")
    run = database.add_run(MODEL, prompt="a", interventions=(), position=-1)
    assert run is not None
    assert database.add_run("other", prompt="a", interventions=(), position=-1, parent=run.id) is None
    assert database.name_run("other", run.id, "theirs") is None
    assert database.names("other") == {}
    assert database.runs("other") == ()
    assert not database.remove_run("other", run.id)
    assert database.runs(MODEL) == (run,)


def test_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNS_KEPT", 3)
    runs = [keep(database, f"{NASTY}{i}", interventions=("L1D2=off", "L1D3*=2.0@last"), position=i) for i in range(5)]
    other = database.add_run("other", prompt="x", interventions=(), position=0, title="t")
    assert other is not None
    assert database.runs(MODEL) == tuple(reversed(runs[2:]))
    assert database.runs(MODEL, limit=1) == (runs[4],)
    assert database.remove_run(MODEL, runs[3].id)
    assert not database.remove_run(MODEL, runs[3].id)
    assert database.runs(MODEL) == (runs[4], runs[2])
    assert database.runs("other") == (other,)


def keep(
    database: Database,
    prompt: str,
    parent: int | None = None,
    interventions: tuple[str, ...] = (),
    position: int = -1,
) -> SavedRun:
    kept = database.add_run(MODEL, prompt=prompt, interventions=interventions, position=position, parent=parent)
    assert kept is not None
    return kept


def parents(database: Database) -> dict[str, int | None]:
    return {run.prompt: run.parent for run in database.runs(MODEL)}


def test_a_run_gets_a_title_and_keeps_its_view(database: Database) -> None:
    kept = database.add_run(MODEL, prompt="a", interventions=(), position=0, view="layer=3&show=base")
    assert kept is not None
    assert (kept.title, kept.view, kept.parent) == ("", "layer=3&show=base", None)
    assert database.name_run(MODEL, kept.id, NASTY) == kept.model_copy(update={"title": NASTY})
    assert database.name_run(MODEL, kept.id + 1, "x") is None
    assert database.runs(MODEL) == (kept.model_copy(update={"title": NASTY}),)


def test_runs_are_a_tree_that_closes_where_one_is_removed(database: Database) -> None:
    root = keep(database, "root")
    child = keep(database, "child", root.id)
    keep(database, "grandchild", child.id)
    assert parents(database) == {"root": None, "child": root.id, "grandchild": child.id}
    assert database.add_run(MODEL, prompt="stray", interventions=(), position=0, parent=999) is None
    assert database.remove_run(MODEL, child.id)
    assert parents(database) == {"root": None, "grandchild": root.id}
    assert database.remove_run(MODEL, root.id)
    assert parents(database) == {"grandchild": None}


def test_what_came_from_a_run_that_was_too_old_comes_from_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNS_KEPT", 2)
    first = keep(database, "first")
    second = keep(database, "second", first.id)
    keep(database, "third", second.id)
    assert parents(database) == {"second": None, "third": second.id}


def a_recipe(name: str = "sentiment", fingerprint: str = MODEL) -> Recipe:
    edits = ("L1D2=on*0.5@generated", "L1D3=off")
    return Recipe(name=name, fingerprint=fingerprint, model="demo", note=NASTY, interventions=edits)


def test_recipes(database: Database) -> None:
    first, second = (database.add_recipe(a_recipe(name)) for name in ("one", NASTY))
    other = database.add_recipe(a_recipe(fingerprint="other"))
    assert Recipe(**first.model_dump(exclude={"id", "created"})) == a_recipe("one")
    assert database.recipes(MODEL) == (second, first)
    assert database.recipes("other") == (other,)
    assert database.recipe(MODEL, first.id) == first
    assert database.recipe(MODEL, other.id) is None
    changed = database.change_recipe(MODEL, first.id, name="uno", note="", interventions=("L1D2=off",))
    assert changed == first.model_copy(update={"name": "uno", "note": "", "interventions": ("L1D2=off",)})
    assert database.change_recipe(MODEL, other.id, name="mine", note="", interventions=()) is None
    assert not database.remove_recipe(MODEL, other.id)
    assert database.recipes("other") == (other,)
    assert database.remove_recipe(MODEL, second.id)
    assert not database.remove_recipe(MODEL, second.id)
    assert database.recipes(MODEL) == (changed,)


def test_too_many_recipes_are_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECIPES_KEPT", 2)
    kept = [database.add_recipe(a_recipe(name)) for name in "ab"]
    with pytest.raises(OptionError, match="2 recipes"):
        database.add_recipe(a_recipe("c"))
    database.add_recipe(a_recipe(fingerprint="other"))
    assert database.recipes(MODEL) == tuple(reversed(kept))


def test_cluster_names(database: Database) -> None:
    database.write_cluster_name(MODEL, "k=10 seed=0", 3, "numbers")
    database.write_cluster_name(MODEL, "k=10 seed=0", 3, NASTY)
    database.write_cluster_name(MODEL, "k=10 seed=0", 0, "names")
    database.write_cluster_name(MODEL, "k=20 seed=0", 3, "another clustering's")
    database.write_cluster_name("other", "k=10 seed=0", 3, "another model's")
    assert database.cluster_names(MODEL, "k=10 seed=0") == {3: NASTY, 0: "names"}
    database.write_cluster_name(MODEL, "k=10 seed=0", 3, "")
    database.write_cluster_name(MODEL, "k=10 seed=0", 3, "")
    assert database.cluster_names(MODEL, "k=10 seed=0") == {0: "names"}
    assert database.cluster_names(MODEL, "k=20 seed=0") == {3: "another clustering's"}
    assert database.cluster_names("other", "k=10 seed=0") == {3: "another model's"}


def test_what_was_kept_is_there_when_opened_again(place: str) -> None:
    first = Database(place)
    kept = first.write_note(MODEL, "L1D2", "numbers", "")
    second = Database(place)
    assert second.notes(MODEL) == (kept,)
    first.close()
    second.close()


WRITER = """
import sys
from lm_debugger.store.database import Database
database = Database(sys.argv[1])
for i in range(40):
    database.write_note("shared", f"L{i % 4}D{i % 5}", f"{sys.argv[2]} {i}", "")
    database.add_run("shared", prompt=str(i), interventions=(), position=0)
"""


def test_processes_that_start_and_write_at_once(place: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, place, str(i)]) for i in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    database = Database(place)
    assert len(database.notes("shared")) == 20
    assert len(database.runs("shared")) == 120
    database.close()


def test_threads_that_write_at_once(database: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: database.write_note(MODEL, f"L{i % 7}D0", str(i), ""), range(200)))
    assert len(database.notes(MODEL)) == 7


def test_migrations_lead_to_the_typed_tables(database: Database) -> None:
    found = sqlalchemy.inspect(database._engine)
    assert set(found.get_table_names()) == {"schema_version", *Base.metadata.tables}
    for name, table in Base.metadata.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert set(columns) == set(table.columns.keys())
        for column in table.columns:
            kept = columns[column.name]
            assert kept["nullable"] == column.nullable
            dialect = database._engine.dialect
            assert kept["type"].compile(dialect) == column.type.compile(dialect)
        assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]
        assert {i["name"] for i in found.get_indexes(name)} == {i.name for i in table.indexes}


def test_a_database_of_a_newer_program_is_refused(place: str) -> None:
    database = Database(place)
    with database._engine.begin() as connection:
        connection.execute(text(f"INSERT INTO schema_version VALUES ({len(MIGRATIONS) + 1})"))
    database.close()
    with pytest.raises(DatabaseError, match="newer LM-Debugger"):
        Database(place)


def test_a_database_of_the_first_release_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "a.db")
    monkeypatch.setattr("lm_debugger.store.migrations.MIGRATIONS", MIGRATIONS[:1])
    old = Database(place)
    note = old.write_note(MODEL, "L1D2", "numbers", "")
    with old._engine.begin() as connection:
        values = f"('{MODEL}', 'a', '[\"L1D2=off\"]', 0, 'first', '2026-01-02 03:04:05')"
        columns = "fingerprint, prompt, interventions, position, title, created"
        connection.execute(text(f"INSERT INTO runs ({columns}) VALUES {values}"))
    old.close()
    monkeypatch.undo()
    new = Database(place)
    assert new.notes(MODEL) == (note,)
    (run,) = new.runs(MODEL)
    assert (run.prompt, run.interventions, run.title, run.parent, run.view) == ("a", ("L1D2=off",), "first", None, "")
    recipe = new.add_recipe(a_recipe())
    new.close()
    again = Database(place)
    assert again.recipes(MODEL) == (recipe,)
    again.close()


def test_a_migration_that_fails_leaves_nothing(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sqlalchemy.Connection) -> None:
        connection.execute(text("CREATE TABLE half (x INTEGER)"))
        connection.execute(text("no SQL"))

    monkeypatch.setattr("lm_debugger.store.migrations.MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(DatabaseError):
        Database(place)
    monkeypatch.undo()
    database = Database(place)
    assert "half" not in sqlalchemy.inspect(database._engine).get_table_names()
    database.close()


def test_sqlite_is_in_wal_mode(tmp_path: Path) -> None:
    Database(str(tmp_path / "a.db")).close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'mysql' are not supported"):
        Database("mysql://x/y")
    with pytest.raises(OptionError, match="cannot be read"):
        Database("postgresql://host:no-port/x")
    (tmp_path / "file").write_text("not a database")
    with pytest.raises(DatabaseError, match="not a database"):
        Database(str(tmp_path / "file"))
    with pytest.raises(DatabaseError, match="cannot be made"):
        Database(str(tmp_path / "file" / "a.db"))
    with pytest.raises(DatabaseError) as refused:
        Database("postgresql://me:s3cret@127.0.0.1:1/x")
    assert "s3cret" not in str(refused.value)


def test_without_a_place_it_is_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    Database().close()
    assert (tmp_path / "data" / "lm-debugger.db").is_file()
