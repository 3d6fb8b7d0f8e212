"""The command line's frame: its commands, its version, and how every error ends.

Nothing heavy is imported before a command runs, so that help and completion answer at once.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from lm_debugger import __version__
from lm_debugger.cli import terminal
from lm_debugger.cli.bisect import bisect
from lm_debugger.cli.cache import cache
from lm_debugger.cli.calibrate import calibrate
from lm_debugger.cli.clusters import clusters
from lm_debugger.cli.debug import debug
from lm_debugger.cli.direction import direction
from lm_debugger.cli.examine import examine
from lm_debugger.cli.fix import fix
from lm_debugger.cli.flow import flow
from lm_debugger.cli.generate import generate
from lm_debugger.cli.head import head
from lm_debugger.cli.heads import heads
from lm_debugger.cli.lens import lens
from lm_debugger.cli.patch import patch
from lm_debugger.cli.search import search
from lm_debugger.cli.serve import serve
from lm_debugger.cli.side_effects import side_effects
from lm_debugger.cli.sweep import sweep
from lm_debugger.cli.trace import trace
from lm_debugger.cli.value import value
from lm_debugger.cli.why import why
from lm_debugger.errors import LMDebuggerError, OptionError

app = typer.Typer(
    help="See how a language model builds its predictions, and change what it does.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    serve, trace, debug, why, fix, sweep, side_effects, bisect, heads, flow, patch, generate, search, examine, value,
    head, clusters, calibrate,
):  # fmt: skip
    app.command()(command)
app.add_typer(lens, name="lens")
app.add_typer(direction, name="direction")
app.add_typer(cache, name="cache")

INTERRUPTED = 130
_Usage = typer.BadParameter.__mro__[1]  # Typer's UsageError, which it does not export


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lm-debugger {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """See how a language model builds its predictions, and change what it does."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 must not stop the answer
    try:
        status = app(arguments, prog_name="lm-debugger", standalone_mode=False)
        sys.stdout.flush()
    except LMDebuggerError as error:
        terminal.print_error(error.code, error.what, error.cure, as_json=as_json)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return 1
    except Exception as error:  # noqa: BLE001  # the last resort: whatever comes is reported in one line
        if isinstance(error, _Usage):
            return _refuse(error, as_json=as_json)
        terminal.print_bug(error, as_json=as_json)
        return terminal.BUG_EXIT_CODE
    return status or 0


def _refuse(error: Exception, *, as_json: bool) -> int:
    """A command line that cannot be read."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "lm-debugger"
    what = error.format_message() if hasattr(error, "format_message") else str(error)
    what = what.replace(": Value error, ", ": ", 1)  # pydantic's words for a choice that is none
    terminal.print_error(OptionError.code, what, f"See {path} --help.", as_json=as_json)
    return OptionError.exit_code


def _discard_output() -> None:
    """Nobody reads any more: leave nothing for the interpreter to flush at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
