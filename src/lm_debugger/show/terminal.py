"""Draws documents for a terminal, as rich renderables. Prints nothing, and knows nothing of answers."""

import io
from typing import assert_never

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

from lm_debugger.show.cells import bar, listed
from lm_debugger.show.document import (
    Bar,
    Beside,
    Block,
    Document,
    Flow,
    Layers,
    Line,
    Prompt,
    Section,
    Table,
    Tokens,
)
from lm_debugger.show.fitted import fit_layers, fit_prompt
from lm_debugger.show.looks import MUTED, style, text

_NARROW = 60  # cells below which two texts side by side are hard to read
_LONGEST = 60  # cells of a bar


def draw(document: Document) -> RenderableType:
    """A document as something that a rich console prints."""
    return Group(*map(_block, document))


def picture(document: Document, width: int, title: str) -> str:
    """A document as an SVG image, `width` cells wide."""
    console = Console(
        record=True, width=width, file=io.StringIO(), highlight=False, markup=False, emoji=False, force_terminal=True
    )
    console.print(draw(document))
    return console.export_svg(title=title)


def _block(block: Block) -> RenderableType:
    match block:
        case Line():
            return text(block)
        case Table():
            return _table(block)
        case Section():
            return Group(_rule(block), draw(block.blocks))
        case Flow() | Tokens() | Bar() | Beside() | Prompt() | Layers():
            return _Fitted(block)
        case _:
            assert_never(block)


class _Fitted:
    """A block that depends on how much room there is."""

    def __init__(self, block: Flow | Tokens | Bar | Beside | Prompt | Layers) -> None:
        self.block = block

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        match self.block:
            case Tokens(texts):
                yield Text(listed(texts, width), no_wrap=True)
            case Bar():
                yield _bar(self.block, min(width, _LONGEST))
            case Flow(items, gap):
                yield from _flow([text(item) for item in items], gap, width)
            case Prompt():
                yield from _flow(fit_prompt(self.block, width), 1, width)
            case Layers():
                yield fit_layers(self.block, width)
            case Beside(sides, apart):
                yield draw(sides) if apart or width < _NARROW else _beside(self.block)


def _table(table: Table) -> Grid:
    grid = _grid(table.gap, wide=any(column.grow for column in table.columns))
    for column in table.columns:
        grid.add_column(
            justify="right" if column.right else "left", no_wrap=not column.wrap, ratio=1 if column.grow else None
        )
    if any(column.title for column in table.columns):
        grid.add_row(*(Text(column.title, MUTED) for column in table.columns))
    for row in table.rows:
        grid.add_row(*map(_block, row))
    return grid


def _beside(beside: Beside) -> Grid:
    grid = _grid(3, wide=True)
    for _ in beside.sides:
        grid.add_column(ratio=1)
    grid.add_row(*map(_rule, beside.sides))
    for row in zip(*(side.blocks for side in beside.sides), strict=True):
        grid.add_row(*map(_block, row))
    return grid


def _grid(gap: int, *, wide: bool) -> Grid:
    return Grid.grid(padding=(0, gap, 0, 0), expand=wide)


def _rule(section: Section) -> Rule:
    return Rule(Text(section.title, "bold"), align="left", style=MUTED)


def _bar(part: Bar, width: int) -> Text:
    drawn = Text(no_wrap=True).append(bar(part.fraction, width), style(part.tone))
    return drawn.append("░" * (round(part.earlier * width) - drawn.cell_len), MUTED)


def _flow(items: list[Text], gap: int, width: int) -> RenderResult:
    """Items one after another, broken between items and never inside one."""
    line, used = Text(no_wrap=True, overflow="ellipsis"), 0
    for item in items:
        if used and used + gap + item.cell_len > width:
            yield line
            line, used = Text(no_wrap=True, overflow="ellipsis"), 0
        if used:
            line.append(" " * gap)
            used += gap
        line.append_text(item)
        used += item.cell_len
    yield line
