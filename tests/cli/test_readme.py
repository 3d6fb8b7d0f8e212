"""What the README shows is what the program does: trace's and search's lines are lines of real output, the Python runs.

The steered generation is not compared: what `on` means is measured on each machine, and greedy text may turn on it.
"""

import re
from pathlib import Path

import pytest

from tests.cli.runner import Run

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("trace", ["It was the first time that two"]),
        ("search", ["teacher, school"]),
        ("why", ["My wife is working as a", "--target", " nurse", "--against", " teacher"]),
    ],
)
def test_what_is_shown_is_real(run: Run, command: str, arguments: list[str]) -> None:
    block = re.search(rf"<!-- {command} -->\n```\n(.*?)\n```", README, re.DOTALL)
    assert block
    ran = run(command, *arguments, columns=80)
    assert ran.status == 0, ran.err
    real = [line.rstrip() for line in ran.out.splitlines()]
    assert [line for line in block[1].splitlines() if line.rstrip() not in real] == []


@pytest.mark.usefixtures("demo")
def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    exec(compile(block[1], "README.md", "exec"), {})
    shown = capsys.readouterr().out.splitlines()
    expected = re.findall(r'  # "(.*)"', block[1])
    assert [line for line in shown if line in expected] == expected
