"""Answers about causes as plain rows of a table, for spreadsheets and data frames. Numbers as they are, nothing cut."""

from collections.abc import Iterator

from lm_debugger.records.attention import HeadTable
from lm_debugger.records.flow import Flow
from lm_debugger.records.patch import PatchMap
from lm_debugger.records.path import PathMap
from lm_debugger.records.why import Why

Row = tuple[object, ...]


def rows(answer: Why | HeadTable | Flow | PatchMap | PathMap) -> Iterator[Row]:
    """The answer's rows, the first of them the titles."""
    match answer:
        case Why():
            yield from _parts(answer)
        case HeadTable():
            yield "head", "norm", "share", "attends", "previous", "first", "duplicate", "induction", "promotes"
            for head in answer.heads:
                yield (
                    head.head, head.norm, head.share, head.attends, head.previous, head.first, head.duplicate,
                    head.induction, "".join(head.promotes),
                )  # fmt: skip
        case Flow():
            yield "layer", "kind", "source", "target", "contribution", "heads"
            for edge in answer.edges:
                heads = " ".join(each.head for each in edge.heads)
                yield edge.layer, edge.kind, edge.source, edge.target, edge.contribution, heads
        case PathMap():
            yield "sender", "receiver", "difference", "change"
            for path in answer.paths:
                yield path.sender, answer.receiver, path.difference, path.change
        case PatchMap():
            yield "layer", "head" if answer.part == "heads" else "position", "difference"
            for layer, (cells, together) in enumerate(zip(answer.cells, answer.together, strict=True)):
                yield layer, "all", together
                for column, difference in enumerate(cells):
                    if difference is not None:
                        yield layer, column, difference


def _parts(answer: Why) -> Iterator[Row]:
    yield "part", "kind", "effect", "estimate", "measured", "promotes"
    for part in answer.parts:
        yield part.part, part.kind, part.effect, part.estimate, part.measured, "".join(part.promotes)
        for source in part.sources:
            name = f"{part.part} from {source.position}"
            yield name, "source", source.effect, None, None, answer.tokens[source.position].text
    yield "rest", "", answer.rest, None, None, ""
    yield "unexplained", "", answer.unexplained, None, None, ""
