"""What a watch may call: every function with its arguments and its meaning. Knows no parser and no model."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What an expression gives."""

    NUMBER = "number"
    TOKEN = "token"
    TEXT = "text"
    TRUTH = "truth"


class Argument(StrEnum):
    """What a function takes."""

    TOKEN = "a token such as ' Paris' in quotes"
    NUMBER = "a number"
    BASE = "base"
    PART = "before, after, attention or ffn"


PARTS = ("before", "after", "attention", "ffn")
BASE = "base"


class Function(NamedTuple):
    """One function.

    Args:
        arguments: those that must be given.
        gives: what it gives.
        meaning: one line for completion and help.
        based: whether `base` may follow the arguments, for the same of the run without edits.
        most: how many arguments there may be; the last kind is repeated.
    """

    arguments: tuple[Argument, ...]
    gives: Kind
    meaning: str
    based: bool = False
    most: int = 1

    @property
    def usage(self) -> str:
        """How its arguments are written."""
        words = {Argument.TOKEN: '" token"', Argument.NUMBER: "x", Argument.BASE: BASE, Argument.PART: "after"}
        more = (*self.arguments[-1:],) * (self.most - len(self.arguments))
        given = [words[argument] for argument in (*self.arguments, *more)]
        return f"({', '.join(given)})"


_TOKEN, _NUMBER = (Argument.TOKEN,), (Argument.NUMBER,)

FUNCTIONS: dict[str, Function] = {
    "p": Function(_TOKEN, Kind.NUMBER, "probability of a token, 0 to 1", based=True),
    "rank": Function(_TOKEN, Kind.NUMBER, "rank of a token, from 1", based=True),
    "logit": Function(_TOKEN, Kind.NUMBER, "logit of a token", based=True),
    "entropy": Function((), Kind.NUMBER, "entropy of the prediction, in nats", based=True),
    "top": Function((), Kind.TOKEN, "the most probable token", based=True),
    "kl": Function((Argument.BASE,), Kind.NUMBER, "KL(base ‖ this run), in nats"),
    "norm": Function((Argument.PART,), Kind.NUMBER, "length of a layer's stream: before, after, attention, ffn"),
    "token": Function((), Kind.TOKEN, "the token that comes next, as it was chosen"),
    "text": Function((), Kind.TEXT, "the text that was generated so far"),
    "abs": Function(_NUMBER, Kind.NUMBER, "absolute value"),
    "log": Function(_NUMBER, Kind.NUMBER, "natural logarithm"),
    "exp": Function(_NUMBER, Kind.NUMBER, "e to the power of"),
    "min": Function(_NUMBER, Kind.NUMBER, "the smaller of two numbers", most=2),
    "max": Function(_NUMBER, Kind.NUMBER, "the larger of two numbers", most=2),
}
