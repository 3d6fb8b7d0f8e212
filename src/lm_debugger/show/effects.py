"""Sweeps and side effects as documents."""

from lm_debugger.records.effects import SideEffects, Sweep, TextEffect
from lm_debugger.records.token import TokenScore
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Column,
    Document,
    Line,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
    spread,
    warnings,
)
from lm_debugger.show.numbers import percent, size


def sweep(found: Sweep) -> Document:
    """The prediction over strengths."""
    highest = max((point.probability for point in found.points), default=0.0) or 1.0
    rows = tuple(
        (
            line(Span(f"{point.strength:g}")),
            line(Span(percent(point.probability))),
            Bar(point.probability / highest),
            line(Span(str(point.rank))),
            line(Span(size(point.kl))),
            line(_top(point.top, followed=point.top.id == found.target.id)),
            line(Span(point.edit, Tone.EDITED)),
        )
        for point in found.points
    )
    columns = (
        Column(found.operation, right=True),
        Column("p", right=True),
        Column(grow=True),
        Column("rank", right=True),
        Column("KL", right=True),
        Column("top"),
        Column("edit"),
    )
    own = () if found.coefficient is None else (Span("  m here ", Tone.MUTED), Span(f"{found.coefficient:+.3g}"))
    return (
        line(
            Span(found.unit, Tone.EDITED, strong=True),
            Span(f" and position {found.position}: ", Tone.MUTED),
            TokenCell(found.target.text, Tone.PREDICTED, percent=percent(found.target.probability)),
            Span(f" rank {found.rank} without it", Tone.MUTED),
            *own,
        ),
        *warnings(found.warnings),
        EMPTY,
        Table(columns, rows),
    )


def side_effects(found: SideEffects) -> Document:
    """What edits do to other texts, the worst first."""
    rows = tuple(
        (
            line(Span(size(each.kl))),
            line(Span(percent(each.changed))),
            line(Span(f"{each.perplexity:.3g} → {each.perplexity_after:.3g}")),
            line(Span(" ".join(each.text.split()), most=60), wrap=False),
        )
        for each in found.texts
    )
    columns = (
        Column("KL", right=True), Column("changed", right=True), Column("perplexity"), Column("text", grow=True),
    )  # fmt: skip
    return (
        line(Span("edits ", Tone.MUTED), *spread([Span(edit, Tone.EDITED) for edit in found.interventions], "  ")),
        line(
            Span(f"in {found.prompts} texts: KL "), Span(size(found.kl), strong=True),
            Span(f" (random edits of equal size {size(found.random_kl)}) nats, another top token at "),
            Span(percent(found.changed), strong=True), Span(f" of their positions ({percent(found.random_changed)}), "),
            Span(f"perplexity {found.perplexity:.3g} → {found.perplexity_after:.3g}"),
        ),
        EMPTY,
        Table(columns, rows),
        *(block for each in found.texts for block in _said(each)),
    )  # fmt: skip


def _said(found: TextEffect) -> Document:
    if found.continuation is None or found.continuation_after is None:
        return ()
    return (
        EMPTY,
        muted(" ".join(found.text.split())),
        _flat("without ", found.continuation),
        _flat("with    ", found.continuation_after),
    )


def _flat(label: str, text: str) -> Line:
    return line(Span(label, Tone.MUTED), Span(" ".join(text.split())))


def _top(token: TokenScore, *, followed: bool) -> TokenCell:
    return TokenCell(token.text, Tone.PREDICTED if followed else Tone.PLAIN, percent=percent(token.probability))
