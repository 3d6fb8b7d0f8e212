r"""Reads the text of a watch. No model, no eval: a grammar in Lark, whose LALR parser takes time linear in the text.

    p(" Paris") > 5%                  logit(" Paris") - logit(" London")     rank(" Paris") <= 3
    entropy()   L12D345   L12H3       norm(after)   kl(base)                 top() != top(base)
    top() == " Paris"                 token() == " he"                       text() ~ /\bshe\b/i

Arithmetic is `+ - * /`, comparisons are `== != < <= > >=`, conditions are joined by `and`, `or`, `not`. A token is its
text in quotes (a backslash stands before a quote, and \n for a line break) or its number as `#123`. Every error knows
the character that is to blame.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from lm_debugger.errors import ValueNameError, WatchError
from lm_debugger.records import limits
from lm_debugger.records.names import read_unit
from lm_debugger.watches.expression import (
    COMPARISONS,
    Call,
    Expression,
    Infix,
    Match,
    Number,
    Prefix,
    Text,
    TokenId,
    Unit,
)
from lm_debugger.watches.functions import BASE, FUNCTIONS, PARTS, Argument, Kind

GRAMMAR = r"""
    ?start: disjunction
    ?disjunction: conjunction | disjunction OR conjunction -> infix
    ?conjunction: negation | conjunction AND negation -> infix
    ?negation: comparison | NOT negation -> prefix
    ?comparison: sum | sum COMPARISON sum -> infix | sum "~" PATTERN -> match
    ?sum: product | sum (PLUS | MINUS) product -> infix
    ?product: sign | product (TIMES | OVER) sign -> infix
    ?sign: atom | MINUS sign -> prefix
    ?atom: NUMBER -> number | TEXT -> text | TOKEN_ID -> token_id | UNIT -> unit | call | "(" disjunction ")"
    call: NAME "(" [argument ("," argument)*] ")"
    ?argument: disjunction | NAME -> word

    OR: "or"
    AND: "and"
    NOT: "not"
    COMPARISON: "==" | "!=" | "<=" | ">=" | "<" | ">"
    PLUS: "+"
    MINUS: "-"
    TIMES: "*"
    OVER: "/"
    NUMBER: /(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?%?/i
    TEXT: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/s
    TOKEN_ID: /#\d+/
    UNIT.2: /L\d+([A-Z]\d+)+/i
    NAME: /[a-z_][a-z_0-9]*/i
    PATTERN: /\/(\\.|[^\/\\])+\/i?/s

    %ignore /[ \t\r\n]+/
"""

_SHOWN = {
    "LPAR": "'('", "RPAR": "')'", "COMMA": "','", "COMPARISON": "a comparison such as '>'", "TILDE": "'~'",
    "PLUS": "'+'", "MINUS": "'-'", "TIMES": "'*'", "OVER": "'/'", "AND": "'and'", "OR": "'or'", "NOT": "'not'",
    "NUMBER": "a number", "TEXT": 'a token in quotes, such as " Paris"', "TOKEN_ID": "a token's number, such as #123",
    "UNIT": "a unit such as L12D345", "NAME": "a function such as p(…)", "PATTERN": "a pattern such as /she/",
    "$END": "the end",
}  # fmt: skip
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_TYPED = {"\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2264": "<=", "\u2265": ">=", "\u2260": "!="}
Bounded = TypeVar("Bounded", Call, Prefix, Infix, Match)

_LARGEST = 1e30
_EXAMPLES = {"norm": "after", "kl": BASE}


def parse(text: str) -> Expression:
    """Read a watch.

    Raises:
        WatchError: if it is none; it names the character that is to blame.
    """
    if len(text) > limits.WATCH:
        raise WatchError(
            f"The expression that begins with {text[:40]!r} has {len(text):,} characters, more than {limits.WATCH}.",
            "Write several watches.",
            limits.WATCH,
        )
    if not text.strip():
        raise WatchError("The expression is empty.", 'Write one such as p(" Paris").', 0)
    try:
        return cast(Expression, parser().parse(text))
    except UnexpectedInput as failure:
        _refuse(text, failure)
    except PartError as failure:
        raise _error(text, failure.at, failure.what, failure.cure) from None


def parse_condition(text: str) -> Expression:
    r"""Read a condition to stop at. Beside expressions that are true or false, these are short forms:

    `" he"` for `token() == " he"`, `/pattern/` for `text() ~ /pattern/`, `differs` for `top() != top(base)`.

    Raises:
        WatchError: if it is none.
    """
    plain = text.strip()
    if plain == "differs":
        return parse("top() != top(base)")
    if re.fullmatch(r"/(\\.|[^/\\])+/i?", plain, re.DOTALL):
        return parse(f"text() ~ {plain}")
    found = parse(text)
    if isinstance(found, Text | TokenId):
        return parse(f"token() == {found}")
    if found.gives is not Kind.TRUTH:
        raise _error(
            text,
            found.at,
            f"{found} is a {found.gives}, no condition",
            'Compare it with something, as in p(" she") > 10%.',
        )
    return found


@cache
def parser() -> Lark:
    """The parser, made once: its tables take some milliseconds."""
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=_Build(), propagate_positions=False)


class PartError(Exception):
    """What is wrong with one part; the whole text is not known where it is found."""

    def __init__(self, at: int, what: str, cure: str) -> None:
        super().__init__(what)
        self.at, self.what, self.cure = at, what, cure


@dataclass(frozen=True, slots=True)
class _Word:
    """A bare word among arguments."""

    text: str
    at: int

    def __str__(self) -> str:
        return self.text


def _at(token: Token) -> int:
    return token.start_pos or 0


class _Build(Transformer[Any, Expression]):
    """Makes the tree while the parser reads, part by part from the inside: nothing is called recursively."""

    def number(self, found: Sequence[Token]) -> Number:
        text = str(found[0])
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if value > _LARGEST:
            raise PartError(_at(found[0]), f"{text[:20]} is too large", f"Numbers go up to {_LARGEST:g}.")
        return Number(value, _at(found[0]))

    def text(self, found: Sequence[Token]) -> Text:
        inside = re.sub(r"\\(.)", lambda m: _ESCAPED.get(m[1], m[1]), str(found[0])[1:-1], flags=re.DOTALL)
        if not inside:
            raise PartError(_at(found[0]), "the text is empty", 'Write a token, such as " Paris".')
        return Text(inside, _at(found[0]))

    def token_id(self, found: Sequence[Token]) -> TokenId:
        if len(found[0]) > 11:
            raise PartError(_at(found[0]), "there is no such token", "Write a token's number, such as #123.")
        return TokenId(int(found[0][1:]), _at(found[0]))

    def unit(self, found: Sequence[Token]) -> Unit:
        try:
            return Unit(read_unit(str(found[0])), _at(found[0]))
        except ValueNameError as error:
            raise PartError(_at(found[0]), error.what.rstrip("."), error.cure) from None

    def word(self, found: Sequence[Token]) -> _Word:
        return _Word(str(found[0]), _at(found[0]))

    def prefix(self, found: Sequence[Any]) -> Prefix:
        sign, inside = found
        wanted = Kind.NUMBER if sign == "-" else Kind.TRUTH
        _expect(inside, wanted, f"'{sign}'")
        return _bounded(Prefix(str(sign), inside, _at(sign), 1 + inside.depth))

    def infix(self, found: Sequence[Any]) -> Infix:
        left, sign, right = found
        if sign in ("and", "or"):
            for side in (left, right):
                _expect(side, Kind.TRUTH, f"'{sign}'")
        elif sign in COMPARISONS:
            _compare(left, str(sign), right, _at(sign))
        else:
            for side in (left, right):
                _expect(side, Kind.NUMBER, f"'{sign}'")
        return _bounded(Infix(str(sign), left, right, left.at, 1 + max(left.depth, right.depth)))

    def match(self, found: Sequence[Any]) -> Match:
        inside, pattern = found
        if inside.gives not in (Kind.TEXT, Kind.TOKEN) or not isinstance(inside, Call):
            raise PartError(inside.at, f"{inside} is no text", "A pattern is looked for in text(), token() or top().")
        text = str(pattern)
        any_case = text.endswith("i")
        return _bounded(Match(inside, text.removesuffix("i")[1:-1], any_case, inside.at))

    def call(self, found: Sequence[Any]) -> Call:
        name, *arguments = found
        return _bounded(_call(name, [argument for argument in arguments if argument is not None]))


def _call(name: Token, given: list[Any]) -> Call:
    """A function with its arguments, as many and of the kinds that it takes."""
    at, function = _at(name), FUNCTIONS.get(str(name).lower())
    if function is None:
        close = difflib.get_close_matches(str(name).lower()[:20], FUNCTIONS, n=1)
        known = f"Did you mean {close[0]}{FUNCTIONS[close[0]].usage}?" if close else f"Use {', '.join(FUNCTIONS)}."
        raise PartError(at, f"there is no function {str(name)[:20]!r}", known)
    own = str(name).lower()
    usage = f"Write {own}{function.usage}."
    base = False
    if function.based and given and isinstance(given[-1], _Word) and given[-1].text.lower() == BASE:
        base, given = True, given[:-1]
    least = len(function.arguments)
    most = max(least, function.most) if least else 0
    if not least <= len(given) <= most:
        noun = "argument" if least == 1 else "arguments"
        count = f"{least} {noun}" if least == most else f"{least} to {most} arguments"
        place = given[most].at if len(given) > most else at
        raise PartError(place, f"{own} takes {count}, not {len(given)}", usage)
    kinds = [*function.arguments, *[function.arguments[-1]] * (len(given) - least)] if given else []
    word: str | None = None
    arguments: list[Expression] = []
    for argument, kind in zip(given, kinds, strict=True):
        if kind is Argument.BASE:
            _check_word(argument, (BASE,), own)
            base = True
        elif kind is Argument.PART:
            word = _check_word(argument, PARTS, own)
        else:
            arguments.append(_check_argument(argument, kind, own))
    return Call(own, tuple(arguments), word, base, at)


def _check_word(argument: Any, words: Sequence[str], function: str) -> str:
    if not isinstance(argument, _Word) or argument.text.lower() not in words:
        listed = " or ".join(", ".join(words).rsplit(", ", 1))
        raise PartError(
            argument.at,
            f"{function} takes {listed} here, not {str(argument)[:20]!r}",
            f"Write {function}({_EXAMPLES[function]}).",
        )
    return argument.text.lower()


def _check_argument(argument: Any, kind: Argument, function: str) -> Expression:
    if isinstance(argument, _Word):
        cure = (
            f'Write a token in quotes, as in {function}(" {argument.text[:20]}").'
            if kind is Argument.TOKEN
            else "Write a number."
        )
        raise PartError(argument.at, f"{str(argument)[:20]!r} is neither in quotes nor a function's name", cure)
    if kind is Argument.TOKEN:
        if not isinstance(argument, Text | TokenId):
            raise PartError(
                argument.at,
                f"{function} takes a token, not {_short(argument)}",
                f'Write it in quotes, as in {function}(" Paris").',
            )
    else:
        _expect(argument, Kind.NUMBER, function)
    return cast(Expression, argument)


def _expect(part: Any, kind: Kind, who: str) -> None:
    if part.gives is not kind:
        cures = {
            Kind.NUMBER: 'Write a number, such as p(" Paris").',
            Kind.TRUTH: 'Write a comparison, such as p(" Paris") > 5%.',
        }
        names = {Kind.NUMBER: "a number", Kind.TRUTH: "a comparison"}
        raise PartError(part.at, f"{who} needs {names[kind]}, but {_short(part)} is a {part.gives}", cures[kind])


def _compare(left: Any, sign: str, right: Any, at: int) -> None:
    kinds = {left.gives, right.gives}
    if kinds == {Kind.NUMBER}:
        return
    if Kind.TRUTH in kinds:
        raise PartError(
            at, f"{sign!r} compares numbers or tokens, not comparisons", "Join comparisons with 'and' or 'or'."
        )
    if Kind.NUMBER in kinds:
        raise PartError(
            at,
            f"{_short(left)} and {_short(right)} are of different kinds",
            'Compare numbers, or a token as in top() == " Paris".',
        )
    if sign not in ("==", "!="):
        raise PartError(at, f"tokens have no order for {sign!r}", "Use == or !=.")
    if not isinstance(left, Call) and not isinstance(right, Call):
        raise PartError(
            left.at, "this is the same at every step", 'Compare with top(), token() or text(), as in top() == " Paris".'
        )


def _bounded(part: Bounded) -> Bounded:
    if part.depth > limits.WATCH_DEPTH:
        raise PartError(
            part.at, f"more than {limits.WATCH_DEPTH} parts lie inside one another", "Write something simpler."
        )
    return part


def _short(part: Any) -> str:
    text = str(part)
    return text if len(text) <= 30 else f"{text[:30]}…"


def _refuse(text: str, failure: UnexpectedInput) -> NoReturn:
    """Say which character cannot stand where it stands, and what can."""
    at = cast("int | None", failure.pos_in_stream) or 0
    if isinstance(failure, UnexpectedToken):
        expected = failure.accepts or failure.expected
        ended = failure.token.type == "$END"
        found = "the expression ends too early" if ended else f"{_cut(str(failure.token))!r} cannot stand here"
        raise _error(text, len(text.rstrip()) if ended else at, found, _wanted(expected))
    assert isinstance(failure, UnexpectedCharacters)
    character = text[at]
    if character in "\"'":
        raise _error(text, at, "the text that begins here has no end", f"Close it with {character}.")
    if character == "=":
        raise _error(text, at, "'=' cannot stand here", "Compare with ==.")
    if (replaced := _TYPED.get(character)) is not None:
        raise _error(text, at, f"{character!r} cannot stand here", f"Write {replaced}.")
    raise _error(text, at, f"{_cut(text[at:])!r} cannot stand here", _wanted(failure.allowed or ()))


def _cut(text: str) -> str:
    return text if len(text) <= 12 else f"{text[:12]}…"


def _wanted(expected: Any) -> str:
    names = [_SHOWN[name] for name in _SHOWN if name in expected]
    if not names:
        return 'See the examples: p(" Paris"), entropy(), L12D345.'
    *others, last = names
    return f"Write {', '.join(others)} or {last}." if others else f"Write {last}."


def _error(text: str, at: int, what: str, cure: str) -> WatchError:
    shown = text if len(text) <= 80 else f"{text[:80]}…"
    return WatchError(f"Character {at + 1} of {shown!r}: {what}.", cure, at)
