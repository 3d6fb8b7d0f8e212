"""A bisection as a document: the answers, where it tips, the grid of swaps, and the proof."""

from collections.abc import Sequence

from lm_debugger.records.bisect import Bisection
from lm_debugger.show.document import (
    EMPTY,
    Block,
    Column,
    Document,
    Line,
    Prompt,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
    signed_tone,
    spread,
    warnings,
)
from lm_debugger.show.numbers import percent, signed

_COLUMNS = 10  # positions shown, those that matter most
_UNITS = 12  # named; of more, the number is told


def bisect(found: Bisection) -> Document:
    """The whole answer."""
    edits = (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)
    head = (
        Prompt(found.tokens, found.read),
        *(edits if found.interventions else ()),
        _answers(found),
        *warnings(found.warnings),
    )
    if found.part is None:
        return head
    return (*head, _place(found), EMPTY, muted("lead of the other answer with the stream after a layer taken over"),
            _grid(found), EMPTY, muted("proved by"), _proof(found))  # fmt: skip


def _answers(found: Bisection) -> Line:
    alike = (Span(f", after {found.generated} tokens alike", Tone.MUTED),) if found.generated else ()
    return line(
        Span("here ", Tone.MUTED), TokenCell(found.answer.text, percent=percent(found.answer.probability)),
        Span("  there ", Tone.MUTED),
        TokenCell(found.other.text, Tone.PREDICTED, percent=percent(found.other.probability)),
        Span(" (as it is here)", Tone.MUTED), *alike,
    )  # fmt: skip


def _place(found: Bisection) -> Line:
    place = [Span("it tips ", Tone.MUTED)]
    if found.layer is not None:
        place += [Span("in ", Tone.MUTED), Span(f"layer {found.layer}", strong=True), Span(", ", Tone.MUTED)]
    place.append(Span(f"{found.part}", strong=True))
    if found.units:
        shown = [Span(unit, Tone.EDITED, strong=True) for unit in found.units[:_UNITS]]
        more = len(found.units) - len(shown)
        place += [Span(": ", Tone.MUTED), *(s for s in spread(shown, " ") if isinstance(s, Span))]
        place += [Span(f" and {more} more", Tone.MUTED)] if more else []
    if found.position is not None:
        at = f"at position {found.position}" if len(found.positions) == 1 else f"at {len(found.positions)} positions"
        place.append(Span(f" {at}", Tone.MUTED))
    if not found.flips:
        place.append(Span("  but no swap flipped it", Tone.NOTICE))
    return line(*place)


def _grid(found: Bisection) -> Table:
    shown = _shown(found)
    titles: tuple[Block, ...] = (
        muted(""), muted(""), *(line(TokenCell(found.tokens[column].text, most=6)) for column in shown)
    )  # fmt: skip
    rows: list[tuple[Block, ...]] = [titles]
    for layer in reversed(range(len(found.frontier))):
        tone = Tone.PREDICTED if layer == found.layer else Tone.MUTED
        cells = found.cells[layer] if layer < len(found.cells) else ()
        label = line(Span(f"layer {layer}", tone, strong=layer == found.layer))
        rows.append((label, _cell(found.frontier[layer]), *(_cell(cells[column]) for column in shown)))
    columns = (Column(""), Column("all" if len(found.positions) != 1 else "", right=True))
    return Table((*columns, *(Column(f"{column}", right=True) for column in shown)), tuple(rows), gap=1)


def _shown(found: Bisection) -> Sequence[int]:
    def reach(column: int) -> float:
        return max((cell for row in found.cells if (cell := row[column]) is not None), default=float("-inf"))

    having = [column for column in range(len(found.tokens)) if reach(column) > float("-inf")]
    return sorted(sorted(having, key=lambda column: -reach(column))[:_COLUMNS])


def _cell(lead: float | None) -> Line:
    return muted("") if lead is None else line(Span(signed(lead), signed_tone(lead) if lead > 0 else Tone.MUTED))


def _proof(found: Bisection) -> Table:
    rows = tuple(
        (
            line(Span("flips" if step.flips else "stays", Tone.POSITIVE if step.flips else Tone.MUTED)),
            line(Span(signed(step.lead), signed_tone(step.lead))),
            line(Span(step.what)),
        )
        for step in found.swaps
    )
    return Table((Column(), Column("lead", right=True), Column("taken over from the other run", grow=True)), rows)
