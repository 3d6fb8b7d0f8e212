"""Help, version and errors: what needs no model, and must answer at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import PROGRAM, Run

COMMANDS = ("trace", "generate", "examine", "value", "calibrate")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.status == 0
    assert f"lm-debugger {command}" in ran.out
    assert "--json" in ran.out
    assert ran.err == ""


def test_help_lists_the_commands(run: Run) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        ran = run(*arguments)
        assert ran.status == 0
        assert all(command in ran.out for command in COMMANDS)


def test_version(run: Run) -> None:
    ran = run("--version")
    assert ran.status == 0
    assert ran.out.startswith("lm-debugger ")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lm_debugger.cli.app import main; main(['--help']);"
        "sys.exit(str({'torch', 'transformers', 'pydantic', 'numpy'} & set(sys.modules) or ''))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "what", "cure"),
    [
        (["trace", "x", "--set", "L12D345"], "bad_edit", "'L12D345' has no operation", "L12D345=off"),
        (["trace", "x", "--set", "L1D1=off", "--set", "zz"], "bad_edit", "'zz' is not an edit", "L12D345=off"),
        (["generate", "x", "--set", "L1D1=onn"], "bad_edit", "'onn'", "L1D1=on"),
        (["trace", "x", "--layers", "two"], "bad_option", "'two' is not a range", "12-14"),
        (["trace", "x", "--layers", "9-3"], "bad_option", "runs backwards", "3-9"),
        (["trace", "x", "--position", "last"], "bad_option", "--position", "lm-debugger trace --help"),
        (["trace", "x", "--dtype", "int3"], "bad_option", "'int3'", "lm-debugger trace --help"),
        (["trace"], "bad_option", "PROMPT", "lm-debugger trace --help"),
        (["generate", "x", "--max-new-tokens", "0"], "bad_option", "--max-new-tokens", "lm-debugger generate --help"),
        (["calibrate", "--text", "no/such/file"], "bad_option", "no/such/file", "lm-debugger calibrate --help"),
        (["value", "D5"], "bad_value", "'D5' does not name", "L12D345"),
        (["trace", "x", "--recipe", "no/such/file"], "bad_recipe", "no/such/file", "path of a recipe"),
        (["generate", "x", "--recipe-strength", "2"], "bad_option", "without a recipe", "--recipe FILE"),
        (
            ["generate", "x", "--recipe-strength", "-1"],
            "bad_option",
            "--recipe-strength",
            "lm-debugger generate --help",
        ),
        (["trac"], "bad_option", "'trace'", "lm-debugger --help"),
        (["trace", "x", "--nonsense"], "bad_option", "--nonsense", "lm-debugger trace --help"),
    ],
)
def test_errors_before_the_model_is_loaded(run: Run, arguments: list[str], code: str, what: str, cure: str) -> None:
    plain = run(*arguments)
    assert plain.status == 2
    assert plain.out == ""
    error, hint = plain.err.splitlines()
    assert error.startswith("error: ")
    assert what in error
    assert hint.startswith("cure: ")
    assert cure in hint

    as_json = run(*arguments, "--json")
    assert as_json.status == 2
    assert set(as_json.json) == {"error"}
    assert set(as_json.json["error"]) == {"code", "what", "cure"}
    assert as_json.json["error"]["code"] == code
    assert what in as_json.json["error"]["what"]
    assert cure in as_json.json["error"]["cure"]


def test_a_prompt_that_is_not_text(run: Run) -> None:
    ran = run("trace", "-", stdin=b"\xff\xfe")
    assert ran.status == 2
    assert "not UTF-8" in ran.err


def test_an_unknown_model(run: Run, tmp_path: Path) -> None:
    ran = run("trace", "x", "--model", str(tmp_path / "nothing"), "--json")
    assert ran.status == 1
    assert ran.json["error"]["code"] == "model_not_found"
    assert "Traceback" not in ran.err


def test_a_bug_is_one_line_and_the_traceback_on_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(prompt: str) -> str:
        raise KeyError(prompt)

    monkeypatch.setattr("lm_debugger.cli.options.read_prompt", broken)
    ran = run("trace", "x", "--json")
    assert ran.status == 70
    assert ran.json["error"]["code"] == "bug"
    assert "KeyError" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("LM_DEBUGGER_TRACEBACK", "1")
    assert "Traceback" in run("trace", "x").err


def test_interrupt_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("lm_debugger.cli.options.read_prompt", interrupted)
    ran = run("trace", "x")
    assert (ran.status, ran.out, ran.err) == (130, "", "")


def test_a_reader_that_leaves_is_no_error() -> None:
    process = subprocess.Popen([*PROGRAM, "trace", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


def test_a_choice_that_is_none_is_told_in_our_words(run: Run) -> None:
    found = run("patch", "x", "--from", "y", "--part", "xx", "--json")
    assert found.status == 2
    assert found.json["error"]["what"].startswith("Invalid value for '--part': 'xx' is not one of 'residual'")
