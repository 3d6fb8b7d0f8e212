"""The terminal session: from a script on standard input, and in a pseudo-terminal."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest

from lm_debugger.cli.commands import Commands
from tests.cli.runner import PROGRAM, PROMPT, Run
from tests.tiny import prompt, shared

SCRIPT = """
# a comment, and an empty line

b p(" she") > 5%
watch entropy()
c
w
p p(" she")
p top() == " I"
l
s
n
set L28D1095=off
r
u 2
token " or"
n 2
tree
unset
layers p(" she")
why
diff {other}
goto prompt
name begin
help until
q
not reached
"""


def test_a_script_does_what_its_lines_say(run_demo: Run) -> None:
    found = run_demo("debug", PROMPT, stdin=SCRIPT.replace("diff {other}\n", "").replace("goto prompt\n", "").encode())
    assert (found.status, found.err) == (0, "")
    out = found.out
    assert 'breakpoint 1 p(" she") > 0.05  p(" she") = 0.2516' in out
    assert "My wife is working as a nurse, and▸ I" in out
    assert '(lm) p p(" she")\n0.2516' in out
    assert '(lm) p top() == " I"\ntrue' in out
    assert "L0 attention" in out
    assert "L1 attention" in out
    assert "edits L28D1095=off" in out
    assert "layers 0 to 27 reused" in out
    assert "8, forced" in out
    assert "not reached" not in out
    assert out.count("◂ here") == 1


def test_an_error_is_told_with_its_cure_and_the_script_goes_on(run_demo: Run) -> None:
    found = run_demo("debug", PROMPT, stdin=b"nxt\np p(Paris)\nback\nset L99D1=off\nn\n")
    assert found.status == 2
    assert "There is no command 'nxt'.\ncure: Did you mean next?" in found.err
    assert "Character 3 of 'p(Paris)'" in found.err
    assert "This is the prompt: there is nothing before it." in found.err
    assert "L99D1" in found.err
    assert found.err.count("cure: ") == 4
    assert "My wife is working as a▸ nurse" in found.out
    assert "Traceback" not in found.err


def test_words_of_pdb_without_a_meaning_here_name_what_comes_nearest(run_demo: Run) -> None:
    found = run_demo("debug", PROMPT, stdin=b"up\ncondition 1 top()\nenable 1\ngoto\ndelete\ntbreak\n")
    assert found.status == 2
    assert "There is no command 'up' here.\ncure: There are no frames: back" in found.err
    assert "cure: clear the breakpoint, then break" in found.err
    assert "cure: clear removes a breakpoint, break sets it again" in found.err
    assert found.err.count("or a name that tree shows") == 2
    assert "tbreak where?" in found.err


def test_tbreak_clear_and_undisplay_are_those_of_pdb(run_demo: Run) -> None:
    script = b"tbreak 1 < 2\nb 2 < 1\nb 3 < 1\nc\nb\nclear 2 3\nb\nwatch entropy()\nundisplay\nn\ngoto prompt\n"
    found = run_demo("debug", PROMPT, stdin=script)
    assert (found.status, found.err) == (0, "")
    stopped, listed, cleared = found.out.split("(lm) c\n")[1].split("(lm) b\n")
    assert "breakpoint 1" in stopped
    assert "1 < 2" not in listed
    assert "2 < 1" in listed
    assert "No breakpoints." in cleared.split("(lm) watch")[0]
    assert "Nothing is watched." in cleared
    assert "position 5" in cleared.split("(lm) goto prompt")[1]


def test_an_empty_line_says_the_last_question_again(tiny_commands: Commands) -> None:
    tiny_commands.run("n")
    asked = tiny_commands.run("p 1 + 1")
    assert tiny_commands.run("", repeat=True) == asked
    tiny_commands.run("watch entropy()")
    tiny_commands.run("undisplay")
    assert tiny_commands.run("", repeat=True) == ()  # what takes something away is not done twice


@pytest.fixture
def tiny_commands() -> Commands:
    return Commands(shared("llama").debug(prompt(5)), lambda session, title: title)


def test_breakpoints_and_watches_from_the_command_line(run_demo: Run) -> None:
    arguments = ("--break", '" and"', "--watch", "L28D1095", "--set", "L28D1095*=1", "-n", "8")
    found = run_demo("debug", PROMPT, *arguments, stdin=b"c\nc\n")
    assert found.status == 0
    assert 'breakpoint 1 token() == " and"' in found.out
    assert "this branch has all its tokens" in found.out
    assert "L28D1095" in found.out


def test_what_cannot_be_begun_is_refused(run_demo: Run) -> None:
    for arguments, what in (
        ((), "Give a PROMPT"),
        ((PROMPT, "--session", "x"), "Give a PROMPT"),
        ((PROMPT, "--break", "entropy()"), "no condition"),
        ((PROMPT, "--watch", "p(Paris)"), "Character 3"),
        ((PROMPT, "--set", "L1"), "is not an edit"),
    ):
        found = run_demo("debug", *arguments, stdin=b"q\n")
        assert found.status == 2, arguments
        assert what in found.err
        assert "cure: " in found.err


def test_a_session_is_saved_and_gone_on_with(run_demo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    first = run_demo("debug", PROMPT, stdin=b"n 3\nname there\nback\nsave a title\n")
    assert first.status == 0
    found = re.search(r"--session (\S+) goes on", first.out)
    assert found is not None
    again = run_demo("debug", "--session", found[1], stdin=b"where\nn\ngoto there\n")
    assert (again.status, again.err) == (0, "")
    assert "4 positions in the tree" in again.out
    assert "as a nurse,▸ and" in again.out
    assert run_demo("debug", "--session", "nothing", stdin=b"").status == 2


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._own, theirs = pty.openpty()
        settings = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | settings | environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, seconds: float = 90) -> str:
        """Read until a text is seen; what was read since the last time."""
        begun, found = time.monotonic(), ""
        while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", found):
            if time.monotonic() - begun > seconds:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            if select.select([self._own], [], [], 1)[0]:
                try:
                    part = os.read(self._own, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"ended without {text!r}: {self.seen!r}") from None
                found += part
                self.seen += part
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", found)

    def say(self, text: str) -> None:
        """Type."""
        os.write(self._own, text.encode())

    def end(self) -> int:
        """Press Ctrl-D until it is heard (not before the next prompt is there); the exit status."""
        begun = time.monotonic()
        try:
            while self.process.poll() is None:
                assert time.monotonic() - begun < 90, self.seen
                self.say("\x04")
                time.sleep(0.3)
                while select.select([self._own], [], [], 0)[0]:
                    try:
                        self.seen += os.read(self._own, 65536).decode(errors="replace")
                    except OSError:  # the other end is closed
                        return self.process.wait(60)
            return self.process.returncode
        finally:
            self.process.kill()
            os.close(self._own)


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_session_in_a_terminal(demo_cache: Path, tmp_path: Path) -> None:
    """Commands, completion by Tab, a mistake with its place, the last step again by Enter, history, Ctrl-D."""
    terminal = Terminal("debug", PROMPT, "-n", "6", XDG_DATA_HOME=str(tmp_path))
    try:
        terminal.until("(lm)")
        for typed, seen in (  # what is completed comes a moment after the Tab
            ('b p(" she") > 5%\r', "stops where"),
            ("con\t", "continue"),
            ("\r", "breakpoint 1"),
            ("p ent\t", "entropy()"),
            ("\r", "3.007"),
            ("p p(x)\r", "cure: "),
            ("back\r", "position 8"),
            ("\r", "position 7"),
        ):
            terminal.say(typed)
            terminal.until(seen)
        assert "Character 3 of 'p(x)'" in terminal.seen
        assert f"{' ' * 9}^" in terminal.seen
        assert terminal.end() == 0
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
    assert "b p(" in (tmp_path / "lm-debugger" / "debug-history").read_text()
