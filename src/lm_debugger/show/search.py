"""What a search found, for the terminal: records in, rich renderables out."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lm_debugger.records.search import Keyword, SearchAnswer, SearchResult
from lm_debugger.records.visible import printable, visible
from lm_debugger.show.cells import MUTED, NEGATIVE, POSITIVE, Listed, fit, signed

_BARS = " ▁▂▃▄▅▆▇█"
_FORMS = 8  # forms of a keyword that are shown
_MATCHES = 3  # keywords whose match is shown with each vector


def search(answer: SearchAnswer) -> RenderableType:
    """How the keywords were understood, where in the network they live, and the vectors found."""
    head = Text.assemble((printable(answer.query), "bold"), (f"  {answer.searched:,} value vectors searched", MUTED))
    return Group(head, *map(_keyword, answer.keywords), _layers(answer), "", _results(answer))


def _keyword(keyword: Keyword) -> Text:
    shown = [visible(form.text) for form in keyword.forms if form.used]
    more = f" and {len(shown) - _FORMS} more" if len(shown) > _FORMS else ""
    sign = "without " if keyword.unwanted else ""
    return Text.assemble((f"{sign}{printable(keyword.text)}: ", MUTED), " ".join(shown[:_FORMS]), (more, MUTED))


def _layers(answer: SearchAnswer) -> Text:
    """A sparkline: how many of the strongest vectors each layer has."""
    most = max((layer.hits for layer in answer.layers), default=0) or 1
    line = "".join(_BARS[-(-layer.hits * (len(_BARS) - 1) // most)] for layer in answer.layers)
    label = f"  where the {answer.strongest} strongest are"
    return Text.assemble(("layers 0 ", MUTED), (line, POSITIVE), (f" {len(answer.layers) - 1}", MUTED), (label, MUTED))


def _results(answer: SearchAnswer) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    titles = ("vector", answer.measure, "set", "matches, rank" if answer.keywords else "", "promotes then")
    table.add_row(*(Text(title, MUTED) for title in titles))
    for result in answer.results:
        score = f"{result.score:+.1%}" if answer.measure == "share" else signed(result.score)
        style = NEGATIVE if result.score < 0 else POSITIVE
        setting = Text("=on" if result.sign == "+" else "=on-", MUTED)
        table.add_row(
            Text(result.value, "bold"), Text(score, style), setting, _matches(result), Listed(result.promotes)
        )
    return table


def _matches(result: SearchResult) -> Text:
    parts = [Text.assemble(fit(match.text, 12), (f" {match.rank:,}", MUTED)) for match in result.tokens[:_MATCHES]]
    return Text("  ").join(parts)
