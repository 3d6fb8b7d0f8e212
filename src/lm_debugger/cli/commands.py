"""The commands of a terminal session, by the names and abbreviations of pdb: a line in, a document out.

Knows no terminal and no model: it speaks to a session's verbs.
"""

import difflib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lm_debugger.cli.options import read_token
from lm_debugger.edits.grammar import split_edits
from lm_debugger.errors import OptionError
from lm_debugger.show import session as shown
from lm_debugger.show.document import Column, Document, Span, Table, Tone, line, muted

if TYPE_CHECKING:
    from lm_debugger.debugger.stepping.session import Session

Run = Callable[[str], Document]


@dataclass(frozen=True)
class Command:
    """One command.

    Args:
        names: in full, then its abbreviations.
        usage: its arguments.
        meaning: one line.
        takes: what its argument is, for completion: `watch`, `condition`, `edit`, `position`, `token` or "".
    """

    names: tuple[str, ...]
    usage: str
    meaning: str
    takes: str = ""


COMMANDS: tuple[Command, ...] = (
    Command(("next", "n"), "[COUNT]", "run one token and choose the next; inside a step, run one layer"),
    Command(("step", "s"), "[COUNT]", "enter the next step; inside one, run one part: attention, feed-forward"),
    Command(("return", "r", "out"), "", "inside a step, run the rest of it; outside, as continue"),
    Command(("continue", "c", "cont"), "", "run until a breakpoint is true or the text ends"),
    Command(
        ("until", "unt"), "LAYER | POSITION | TEXT", "run to a layer (L12), to a position (20), or to a token (' she')"
    ),
    Command(("back", "undo", "u"), "[COUNT]", "undo a step: nothing is run, nothing is lost"),
    Command(
        ("break", "b"), "[CONDITION]", "stop where it is true: p(' she') > 10%, ' he', /pattern/, differs", "condition"
    ),
    Command(("tbreak",), "CONDITION", "stop where it is true, the first time only", "condition"),
    Command(("clear", "cl"), "[NUMBER...]", "remove breakpoints, or all"),
    Command(("watch", "display"), "[EXPR]", "follow an expression; without one, list those", "watch"),
    Command(("unwatch", "undisplay"), "[EXPR]", "follow it no more; without one, nothing", "watch"),
    Command(("print", "p"), "EXPR", "what an expression gives here", "watch"),
    Command(("layers", "pp"), "EXPR", "what it gives after each layer", "watch"),
    Command(("set",), "EDIT...", "have edits in force from here on: L12D3=on", "edit"),
    Command(("unset",), "[UNIT...]", "take edits back, all of them without a unit", "edit"),
    Command(("token", "t"), "TEXT", "have another token here: token ' he'", "token"),
    Command(("where", "w", "bt"), "", "the way here, its edits, why it stopped"),
    Command(("list", "l"), "", "the prediction that the last token was chosen from"),
    Command(("why",), "[TOKEN [AGAINST]]", "who wrote the last token, or another one", "token"),
    Command(("fix",), "TOKEN", "the fewest edits that make it the token here", "token"),
    Command(("tree",), "", "all branches"),
    Command(("goto", "jump", "j"), "POSITION", "go to a position of the tree, by its id or name", "position"),
    Command(("name",), "NAME", "call this position something"),
    Command(("delete",), "POSITION", "forget a position and what came from it", "position"),
    Command(("diff",), "POSITION [POSITION]", "what differs between two positions", "position"),
    Command(("save",), "[TITLE]", "keep the session: lm-debugger debug --session ID goes on with it"),
    Command(("help", "h"), "[COMMAND]", "what a command does"),
    Command(("quit", "q", "exit"), "", "end"),
)
NAMES = {name: command for command in COMMANDS for name in command.names}

# What a user of pdb types that has no meaning here, and what comes nearest.
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("up", "down", "d"), "There are no frames: back undoes a step, until L12 runs to a layer."),
    "condition": "clear the breakpoint, then break with the new condition; and, or, not join conditions.",
    "ignore": "continue goes past a breakpoint once; or break with a narrower condition: ' he' and entropy() < 2.",
    **dict.fromkeys(("enable", "disable"), "clear removes a breakpoint, break sets it again."),
    "commands": "watch EXPR shows an expression wherever it stops.",
    **dict.fromkeys(("longlist", "ll"), "list shows the prediction, layers EXPR an expression after each layer."),
    **dict.fromkeys(("args", "a"), "where shows the prompt's position, the tokens and the edits."),
    **dict.fromkeys(("run", "restart"), "goto prompt goes back to the beginning; nothing is lost."),
    **dict.fromkeys(("whatis", "source", "interact", "!"), "print EXPR gives the value of a watch expression."),
}


class Quit(Exception):  # noqa: N818  # no error
    """The session is over."""


class Commands:
    """Runs the commands of one session.

    Args:
        session: what they act on.
        keep: keeps the session under a title, and gives its id.
    """

    # As in pdb an empty line says the last one again, where saying it twice changes nothing that was typed once.
    _repeated: ClassVar[frozenset[str]] = frozenset(
        {"next", "step", "return", "continue", "until", "back", "print", "layers", "where", "tree", "break", "watch"}
    )

    def __init__(self, session: "Session", keep: Callable[["Session", str], str]) -> None:
        self._session = session
        self._keep = keep
        self._last = ""

    def run(self, text: str, *, repeat: bool = False) -> Document:
        """Do what a line says; an empty one does nothing, or the last command again.

        Raises:
            Quit: at the end.
            LMDebuggerError: if it cannot be done.
        """
        text = text.strip()
        if text.startswith("#"):
            return ()
        if not text:
            if not repeat or not self._last:
                return ()
            text = self._last
        word, _, rest = text.partition(" ")
        command = NAMES.get(word)
        if command is None:
            raise _unknown(word)
        self._last = text if command.names[0] in self._repeated else ""
        run: Run = getattr(self, f"_{command.names[0]}")
        return run(rest.strip())

    # stepping

    def _next(self, rest: str) -> Document:
        return shown.paused(self._session.over(_count(rest)))

    def _step(self, rest: str) -> Document:
        return shown.paused(self._session.into(_count(rest)))

    def _return(self, rest: str) -> Document:
        _nothing(rest, "return")
        return shown.paused(self._session.out())

    def _continue(self, rest: str) -> Document:
        _nothing(rest, "continue")
        return shown.paused(self._session.continue_())

    def _until(self, rest: str) -> Document:
        if not rest:
            raise OptionError("until what?", "Write until L12, until 20, or until ' she'.")
        if rest[:1] in "lL" and rest[1:].isascii() and rest[1:].isdigit():
            return shown.paused(self._session.run_to_layer(_count(rest[1:])))
        if rest.isascii() and rest.isdigit():
            return shown.paused(self._session.run_to_token(_count(rest)))
        return shown.paused(self._session.run_to_token(_text(rest)))

    def _back(self, rest: str) -> Document:
        return shown.paused(self._session.back(_count(rest)))

    # watching

    def _break(self, rest: str) -> Document:
        return shown.breakpoints((self._session.stop_at(rest),) if rest else self._session.breakpoints.views)

    def _tbreak(self, rest: str) -> Document:
        if not rest:
            raise OptionError("tbreak where?", "Write a condition, such as tbreak p(' she') > 10%.")
        return shown.breakpoints((self._session.stop_at(rest, once=True),))

    def _clear(self, rest: str) -> Document:
        numbers: list[int | None] = [_count(each) for each in rest.split()]
        for number in numbers or [None]:
            self._session.clear(number)
        return shown.breakpoints(self._session.breakpoints.views)

    def _watch(self, rest: str) -> Document:
        return shown.watches((self._session.watch(rest) if rest else self._session.view()).watches)

    def _unwatch(self, rest: str) -> Document:
        return shown.watches((self._session.unwatch(rest) if rest else self._session.watch_all(())).watches)

    def _print(self, rest: str) -> Document:
        return shown.evaluated(self._session.evaluate(rest))

    def _layers(self, rest: str) -> Document:
        from lm_debugger.show.watch import paths

        return paths(self._session.through([rest]))

    # editing

    def _set(self, rest: str) -> Document:
        if not rest:
            raise OptionError("set what?", "Write an edit, such as set L12D3=on.")
        return shown.paused(self._session.set(*split_edits(rest)))

    def _unset(self, rest: str) -> Document:
        return shown.paused(self._session.unset(*split_edits(rest)))

    def _token(self, rest: str) -> Document:
        if not rest:
            raise OptionError("token what?", "Write a token in quotes, such as token ' he'.")
        wanted = read_token(rest)
        return shown.paused(self._session.force(_text(rest) if isinstance(wanted, str) else wanted))

    # asking

    def _where(self, rest: str) -> Document:
        if rest:
            return self._watch(rest)
        return shown.where(self._session.view())

    def _list(self, rest: str) -> Document:
        _nothing(rest, "list")
        return shown.listing(self._session.view())

    def _why(self, rest: str) -> Document:
        from lm_debugger.show.why import why

        words = _words(rest)
        if len(words) > 2:
            raise OptionError("why takes a token and one to compare with.", "Write why ' she' ' he'.")
        target, against = (*(read_token(word) for word in words), None, None)[:2]
        return why(self._session.why(target, against))

    def _fix(self, rest: str) -> Document:
        if not rest:
            raise OptionError("fix what?", "Write the token that is wanted, such as fix ' she'.")
        from lm_debugger.show.fix import fix

        found = self._session.fix(_text(rest))
        return (*fix(found), muted("To have them: back, then set with these edits, then next."))

    # travelling

    def _tree(self, rest: str) -> Document:
        _nothing(rest, "tree")
        return shown.tree(self._session.view())

    def _goto(self, rest: str) -> Document:
        if not rest:
            raise OptionError("goto where?", "Write an id or a name that tree shows, or prompt.")
        return shown.paused(self._session.goto(rest))

    def _name(self, rest: str) -> Document:
        return shown.where(self._session.name(_text(rest)))

    def _delete(self, rest: str) -> Document:
        if not rest:
            raise OptionError("delete what?", "Write an id or a name that tree shows.")
        return shown.tree(self._session.delete(rest))

    def _diff(self, rest: str) -> Document:
        words = rest.split()
        if not 1 <= len(words) <= 2:
            raise OptionError("diff takes one or two positions.", "Write diff and the ids that tree shows.")
        first, second = words if len(words) == 2 else (words[0], self._session.at.id)
        return shown.difference(self._session.difference(first, second))

    def _save(self, rest: str) -> Document:
        name = self._keep(self._session, _text(rest))
        more = f"; lm-debugger debug --session {name} goes on with it"
        return (line(Span("kept as ", Tone.MUTED), Span(name, strong=True), Span(more, Tone.MUTED)),)

    # the rest

    def _help(self, rest: str) -> Document:
        chosen = [NAMES[rest]] if rest in NAMES else list(COMMANDS)
        if rest and rest not in NAMES:
            raise _unknown(rest)
        columns = (Column("command"), Column(""), Column("", grow=True, wrap=True))
        rows = tuple(
            (line(Span(", ".join(each.names), strong=True)), muted(each.usage), line(each.meaning)) for each in chosen
        )
        return (Table(columns, rows),)

    def _quit(self, rest: str) -> Document:
        raise Quit


def _unknown(word: str) -> OptionError:
    if word in ELSEWHERE:
        return OptionError(f"There is no command {word!r} here.", ELSEWHERE[word])
    close = difflib.get_close_matches(word[:20], NAMES, n=1)
    cure = f"Did you mean {close[0]}?" if close else "help lists all commands."
    return OptionError(f"There is no command {word[:40]!r}.", cure)


def _count(rest: str) -> int:
    if not rest:
        return 1
    if not (rest.isascii() and rest.isdigit() and len(rest) < 10):
        raise OptionError(f"{rest[:40]!r} is no number.", "Write a number from 1 on, or nothing.")
    return int(rest)


def _nothing(rest: str, command: str) -> None:
    if rest:
        raise OptionError(f"{command} takes no argument, but {rest[:40]!r} is there.", f"Write {command} alone.")


def _text(rest: str) -> str:
    """A text in quotes, or as it stands."""
    words = _words(rest)
    return words[0] if len(words) == 1 else rest


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError:
        raise OptionError(f"{rest[:40]!r} has a quote that is not closed.", "Close it.") from None
