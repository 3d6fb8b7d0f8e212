"""How a watch may go on where the cursor is: what the parser accepts there, spelled out. For terminals and pages."""

import re
from collections.abc import Callable, Sequence

from lark.exceptions import UnexpectedInput

from lm_debugger.errors import WatchError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.watch import Suggestion
from lm_debugger.watches.expression import Text
from lm_debugger.watches.functions import BASE, FUNCTIONS, PARTS, Argument
from lm_debugger.watches.grammar import PartError, parser

MOST = 50  # suggestions

Beginning = Callable[[str, int], Sequence[str]]
"""Gives the texts of at most so many tokens that begin so."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*$")
_QUOTED = re.compile(r"\"((?:\\.|[^\"\\])*)$|'((?:\\.|[^'\\])*)$", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_]+)\s*\([^()]*$")
_SIGNS = {
    "COMPARISON": ("==", "!=", "<", "<=", ">", ">="), "PLUS": ("+",), "MINUS": ("-",), "TIMES": ("*",), "OVER": ("/",),
    "AND": ("and",), "OR": ("or",), "NOT": ("not",), "LPAR": ("(",), "RPAR": (")",), "COMMA": (",",), "TILDE": ("~",),
}  # fmt: skip
_MEANINGS = {
    "==": "equal", "!=": "different", "<": "less", "<=": "at most", ">": "greater", ">=": "at least", "+": "plus",
    "-": "minus", "*": "times", "/": "divided by", "and": "both", "or": "either", "not": "the opposite",
    "(": "begin a part", ")": "end it", ",": "another argument", "~": "is a /pattern/ found in it",
}  # fmt: skip


def complete(text: str, cursor: int, beginning: Beginning, units: Sequence[str] = ()) -> tuple[Suggestion, ...]:
    """How the text before the cursor may go on.

    Args:
        cursor: index of the character before which the cursor stands.
        beginning: finds tokens by how they begin.
        units: names of units worth proposing, such as those that are edited or that users have named.
    """
    before = text[: max(0, cursor)]
    quoted = _open_quote(before)
    if quoted is not None:
        return _tokens(*quoted, beginning)
    word = _WORD.search(before)
    start = word.start() if word else len(before)
    typed = before[start:].lower()
    accepted = _accepted(before[:start])
    if accepted is None:
        return ()
    found: list[tuple[str, str]] = []
    if "NAME" in accepted:
        found += _words(before[:start])
        found += [(f"{name}{'()' if known.usage == '()' else '('}", known.meaning) for name, known in FUNCTIONS.items()]
    if "UNIT" in accepted:
        found += [(unit, "a unit") for unit in units]
    for terminal, signs in _SIGNS.items():
        if terminal in accepted:
            found += [(sign, _MEANINGS[sign]) for sign in signs]
    return tuple(
        Suggestion(text=each, start=start, meaning=meaning) for each, meaning in found if each.lower().startswith(typed)
    )[:MOST]


def beginning(model: LoadedModel, typed: str, most: int) -> list[str]:
    """The texts of tokens that begin so; where no space was typed, also after one. In the vocabulary's order."""
    found: list[str] = []
    texts = map(model.vocabulary.text, range(model.readout.vocabulary))
    for text in texts:
        if text.startswith(typed) or (typed[:1] not in ("", " ") and text.startswith(f" {typed}")):
            found.append(text)
            if len(found) == most:
                break
    return found


def _words(before: str) -> list[tuple[str, str]]:
    """The bare words that the function takes whose arguments are being written."""
    call = _CALL.search(before)
    function = FUNCTIONS.get(call[1].lower()) if call else None
    if function is None:
        return []
    if function.arguments == (Argument.PART,):
        return [(part, "of the layer's stream") for part in PARTS]
    based = function.based or function.arguments == (Argument.BASE,)
    return [(BASE, "the run without edits")] if based else []


def _accepted(before: str) -> set[str] | None:
    """The terminals that can stand after a text, or None where it cannot be read."""
    try:
        state = parser().parse_interactive(before)
        state.exhaust_lexer()
    except (UnexpectedInput, PartError, WatchError):
        return None
    return set(state.accepts())  # type: ignore[no-untyped-call]  # the library has no types there


def _open_quote(before: str) -> tuple[str, int, str] | None:
    """What stands after a quote that is still open, where that begins, and the quote."""
    place, quote = 0, ""
    for match in re.finditer(r"\\.|[\"']", before, re.DOTALL):
        sign = match[0]
        if not quote and sign in "\"'":
            quote, place = sign, match.start()
        elif sign == quote:
            quote = ""
    return (before[place + 1 :], place, quote) if quote else None


def _tokens(typed: str, start: int, quote: str, beginning: Beginning) -> tuple[Suggestion, ...]:
    plain = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), typed, flags=re.DOTALL)
    return tuple(
        Suggestion(text=str(Text(token, 0)), start=start, meaning="a token") for token in beginning(plain, MOST)
    )
