"""Names, notes and runs, on SQLite and on a real PostgreSQL, in one process and in several."""

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
from lm_debugger.store import database as module
from lm_debugger.store.database import Database, DatabaseError
from lm_debugger.store.database_tables import Base
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
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


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
    assert database.names("other") == {}
    assert database.runs("other") == ()
    assert not database.remove_run("other", run.id)
    assert database.runs(MODEL) == (run,)


def test_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNS_KEPT", 3)
    runs = [
        database.add_run(MODEL, prompt=f"{NASTY}{i}", interventions=("L1D2=off", "L1D3*=2.0@last"), position=i)
        for i in range(5)
    ]
    other = database.add_run("other", prompt="x", interventions=(), position=0, title="t")
    assert database.runs(MODEL) == tuple(reversed(runs[2:]))
    assert database.runs(MODEL, limit=1) == (runs[4],)
    assert database.remove_run(MODEL, runs[3].id)
    assert not database.remove_run(MODEL, runs[3].id)
    assert database.runs(MODEL) == (runs[4], runs[2])
    assert database.runs("other") == (other,)


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
    monkeypatch.setattr(module.platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    Database().close()
    assert (tmp_path / "data" / "lm-debugger.db").is_file()
