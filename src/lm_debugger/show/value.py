"""A value vector as a document: where it is, what it promotes and suppresses, how large its coefficient gets."""

from collections.abc import Sequence

from lm_debugger.records.token import PromotedToken
from lm_debugger.records.value import SimilarValue, ValueView
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Beside,
    Column,
    Document,
    Flow,
    Line,
    Section,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    line,
    muted,
    signed_tone,
)
from lm_debugger.show.numbers import signed

_BARRED = 15  # tokens shown with a bar; the others follow as a list


def value(view: ValueView) -> Document:
    """A value vector: where it is, what it promotes and suppresses, how large its coefficient gets."""
    of_expert = "" if view.expert is None else f"expert {view.expert}, "
    where = f"  layer {view.layer}, {of_expert}dimension {view.dimension}, length {view.norm:.3g}"
    head = [line(Span(view.value, strong=True), Span(where, Tone.MUTED)), _range(view)]
    if view.cluster is not None:
        cluster = view.cluster
        about = f"{cluster.id} {cluster.name}, {cluster.size} vectors, cosine {cluster.cosine:.2f}"
        head.append(line(Span("cluster  ", Tone.MUTED), about))
    sides = (("promotes", view.promotes, Tone.POSITIVE), ("suppresses", view.suppresses, Tone.NEGATIVE))
    ends = (Section(title, (bars(tokens[:_BARRED], tone), _rest(tokens[_BARRED:]))) for title, tokens, tone in sides)
    neighbours = (("similar", view.similar), ("opposite", view.opposite))
    near = (Section(title, (_neighbours(found),)) for title, found in neighbours if found)
    return (*head, EMPTY, Beside(tuple(ends)), *near)


def bars(tokens: Sequence[PromotedToken], tone: Tone) -> Table:
    """Tokens with their projection as a bar."""
    most = max((abs(token.logit) for token in tokens), default=1.0) or 1.0
    rows = tuple(
        (line(TokenCell(token.text, most=20)), muted(signed(token.logit)), Bar(abs(token.logit) / most, tone))
        for token in tokens
    )
    return Table((Column(), Column(right=True), Column(grow=True)), rows, gap=1)


def _rest(tokens: Sequence[PromotedToken]) -> Flow:
    return Flow(tuple(line(TokenCell(token.text, Tone.MUTED, most=30)) for token in tokens))


def _neighbours(found: Sequence[SimilarValue]) -> Table:
    """Vectors close to one: cosine and what they promote."""
    rows = tuple(
        (line(near.value), line(Span(signed(near.cosine), signed_tone(near.cosine))), Tokens(near.promotes))
        for near in found
    )
    return Table((Column(), Column(right=True), Column(grow=True)), rows)


def _range(view: ValueView) -> Line:
    """What `on` and `on-` mean for this vector."""
    measured = view.range
    if measured is None:
        return muted("coefficient: not measured yet (calibrate the model to see its range)")
    points = (
        ("on- ", measured.low),
        ("1% ", measured.quantile_01),
        ("mean ", measured.mean),
        ("99% ", measured.quantile_99),
        ("on ", measured.high),
    )
    pieces = [Span("coefficient  ", Tone.MUTED)]
    for label, number in points:
        pieces.append(Span(label, Tone.MUTED))
        pieces.append(Span(f"{signed(number)}  ", Tone.POSITIVE if number > 0 else Tone.NEGATIVE))
    return line(*pieces, Span(f"± {measured.deviation:.3g} over {measured.tokens:,} tokens", Tone.MUTED))
