"""`lm-debugger debug`: a session in the terminal, with pdb's commands; or a script of them on standard input."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import answer_console, print_answer, print_error, progress_bar
from lm_debugger.errors import LMDebuggerError, OptionError, WatchError

if TYPE_CHECKING:
    from lm_debugger import Debugger
    from lm_debugger.cli.commands import Commands
    from lm_debugger.debugger.stepping.session import Session

PROMPT = "(lm) "


def debug(
    prompt: Annotated[
        str | None, typer.Argument(metavar="[PROMPT]", help="The text to debug; left out with --session.")
    ] = None,
    model: options.Model = options.DEMO,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", "-n", min=1, help="Most tokens of a branch.")
    ] = 200,
    temperature: Annotated[
        float, typer.Option("--temperature", "-t", help="0 takes the most probable token each time.")
    ] = 0.0,
    top_p: Annotated[
        float | None,
        typer.Option("--top-p", help="Sample among the most probable tokens of this total probability."),
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Sample among this many most probable tokens.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sampling.")] = 0,
    chat: Annotated[bool, typer.Option("--chat", help="Put PROMPT into the model's chat template.")] = False,
    breakpoints: Annotated[
        list[str] | None,
        typer.Option("--break", "-b", metavar="COND", help="Stop where this is true. Can be given more than once."),
    ] = None,
    watches: options.Watches = None,
    edits: options.Edits = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="Go on with a session that was saved.")
    ] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Debug what the model writes after PROMPT: step through tokens and layers, stop, look, change, go on, go back.

    The commands are pdb's: n(ext), s(tep), c(ontinue), r(eturn), b(reak), p(rint), w(here), l(ist), q(uit), and watch,
    set, token, back, why, fix, tree, goto, diff, save; help lists them. Without a terminal they are read from standard
    input, one a line.
    """
    if (prompt is None) == (session is None):
        raise OptionError("Give a PROMPT, or --session and the id of a session.", "See lm-debugger debug --help.")
    from lm_debugger.cli.commands import Commands
    from lm_debugger.edits.grammar import parse_all

    interventions = parse_all(edits or ())
    if prompt == "-":
        raise OptionError("Commands are read from standard input, so the prompt cannot be.", "Write the prompt itself.")
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        if prompt is None:
            assert session is not None
            begun = debugger.saved_session(session)
        else:
            begun = debugger.debug(
                options.read_prompt(prompt), interventions, watches=watches or (), breakpoints=breakpoints or (),
                max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed, chat=chat,
                progress=progress,
            )  # fmt: skip
    commands = Commands(begun, debugger.save_session)
    if sys.stdin.isatty():
        _talk(debugger, begun, commands)
    elif status := _follow(commands, iter(sys.stdin)):
        raise typer.Exit(status)


def _follow(commands: "Commands", lines: Iterator[str]) -> int:
    """Run a script; the exit status is that of the last command that could not be done, or 0."""
    from lm_debugger.cli.commands import Quit

    status = 0
    console = answer_console()
    for text in map(str.rstrip, lines):
        if not text or text.lstrip().startswith("#"):
            continue
        console.print(f"{PROMPT}{text}", style="dim", soft_wrap=True)
        try:
            print_answer(commands.run(text))
        except Quit:
            break
        except LMDebuggerError as error:
            sys.stdout.flush()
            print_error(error.code, error.what, error.cure, as_json=False)
            status = error.exit_code
    return status


def _talk(debugger: "Debugger", session: "Session", commands: "Commands") -> None:
    """Ask for commands until there are no more."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory

    from lm_debugger.cli.commands import Quit
    from lm_debugger.cli.completion import CommandCompleter
    from lm_debugger.debugger.kept import history_file
    from lm_debugger.show.session import paused

    asked: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file())), completer=CommandCompleter(debugger, session),
        complete_while_typing=False,
    )  # fmt: skip
    print_answer(paused(session.view()))
    while True:
        try:
            text = asked.prompt(PROMPT)
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
        try:
            print_answer(commands.run(text, repeat=True))
        except Quit:
            break
        except KeyboardInterrupt:
            answer_console().print("Interrupted: the session is where the last token was chosen.", style="dim")
        except LMDebuggerError as error:
            if isinstance(error, WatchError):
                argument = text.partition(" ")[2]
                offset = len(PROMPT) + text.index(" ") + 1 + (len(argument) - len(argument.lstrip()))
                answer_console().print(f"{' ' * (offset + error.at)}^", style="bold red")
            print_error(error.code, error.what, error.cure, as_json=False)
