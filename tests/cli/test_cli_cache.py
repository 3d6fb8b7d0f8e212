"""`lm-debugger cache`: the list, and what is removed."""

import subprocess
import sys
from pathlib import Path

import torch

from lm_debugger.store import cache
from tests.cli.runner import Run


def test_list_and_remove(run: Run, empty_cache: Path) -> None:
    assert run("cache").out.splitlines()[-1] == f"0 B in {empty_cache}"
    cache.write("statistics", "abcdef0123456789", 1, {"a": torch.zeros(1000)})
    shown = run("cache")
    assert shown.status == 0
    assert "statistics/abcdef0123456789" in shown.out
    (entry,) = run("cache", "--json").json["entries"]
    assert entry.keys() == {"key", "kind", "model", "bytes", "used"}
    gone = run("cache", "remove", entry["key"], "--json")
    assert gone.json["removed"] == [entry]
    assert run("cache", "--json").json == {"folder": str(empty_cache), "bytes": 0, "entries": []}


def test_remove_all(run: Run, empty_cache: Path) -> None:
    cache.write("clusters", "abcdef0123456789", 1, {"a": torch.zeros(1000)})
    assert run("cache", "remove", "--all").out.splitlines() == ["removed clusters/abcdef0123456789", "4 kB freed"]
    assert not list(empty_cache.rglob("*.safetensors"))


def test_what_cannot_be_meant(run: Run, empty_cache: Path) -> None:
    for arguments, what in (
        (["remove"], "Nothing to remove"),
        (["remove", "x", "--all"], "Both keys and --all"),
        (["remove", "nothing"], "'nothing'"),
    ):
        ran = run("cache", *arguments, "--json")
        assert ran.status == 2
        assert what in ran.json["error"]["what"]
        assert ran.json["error"]["cure"]


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lm_debugger.cli.app import main; main(['cache', '--json']);"
        "sys.exit(str({'torch', 'transformers', 'numpy'} & set(sys.modules) or ''))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() == ""
