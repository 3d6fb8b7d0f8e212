"""The tour runs: its code in one go, its commands one by one; and the notebook is the same tour."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lm_debugger import Debugger
from lm_debugger.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"
TOUR = (DOCS / "tour.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", TOUR, re.DOTALL)
COMMANDS = re.findall(r"^lm-debugger .*$", TOUR, re.MULTILINE)


def cells(kind: str) -> list[str]:
    notebook = json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_notebook_is_the_tour() -> None:
    """`python -m tests.docs.notebook` makes it anew."""
    assert cells("code") == [code.rstrip("\n") for code in CODE]
    assert "\n".join(cells("markdown")).split() == re.sub(r"```python\n.*?```", "", TOUR, flags=re.DOTALL).split()


def test_the_code_runs(demo: Debugger) -> None:
    names: dict[str, Any] = {}
    for code in cells("code"):
        exec(compile(code, "tour.ipynb", "exec"), names)
    assert names["fixed"].success


@pytest.mark.parametrize("command", [line for line in COMMANDS if " debug " not in line])
def test_the_commands_run(demo_cache: Path, command: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "lm-debugger"
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "nurse" in done.output
