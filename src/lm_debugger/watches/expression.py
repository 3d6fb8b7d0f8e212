"""A watch as a tree of parts, each of which knows what it gives and where it stands. Knows no parser and no model.

`str(expression)` is its canonical text.
"""

from dataclasses import dataclass

from lm_debugger.records.names import UnitName
from lm_debugger.watches.functions import FUNCTIONS, Kind

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    at: int

    gives = Kind.NUMBER
    depth = 1

    def __str__(self) -> str:
        whole = int(self.value) if self.value.is_integer() and abs(self.value) < 1e15 else None
        return repr(self.value) if whole is None else str(whole)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    value: str
    at: int

    gives = Kind.TEXT
    depth = 1

    def __str__(self) -> str:
        return '"' + "".join(_ESCAPES.get(character, character) for character in self.value) + '"'


@dataclass(frozen=True, slots=True)
class TokenId:
    """A token by its number in the vocabulary: `#123`."""

    value: int
    at: int

    gives = Kind.TOKEN
    depth = 1

    def __str__(self) -> str:
        return f"#{self.value}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: a value vector's coefficient, the length of what a head adds."""

    name: UnitName
    at: int

    gives = Kind.NUMBER
    depth = 1

    def __str__(self) -> str:
        return str(self.name)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of tokens, numbers or a part's name.

    Args:
        arguments: expressions.
        word: the part's name, for `norm`.
        base: whether the run without edits is meant.
    """

    function: str
    arguments: tuple["Expression", ...]
    word: str | None
    base: bool
    at: int

    @property
    def gives(self) -> Kind:
        """What it gives."""
        return FUNCTIONS[self.function].gives

    @property
    def depth(self) -> int:
        """How many parts lie inside one another."""
        return 1 + max((argument.depth for argument in self.arguments), default=0)

    def __str__(self) -> str:
        given = [*map(str, self.arguments), *([self.word] if self.word else []), *(["base"] if self.base else [])]
        return f"{self.function}({', '.join(given)})"


@dataclass(frozen=True, slots=True)
class Prefix:
    """`-` of a number, `not` of a truth."""

    sign: str
    inside: "Expression"
    at: int
    depth: int

    @property
    def gives(self) -> Kind:
        """What it gives."""
        return Kind.NUMBER if self.sign == "-" else Kind.TRUTH

    def __str__(self) -> str:
        if self.sign == "not":
            return f"not {_within(self.inside, _BINDS['not'])}"
        return f"-{_within(self.inside, _MINUS)}"


@dataclass(frozen=True, slots=True)
class Infix:
    """Two expressions with an operator between: arithmetic, a comparison, `and`, `or`."""

    sign: str
    left: "Expression"
    right: "Expression"
    at: int
    depth: int

    @property
    def gives(self) -> Kind:
        """What it gives."""
        return Kind.NUMBER if self.sign in "+-*/" else Kind.TRUTH

    def __str__(self) -> str:
        binds = _BINDS[self.sign]
        # What stands to the right of an operator binds more strongly: 1 - (2 - 3) keeps its parentheses.
        return f"{_within(self.left, binds)} {self.sign} {_within(self.right, binds + 1)}"


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a pattern is found in a text or token."""

    inside: "Expression"
    pattern: str
    any_case: bool
    at: int

    gives = Kind.TRUTH

    @property
    def depth(self) -> int:
        """How many parts lie inside one another."""
        return 1 + self.inside.depth

    def __str__(self) -> str:
        return f"{self.inside} ~ /{self.pattern}/{'i' if self.any_case else ''}"


Expression = Number | Text | TokenId | Unit | Call | Prefix | Infix | Match

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_BINDS = {"or": 1, "and": 2, "not": 3, **dict.fromkeys((*COMPARISONS, "~"), 4), "+": 6, "-": 6, "*": 7, "/": 7}
_MINUS = 8


def _within(expression: Expression, least: int) -> str:
    """An expression inside another that needs it to bind at least so strongly."""
    match expression:
        case Infix(sign=sign):
            binds = _BINDS[sign]
        case Prefix(sign=sign):
            binds = _BINDS["not"] if sign == "not" else _MINUS
        case Match():
            binds = _BINDS["~"]
        case _:
            return str(expression)
    return str(expression) if binds >= least else f"({expression})"
