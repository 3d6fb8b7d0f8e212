"""A value vector, an examination and a calibration for the terminal: records in, rich renderables out."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lm_debugger.records.calibration import CalibrationSummary
from lm_debugger.records.examination import Check, Examination
from lm_debugger.records.token import PromotedToken
from lm_debugger.records.value import SimilarValue, ValueView
from lm_debugger.records.visible import printable
from lm_debugger.show.cells import MUTED, NEGATIVE, NOTICE, POSITIVE, Bar, Flow, Listed, fit, signed

_BARRED = 15  # tokens shown with a bar; the others follow as a list


def value(view: ValueView) -> RenderableType:
    """A value vector: where it is, what it promotes and suppresses, how large its coefficient gets."""
    of_expert = "" if view.expert is None else f"expert {view.expert}, "
    where = f"  layer {view.layer}, {of_expert}dimension {view.dimension}, length {view.norm:.3g}"
    table = Table.grid(padding=(0, 3, 0, 0), expand=True)
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    sides = (("promotes", view.promotes, POSITIVE), ("suppresses", view.suppresses, NEGATIVE))
    table.add_row(*(Rule(Text(title, "bold"), align="left", style=MUTED) for title, _, _ in sides))
    table.add_row(*(bars(tokens[:_BARRED], style) for _, tokens, style in sides))
    table.add_row(*(_rest(tokens[_BARRED:]) for _, tokens, _ in sides))
    head = [Text.assemble((view.value, "bold"), (where, MUTED)), _range(view)]
    if view.cluster is not None:
        cluster = view.cluster
        about = f"{cluster.id} {printable(cluster.name)}, {cluster.size} vectors, cosine {cluster.cosine:.2f}"
        head.append(Text.assemble(("cluster  ", MUTED), about))
    neighbours = (("similar", view.similar), ("opposite", view.opposite))
    near = [part for side, found in neighbours if found for part in (title(side), _neighbours(found))]
    return Group(*head, "", table, *near)


def examination(report: Examination) -> RenderableType:
    """Whether a model is supported, and the proof."""
    verdict = (
        Text("✓ supported", f"bold {POSITIVE}") if report.supported else Text("✗ not supported", f"bold {NEGATIVE}")
    )
    facts = f"{printable(report.architecture)}, {report.layers} layers, {report.value_vectors:,} value vectors"
    facts += f", {report.heads:,} heads" if report.heads else ""
    pieces: list[RenderableType] = [
        Text.assemble((printable(report.model), "bold"), "  ", verdict, (f"  {facts}", MUTED)),
        *(Text(f"  {printable(failure)}", NEGATIVE) for failure in report.failures),
    ]
    if report.formula:
        pieces += [title("residual stream"), *(Text(printable(formula)) for formula in report.formula)]
    if report.headless:
        pieces += [title("without heads"), *(Text(printable(why)) for why in report.headless)]
    if report.parts:
        pieces += [title("parts"), _rows([(part.role, part.path, part.detail) for part in report.parts])]
    if report.checks:
        pieces += [title("invariants"), _checks(report.checks)]
    if not report.supported and report.works:
        pieces += [title("what still works"), *(Text(f"· {printable(work)}") for work in report.works)]
    seconds = "  ".join(f"{step} {time:.1f} s" for step, time in report.seconds.items())
    fingerprint = f"fingerprint {report.fingerprint}" if report.fingerprint else ""
    ending = "  ".join(part for part in (fingerprint, "from the cache" if report.cached else seconds) if part)
    return Group(*pieces, Text(ending, MUTED))


def calibration(summary: CalibrationSummary) -> RenderableType:
    """What was measured."""
    source = "text that the model generated" if summary.source == "self-generated" else printable(summary.source)
    return Group(
        Text.assemble(
            ("✓ ", f"bold {POSITIVE}"), f"{summary.value_vectors:,} coefficient ranges over {summary.tokens:,} tokens"
        ),
        Text(f"from {source}, {'already in the cache' if summary.cached else f'in {summary.seconds:.1f} s'}", MUTED),
    )


def _neighbours(found: Sequence[SimilarValue]) -> Table:
    """Vectors close to one: cosine and what they promote."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    for near in found:
        cosine = Text(signed(near.cosine), NEGATIVE if near.cosine < 0 else POSITIVE)
        table.add_row(Text(near.value), cosine, Listed(near.promotes))
    return table


def title(text: str) -> Rule:
    """A section's title."""
    return Rule(Text(text, "bold"), align="left", style=MUTED)


def _range(view: ValueView) -> Text:
    """What `on` and `on-` mean for this vector."""
    measured = view.range
    if measured is None:
        return Text("coefficient: not measured yet (calibrate the model to see its range)", MUTED)
    points = (
        ("on- ", measured.low),
        ("1% ", measured.quantile_01),
        ("mean ", measured.mean),
        ("99% ", measured.quantile_99),
        ("on ", measured.high),
    )
    text = Text.assemble(("coefficient  ", MUTED))
    for label, number in points:
        text.append(label, MUTED).append(f"{signed(number)}  ", POSITIVE if number > 0 else NEGATIVE)
    return text.append(f"± {measured.deviation:.3g} over {measured.tokens:,} tokens", MUTED)


def bars(tokens: Sequence[PromotedToken], style: str) -> Table:
    """Tokens with their projection as a bar."""
    most = max((abs(token.logit) for token in tokens), default=1.0) or 1.0
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    for token in tokens:
        length = Bar(abs(token.logit) / most, style)
        table.add_row(Text(fit(token.text, 20)), Text(signed(token.logit), MUTED), length)
    return table


def _rest(tokens: Sequence[PromotedToken]) -> Flow:
    return Flow([Text(fit(token.text, 30), MUTED) for token in tokens])


def _rows(rows: Sequence[tuple[str, str, str]]) -> Table:
    """Parts: role, path, detail."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=MUTED)
    table.add_column(no_wrap=True)  # a path is there to be copied
    table.add_column(style=MUTED)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _checks(checks: Sequence[Check]) -> Table:
    """Invariants: measured error against the tolerance."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "left", "right", "right", "left"):
        table.add_column(justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column(ratio=1)
    table.add_row(*(Text(title, MUTED) for title in ("", "", "error", "tolerance", "layer", "")))
    for check in checks:
        table.add_row(
            Text("✓", POSITIVE) if check.passed else Text("✗", NEGATIVE),
            Text(check.invariant, "bold"),
            Text(f"{check.error:.1e}", "" if check.passed else f"bold {NEGATIVE}"),
            Text(f"{check.tolerance:.1e}", MUTED),
            Text("" if check.layer is None else str(check.layer), NOTICE if not check.passed else MUTED),
            Text(printable(check.statement)),
        )
    return table
