"""What a search found, as a document: how its keywords were understood, where they live, and the vectors."""

from lm_debugger.records.search import Keyword, SearchAnswer, SearchResult
from lm_debugger.show.document import (
    EMPTY,
    Column,
    Document,
    Line,
    Piece,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    line,
    muted,
    signed_tone,
    spread,
)
from lm_debugger.show.numbers import signed, sparkline

_FORMS = 8  # forms of a keyword that are shown
_MATCHES = 3  # keywords whose match is shown with each vector


def search(answer: SearchAnswer) -> Document:
    """How the keywords were understood, where in the network they live, and the vectors found."""
    searched = Span(f"  {answer.searched:,} value vectors searched", Tone.MUTED)
    return (
        line(Span(answer.query, strong=True), searched),
        *map(_keyword, answer.keywords),
        _layers(answer),
        EMPTY,
        _results(answer),
    )


def _keyword(keyword: Keyword) -> Line:
    used = [TokenCell(form.text) for form in keyword.forms if form.used]
    more = f" and {len(used) - _FORMS} more" if len(used) > _FORMS else ""
    sign = "without " if keyword.unwanted else ""
    return line(Span(f"{sign}{keyword.text}: ", Tone.MUTED), *spread(used[:_FORMS], " "), Span(more, Tone.MUTED))


def _layers(answer: SearchAnswer) -> Line:
    """How many of the strongest vectors each layer has."""
    last = f" {len(answer.layers) - 1}  where the {answer.strongest} strongest are"
    bars = Span(sparkline([layer.hits for layer in answer.layers]), Tone.POSITIVE)
    return line(Span("layers 0 ", Tone.MUTED), bars, Span(last, Tone.MUTED))


def _results(answer: SearchAnswer) -> Table:
    columns = (
        Column("vector"),
        Column(answer.measure, right=True),
        Column("set"),
        Column("matches, rank" if answer.keywords else ""),
        Column("promotes then", grow=True, wrap=True),
    )
    rows = []
    for result in answer.results:
        score = f"{result.score:+.1%}" if answer.measure == "share" else signed(result.score)
        rows.append(
            (
                line(Span(result.value, strong=True)),
                line(Span(score, signed_tone(result.score))),
                muted("=on" if result.sign == "+" else "=on-"),
                line(*_matches(result)),
                Tokens(result.promotes),
            )
        )
    return Table(columns, tuple(rows))


def _matches(result: SearchResult) -> list[Piece]:
    """For the first keywords the form that the vector writes most, and its rank."""
    pieces: list[Piece] = []
    for place, match in enumerate(result.tokens[:_MATCHES]):
        pieces.append(Span("  " if place else ""))
        pieces += (TokenCell(match.text, most=12), Span(f" {match.rank:,}", Tone.MUTED))
    return pieces
