"""An examination as a document: whether a model is supported, and the proof."""

from collections.abc import Sequence

from lm_debugger.records.examination import Check, Examination
from lm_debugger.show.document import Block, Column, Document, Section, Span, Table, Tone, line, muted


def examination(report: Examination) -> Document:
    """Whether a model is supported, and the proof."""
    verdict = (
        Span("✓ supported", Tone.POSITIVE, strong=True)
        if report.supported
        else Span("✗ not supported", Tone.NEGATIVE, strong=True)
    )
    facts = f"  {report.architecture}, {report.layers} layers, {report.value_vectors:,} value vectors"
    facts += f", {report.heads:,} heads" if report.heads else ""
    blocks: list[Block] = [
        line(Span(report.model, strong=True), "  ", verdict, Span(facts, Tone.MUTED)),
        *(line(Span(f"  {failure}", Tone.NEGATIVE)) for failure in report.failures),
    ]
    if report.formula:
        blocks.append(Section("residual stream", tuple(map(line, report.formula))))
    if report.headless:
        blocks.append(Section("without heads", tuple(map(line, report.headless))))
    if report.parts:
        columns = (Column(wrap=True), Column(), Column(wrap=True))  # a path is there to be copied
        rows = tuple((muted(part.role), line(part.path), muted(part.detail)) for part in report.parts)
        blocks.append(Section("parts", (Table(columns, rows),)))
    if report.checks:
        blocks.append(Section("invariants", (_checks(report.checks),)))
    if not report.supported and report.works:
        blocks.append(Section("what still works", tuple(line(f"· {work}") for work in report.works)))
    seconds = "  ".join(f"{step} {time:.1f} s" for step, time in report.seconds.items())
    fingerprint = f"fingerprint {report.fingerprint}" if report.fingerprint else ""
    ending = "  ".join(part for part in (fingerprint, "from the cache" if report.cached else seconds) if part)
    return (*blocks, muted(ending))


def _checks(checks: Sequence[Check]) -> Table:
    """Invariants: measured error against the tolerance."""
    columns = (
        Column(),
        Column(),
        Column("error", right=True),
        Column("tolerance", right=True),
        Column("layer"),
        Column(wrap=True),
    )
    rows = tuple(
        (
            line(Span("✓", Tone.POSITIVE) if check.passed else Span("✗", Tone.NEGATIVE)),
            line(Span(check.invariant, strong=True)),
            line(Span(f"{check.error:.1e}", *(() if check.passed else (Tone.NEGATIVE, True)))),
            muted(f"{check.tolerance:.1e}"),
            line(Span("" if check.layer is None else str(check.layer), Tone.MUTED if check.passed else Tone.NOTICE)),
            line(check.statement),
        )
        for check in checks
    )
    return Table(columns, rows)
