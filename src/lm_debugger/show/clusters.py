"""Clusters of value vectors as documents: the list, and one of them."""

from collections.abc import Sequence

from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterView
from lm_debugger.show.document import (
    EMPTY,
    Beside,
    Block,
    Column,
    Document,
    Section,
    Span,
    Table,
    Tokens,
    Tone,
    line,
    muted,
)
from lm_debugger.show.numbers import sparkline
from lm_debugger.show.value import bars

_BARRED = 12  # tokens shown with a bar


def clustering(listed: Clustering, clusters: int) -> Document:
    """The list.

    Args:
        listed: with the clusters to list.
        clusters: how many there are.
    """
    how = "from the cache" if listed.cached else f"in {listed.seconds:.1f} s"
    facts = (
        f"  {listed.value_vectors:,} value vectors, mean cosine with the centre {listed.cohesion:.3f}, "
        f"seed {listed.seed}, {how}"
    )
    head = line(Span(f"{clusters:,} clusters", strong=True), Span(facts, Tone.MUTED))
    if not listed.clusters:
        return head, muted("no cluster's name or tokens contain that text")
    numbers = (Column(title, right=True) for title in ("id", "size", "cohesion", "layer"))
    rows = tuple(
        (
            line(str(brief.id)),
            line(f"{brief.size:,}"),
            muted(f"{brief.cohesion:.3f}"),
            muted(f"{brief.layer:.1f}"),
            line(_name(brief, 36, strong=True)),
            Tokens(brief.promotes),
        )
        for brief in listed.clusters
    )
    table = Table((*numbers, Column("name"), Column("promotes", grow=True)), rows)
    more = clusters - len(listed.clusters)
    return (head, EMPTY, table, *((muted(f"{more:,} more; see --limit, --sort and --find"),) if more else ()))


def cluster(view: ClusterView, made: Clustering) -> Document:
    """One cluster: its tokens, its members, where they are, and clusters like it."""
    brief = view.brief
    facts = f"  cluster {brief.id} of {view.k:,}, {brief.size:,} value vectors, cohesion {brief.cohesion:.3f}"
    layers = Span(sparkline(view.layers), Tone.POSITIVE)
    last = Span(f" {len(view.layers) - 1}  mean {brief.layer:.1f}", Tone.MUTED)
    blocks: list[Block] = [
        line(_name(brief, 100, strong=True), Span(facts, Tone.MUTED)),
        line(Span("layers  0 ", Tone.MUTED), layers, last),
        EMPTY,
        Beside(
            (
                Section("promotes", (bars(view.promotes[:_BARRED], Tone.POSITIVE),)),
                Section("suppresses", (bars(view.suppresses[:_BARRED], Tone.NEGATIVE),)),
            )
        ),
        Section(f"members, {len(view.members):,} of {brief.size:,}", (_members(view),)),
    ]
    if view.similar:
        blocks.append(Section("similar clusters", (_others([made.clusters[other] for other in view.similar]),)))
    if view.opposite is not None:
        other, cosine = view.opposite
        blocks.append(Section(f"most opposite, cosine {cosine:.2f}", (_others([made.clusters[other]]),)))
    return tuple(blocks)


def _members(view: ClusterView) -> Table:
    rows = tuple(
        (line(Span(member.value, strong=True)), muted(f"{member.cosine:.3f}"), Tokens(member.promotes))
        for member in view.members
    )
    return Table((Column(), Column(right=True), Column(grow=True)), rows)


def _others(briefs: Sequence[ClusterBrief]) -> Table:
    rows = tuple((muted(str(brief.id)), muted(f"{brief.size:,}"), line(_name(brief, 60))) for brief in briefs)
    return Table((Column(right=True), Column(right=True), Column()), rows)


def _name(brief: ClusterBrief, most: int, *, strong: bool = False) -> Span:
    return Span(brief.name.replace("\n", "↵"), strong=strong, most=most)
