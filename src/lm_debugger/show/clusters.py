"""Clusters for the terminal: records in, rich renderables out."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterView
from lm_debugger.records.visible import printable
from lm_debugger.show.cells import MUTED, NEGATIVE, POSITIVE, Listed, cut
from lm_debugger.show.reports import bars, title

_BARRED = 12  # tokens shown with a bar
_NAME = 36  # cells
_BLOCKS = " ▁▂▃▄▅▆▇█"


def clustering(listed: Clustering, clusters: int) -> RenderableType:
    """The list.

    Args:
        listed: with the clusters to list.
        clusters: how many there are.
    """
    how = "from the cache" if listed.cached else f"in {listed.seconds:.1f} s"
    facts = f"  {listed.value_vectors:,} value vectors, mean cosine with the centre {listed.cohesion:.3f}, seed "
    head = Text.assemble((f"{clusters:,} clusters", "bold"), (f"{facts}{listed.seed}, {how}", MUTED))
    if not listed.clusters:
        return Group(head, Text("no cluster's name or tokens contain that text", MUTED))
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for heading in ("id", "size", "cohesion", "layer"):
        table.add_column(justify="right", no_wrap=True, header=heading)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_row(*(Text(heading, MUTED) for heading in ("id", "size", "cohesion", "layer", "name", "promotes")))
    for brief in listed.clusters:
        table.add_row(*_numbers(brief), Text(_name(brief, _NAME), "bold"), Listed(brief.promotes))
    more = clusters - len(listed.clusters)
    ending = (Text(f"{more:,} more; see --limit, --sort and --find", MUTED),) if more else ()
    return Group(head, "", table, *ending)


def cluster(view: ClusterView, made: Clustering) -> RenderableType:
    """One cluster: its tokens, its members, where they are, and clusters like it."""
    brief = view.brief
    facts = f"  cluster {brief.id} of {view.k:,}, {brief.size:,} value vectors, cohesion {brief.cohesion:.3f}"
    sides = Table.grid(padding=(0, 3, 0, 0), expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row(title("promotes"), title("suppresses"))
    sides.add_row(bars(view.promotes[:_BARRED], POSITIVE), bars(view.suppresses[:_BARRED], NEGATIVE))
    pieces: list[RenderableType] = [
        Text.assemble((_name(brief, 100), "bold"), (facts, MUTED)),
        Text.assemble(
            ("layers  0 ", MUTED), _sparkline(view.layers), (f" {len(view.layers) - 1}  mean {brief.layer:.1f}", MUTED)
        ),
        "",
        sides,
        title(f"members, {len(view.members):,} of {brief.size:,}"),
        _members(view),
    ]
    if view.similar:
        pieces += [title("similar clusters"), _others([made.clusters[other] for other in view.similar])]
    if view.opposite is not None:
        other, cosine = view.opposite
        pieces += [title(f"most opposite, cosine {cosine:.2f}"), _others([made.clusters[other]])]
    return Group(*pieces)


def _members(view: ClusterView) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    for member in view.members:
        table.add_row(Text(member.value, "bold"), Text(f"{member.cosine:.3f}", MUTED), Listed(member.promotes))
    return table


def _others(briefs: list[ClusterBrief]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for brief in briefs:
        table.add_row(Text(str(brief.id), MUTED), Text(f"{brief.size:,}", MUTED), Text(_name(brief, 60)))
    return table


def _numbers(brief: ClusterBrief) -> tuple[Text, ...]:
    return (
        Text(str(brief.id)),
        Text(f"{brief.size:,}"),
        Text(f"{brief.cohesion:.3f}", MUTED),
        Text(f"{brief.layer:.1f}", MUTED),
    )


def _name(brief: ClusterBrief, width: int) -> str:
    return cut(printable(brief.name).replace("\n", "↵"), width)


def _sparkline(counts: tuple[int, ...]) -> Text:
    """A bar for each layer."""
    most = max(counts, default=0) or 1
    return Text("".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts), POSITIVE)
