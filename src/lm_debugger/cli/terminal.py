"""Where output goes: the answer to standard output, progress and errors to standard error. No model here."""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from lm_debugger.work import Progress, silent

if TYPE_CHECKING:
    from lm_debugger.records.base import Record
    from lm_debugger.show.document import Document

BUG_EXIT_CODE = 70  # EX_SOFTWARE


def answer_console() -> Console:
    """Standard output; colours only on a terminal and without NO_COLOR."""
    return Console(highlight=False, markup=False, emoji=False)


def notice_console() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_record(record: "Record") -> None:
    """A record as one line of JSON."""
    _print_json(record.model_dump_json())


def print_answer(answer: "Document") -> None:
    """An answer for people."""
    _print(answer_console(), answer)


def print_notice(notice: "Document") -> None:
    """What people should know beside the answer, on standard error."""
    _print(notice_console(), notice)


def print_error(code: str, what: str, cure: str, *, as_json: bool) -> None:
    """An error for people on standard error; for programs also on standard output, which stays JSON."""
    from lm_debugger.records.visible import printable

    console = notice_console()
    # What is wrong may quote a file or an answer from elsewhere: a terminal must not obey it.
    console.print(Text.assemble(("error: ", "bold red"), (printable(what), "red")), soft_wrap=True)
    if cure:
        console.print(Text.assemble(("cure: ", "bold"), printable(cure)), soft_wrap=True)
    if as_json:
        _print_json(json.dumps({"error": {"code": code, "what": what, "cure": cure}}))


def print_bug(error: Exception, *, as_json: bool) -> None:
    """An exception that nobody meant to raise."""
    if os.environ.get("LM_DEBUGGER_TRACEBACK"):
        traceback.print_exception(error)
    what = f"This is a bug in lm-debugger: {type(error).__name__}: {error}"
    print_error(
        "bug", " ".join(what.split()), "Set LM_DEBUGGER_TRACEBACK=1 to see where, and report it.", as_json=as_json
    )


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress on standard error while work runs; nothing if that is not a terminal."""
    console = notice_console()
    if not console.is_terminal:
        yield silent
        return
    from rich import progress as bars

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as display:
        tasks: dict[str, bars.TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                for finished in tasks.values():
                    display.update(finished, visible=False)
                tasks[step] = display.add_task(step)
            display.update(tasks[step], completed=done, total=total or None, visible=True)

        yield show


def _print(console: Console, document: "Document") -> None:
    from lm_debugger.show.terminal import draw

    if document:
        console.print(draw(document))


def _print_json(text: str) -> None:
    """JSON is UTF-8 whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.buffer.flush()
