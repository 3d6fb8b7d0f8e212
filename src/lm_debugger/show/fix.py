"""A fix as a document: what was wanted, the edits, the prediction before and after, and what it costs elsewhere."""

from collections.abc import Sequence

from lm_debugger.records.fix import EffectSummary, Fix, Fixes
from lm_debugger.records.token import TokenScore
from lm_debugger.show.document import (
    EMPTY,
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

_SHOWN = 6  # top tokens


def fix(found: Fix) -> Document:
    """The whole answer."""
    return (
        _wanted(found),
        *_in_force(found.interventions),
        _edits(found.edits),
        *warnings(found.warnings),
        EMPTY,
        _tokens(found),
        EMPTY,
        _costs(found.kl, found.side_effects),
        muted(f"{found.forwards} texts run in {found.seconds:.1f} s"),
    )


def fixes(found: Fixes) -> Document:
    """Several predictions fixed together."""
    tone = Tone.POSITIVE if found.success else Tone.NEGATIVE
    rows = tuple(
        (
            line(Span("fixed" if each.success else "not", Tone.POSITIVE if each.success else Tone.NEGATIVE)),
            line(_token(each.from_), Span(" → ", Tone.MUTED), _token(_now(each, each.to.id) or each.to)),
            line(Span(size(each.kl))),
            line(Span(each.prompt, most=60), wrap=False),
        )
        for each in found.fixes
    )
    columns = (Column(), Column("from, to"), Column("KL", right=True), Column("prompt", grow=True))
    return (
        line(Span(f"{found.fixed} of {len(found.fixes)} fixed", tone, strong=True)),
        _edits(found.edits),
        *warnings(found.warnings),
        EMPTY,
        Table(columns, rows),
        EMPTY,
        _costs(found.kl, found.side_effects),
        muted(f"{found.forwards} texts run in {found.seconds:.1f} s"),
    )


def _wanted(found: Fix) -> Line:
    outcome = (
        Span("fixed", Tone.POSITIVE, strong=True) if found.success else Span("not found", Tone.NEGATIVE, strong=True)
    )
    return line(
        outcome, Span(f" after position {found.position}: ", Tone.MUTED), _token(found.from_),
        Span(" → ", Tone.MUTED), TokenCell(found.to.text, Tone.PREDICTED, percent=percent(found.to.probability)),
        Span(" before", Tone.MUTED),
    )  # fmt: skip


def _in_force(interventions: Sequence[str]) -> Document:
    if not interventions:
        return ()
    return (line(Span("with ", Tone.MUTED), Span(", ".join(interventions), Tone.EDITED)),)


def _edits(edits: Sequence[str]) -> Line:
    if not edits:
        return line(Span("no edits", Tone.MUTED))
    return line(Span("edits ", Tone.MUTED), *spread([Span(edit, Tone.EDITED, strong=True) for edit in edits], "  "))


def _tokens(found: Fix) -> Table:
    def cell(token: TokenScore | None) -> Line:
        if token is None:
            return line()
        tone = Tone.PREDICTED if token.id == found.to.id else Tone.PLAIN
        return line(TokenCell(token.text, tone, percent=percent(token.probability)))

    count = max(min(_SHOWN, len(found.before)), min(_SHOWN, len(found.after)))
    rows = [(cell(_at(found.before, n)), cell(_at(found.after, n))) for n in range(count)]
    return Table((Column("before"), Column("after")), tuple(rows), gap=4)


def _at(tokens: Sequence[TokenScore], number: int) -> TokenScore | None:
    return tokens[number] if number < len(tokens) else None


def _now(found: Fix, token: int) -> TokenScore | None:
    return next((each for each in found.after if each.id == token), None)


def _token(token: TokenScore) -> TokenCell:
    return TokenCell(token.text, percent=percent(token.probability))


def _costs(kl: float, effects: EffectSummary | None) -> Line:
    here = (Span("KL here ", Tone.MUTED), Span(f"{kl:.3f}"))
    if effects is None:
        return line(*here, Span(" nats", Tone.MUTED))
    return line(
        *here, Span(f"  in {effects.prompts} other texts ", Tone.MUTED), Span(f"{effects.kl:.3f}"),
        Span(" (random edits of equal size ", Tone.MUTED), Span(f"{effects.random_kl:.3f}"),
        Span(") nats, another top token at ", Tone.MUTED), Span(percent(effects.changed)),
        Span(" of their positions", Tone.MUTED),
    )  # fmt: skip
