"""Watches as documents: their values through the layers, and along the tokens of a continuation."""

from collections.abc import Sequence

from lm_debugger.records.generation import GeneratedToken
from lm_debugger.records.watch import WatchPath, WatchSeries, WatchValue
from lm_debugger.show.document import (
    EMPTY,
    Block,
    Column,
    Document,
    Line,
    Section,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
    warnings,
)
from lm_debugger.show.numbers import sparkline

_CELLS = 16  # for a token as a value
_SHADES = 8


def value(found: WatchValue) -> Line:
    """A value in one cell."""
    match found:
        case None:
            return muted("–")
        case bool():
            return line(Span("true" if found else "false", Tone.POSITIVE if found else Tone.MUTED))
        case str():
            return line(TokenCell(found, most=_CELLS))
        case _:
            return line(plain(found))


def plain(number: float) -> str:
    """A number with four digits that count."""
    return f"{number:.4g}"


def paths(watches: Sequence[WatchPath]) -> Document:
    """Watches through the layers, one row each: the values after some layers, and their course through all of them."""
    if not watches:
        return ()
    columns = (
        Column("watch"),
        *(Column(title, right=True) for title in ("output", "no edits")),
        Column("layers", grow=True),
    )
    compared = any(watch.baseline_values is not None for watch in watches)

    def row(watch: WatchPath) -> tuple[Block, ...]:
        cells = (
            line(Span(watch.expression, strong=True)),
            value(watch.value),
            value(watch.baseline),
            _course(watch.values),
        )
        return cells if compared else (*cells[:2], *cells[3:])

    if not compared:
        columns = (*columns[:2], *columns[3:])
    said = dict.fromkeys(text for watch in watches for text in watch.warnings)
    return (Section("watches", (Table(columns, tuple(map(row, watches))), *warnings(tuple(said)))), EMPTY)


def series(tokens: Sequence[GeneratedToken], watches: Sequence[WatchSeries]) -> Document:
    """Watches along a continuation, one row a token."""
    if not watches:
        return ()
    columns = (Column("token"), *(Column(watch.expression, right=True) for watch in watches))
    rows = tuple(
        (line(TokenCell(token.text, most=24)), *(value(watch.values[place]) for watch in watches))
        for place, token in enumerate(tokens)
    )
    said = dict.fromkeys(text for watch in watches for text in watch.warnings)
    return (Section("watches", (Table(columns, rows), *warnings(tuple(said)))),)


def _course(values: Sequence[WatchValue]) -> Line:
    """Numbers as bars from the smallest to the largest; tokens and truths where they change."""
    numbers = [found for found in values if isinstance(found, float | int) and not isinstance(found, bool)]
    if len(numbers) == len([found for found in values if found is not None]) and numbers:
        low, high = min(numbers), max(numbers)
        span = (high - low) or 1.0
        bars = sparkline(
            [
                0 if found is None or isinstance(found, str) else 1 + round((float(found) - low) / span * (_SHADES - 1))
                for found in values
            ]
        )
        return line(f"0 {bars} {len(values) - 1}", Span(f"  {plain(low)} to {plain(high)}", Tone.MUTED))
    pieces: list[Span | TokenCell] = []
    last: WatchValue = None
    for layer, found in enumerate(values):
        if found != last and found is not None:
            shown = TokenCell(found, most=_CELLS) if isinstance(found, str) else Span(str(found).lower())
            pieces += [Span(f"{'  ' if pieces else ''}L{layer} ", Tone.MUTED), shown]
        last = found
    return line(*pieces)
