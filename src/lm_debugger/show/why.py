"""Who wrote a prediction, for the terminal: the question, the parts, and that they add up."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lm_debugger.records.token import TokenScore
from lm_debugger.records.visible import printable, visible
from lm_debugger.records.why import Why
from lm_debugger.show.cells import MUTED, NOTICE, PREDICTED, Bar, Listed, percent, sign_style, signed


def why(found: Why) -> RenderableType:
    """The whole answer."""
    notes = [Text.assemble(("! ", f"bold {NOTICE}"), (printable(text), NOTICE)) for text in found.warnings]
    return Group(_question(found), *_edits(found), *notes, "", _parts(found), "", _sum(found))


def _question(found: Why) -> Text:
    head = Text.assemble(("why ", MUTED), _token(found.target))
    if found.against is not None:
        head = Text.assemble(head, (" and not ", MUTED), _token(found.against))
    what = "logit" if found.against is None else "lead in logits"
    return Text.assemble(
        head, (f" after position {found.position}: {what} ", MUTED), (signed(found.difference), "bold")
    )


def _edits(found: Why) -> list[Text]:
    return [Text.assemble(("with ", MUTED), ", ".join(found.interventions))] if found.interventions else []


def _token(token: TokenScore) -> Text:
    return Text.assemble((visible(token.text), PREDICTED), (f" {percent(token.probability)}", MUTED))


def _parts(found: Why) -> Table:
    estimated = any(part.estimate is not None for part in found.parts)
    measured = any(part.measured is not None for part in found.parts)
    columns = ["part", "effect", *["estimate"] * estimated, *["measured"] * measured]
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for number in range(len(columns)):
        table.add_column(justify="right" if number else "left", no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(ratio=2)
    table.add_row(*(Text(title, MUTED) for title in (*columns, "", "promotes here")))
    most = max((abs(part.effect) for part in found.parts), default=0.0) or 1.0
    for part in found.parts:
        style = sign_style(part.effect)
        causes = [part.estimate] * estimated + [part.measured] * measured
        table.add_row(
            Text(part.part, "bold"),
            Text(signed(part.effect), style),
            *(Text("" if number is None else signed(number), MUTED) for number in causes),
            Bar(abs(part.effect) / most, style),
            Listed(part.promotes),
        )
    return table


def _sum(found: Why) -> Text:
    listed = sum(part.effect for part in found.parts)
    agreement = "" if found.agreement is None else f"  estimate and measured correlate {found.agreement:.2f}"
    return Text.assemble(
        ("listed ", MUTED), signed(listed), ("  rest ", MUTED), signed(found.rest),
        ("  unexplained ", MUTED), signed(found.unexplained), ("  together ", MUTED), signed(found.difference),
        (agreement, MUTED),
    )  # fmt: skip
