"""How information flows to a prediction, as a document: a table of edges from the last layer down."""

from itertools import groupby

from lm_debugger.records.flow import Flow, FlowEdge
from lm_debugger.show.document import (
    Column,
    Document,
    Line,
    Piece,
    Prompt,
    Span,
    Table,
    TokenCell,
    Tone,
    line,
    muted,
    spread,
    warnings,
)
from lm_debugger.show.numbers import percent

_WAYS = ("attention", "mixer", "feed-forward")
_HEADS = 3  # listed for each edge


def flow(found: Flow) -> Document:
    """The prompt, and for each layer and token what its stream came from."""
    rows = []
    for (layer, target), edges in groupby(found.edges, key=lambda edge: (edge.layer, edge.target)):
        ways = sorted((e for e in edges if e.kind in _WAYS), key=lambda edge: -edge.contribution)
        if ways:
            token = found.tokens[target]
            rows.append((muted(f"layer {layer}"), line(TokenCell(token.text)), _ways(found, ways)))
    edits = (line(Span("with ", Tone.MUTED), Span(", ".join(found.interventions), Tone.EDITED)),)
    title = f"{len(found.edges)} edges with a contribution of {percent(found.threshold)} or more"
    return (
        Prompt(found.tokens, found.position),
        *(edits if found.interventions else ()),
        *warnings(found.warnings),
        muted(title),
        Table((Column("layer"), Column("token"), Column("comes from", grow=True, wrap=True)), tuple(rows)),
    )


def _ways(found: Flow, edges: list[FlowEdge]) -> Line:
    pieces: list[Piece] = []
    for edge in edges:
        pieces.append(Span("  " if pieces else ""))
        if edge.kind == "attention":
            heads = spread([Span(head.head) for head in edge.heads[:_HEADS]], " ")
            pieces += [Span("← ", Tone.MUTED), TokenCell(found.tokens[edge.source].text), Span(" ")]
            pieces += [*heads, Span(" ")]
        else:
            pieces.append(Span(f"{edge.kind} ", strong=True))
        pieces.append(Span(percent(edge.contribution), Tone.MUTED))
    return line(*pieces)
