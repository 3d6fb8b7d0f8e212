"""What a watch gives: along the layers, along the steps of a continuation, and while it is being written."""

from typing import Literal

from lm_debugger.records.base import Record

WatchValue = bool | float | str | None
"""A truth, a number, a token's text; None where there is none (yet): a unit whose layer has not run, 0 / 0."""

WatchKind = Literal["number", "token", "text", "truth"]


class WatchPath(Record):
    """A watch through the layers, at one position.

    Args:
        expression: its canonical text.
        kind: what it gives.
        value: at the output.
        before, values: before and after the feed-forward of each layer, read through the lens there.
        baseline: `value` of the run without edits, or None when there are none.
        baseline_values: the same after each layer, or None when there are none.
        warnings: what the user should know, such as a word of several tokens.
    """

    expression: str
    kind: WatchKind
    value: WatchValue
    before: tuple[WatchValue, ...]
    values: tuple[WatchValue, ...]
    baseline: WatchValue = None
    baseline_values: tuple[WatchValue, ...] | None = None
    warnings: tuple[str, ...] = ()


class WatchSeries(Record):
    """A watch along the tokens of a continuation.

    Args:
        expression: its canonical text.
        kind: what it gives.
        values: one for each generated token, of the prediction that it was chosen from.
        warnings: what the user should know.
    """

    expression: str
    kind: WatchKind
    values: tuple[WatchValue, ...]
    warnings: tuple[str, ...] = ()


class Suggestion(Record):
    """How an expression may go on.

    Args:
        text: what takes the place of the characters from `start` to the cursor.
        start: index of the first of them.
        meaning: one line about it.
    """

    text: str
    start: int
    meaning: str


class WatchFault(Record):
    """What is wrong with an expression.

    Args:
        at: index of the character that is to blame.
        what, cure: as in every error.
    """

    at: int
    what: str
    cure: str


class WatchCheck(Record):
    """An expression while it is being written.

    Args:
        expression: its canonical text, or None if it cannot be read.
        kind: what it gives, or None.
        error: what is wrong with it, or None.
        warnings: what the user should know.
        suggestions: how it may go on at the cursor.
    """

    expression: str | None
    kind: WatchKind | None
    error: WatchFault | None
    warnings: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
