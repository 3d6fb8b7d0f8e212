"""Draws documents as HTML for notebooks: self-contained, no scripts, everything from outside escaped.

Colours are chosen to read on white and on black, since a notebook's theme need not be the system's.
"""

from html import escape
from typing import assert_never

from lm_debugger.records.visible import printable, visible
from lm_debugger.show.document import (
    Bar,
    Beside,
    Block,
    Column,
    Document,
    Flow,
    LayerLine,
    Layers,
    Line,
    Piece,
    Prompt,
    Section,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
)

_STYLE = """
.lmd{font:13px/1.5 system-ui,sans-serif;color:inherit;max-width:72em}
.lmd .t,.lmd .edited{font-family:ui-monospace,monospace;font-size:12px}
.lmd .t{display:inline-block;margin:1px 2px;padding:0 5px;border-radius:4px;background:rgba(128,128,128,.16);
white-space:pre}
.lmd .here{outline:2px solid #3b82c4}
.lmd .t.predicted{background:rgba(59,130,196,.3)}
.lmd .run{white-space:pre-wrap}
.lmd .positive{color:#2a9d5c}.lmd .negative{color:#d9534f}.lmd .notice{color:#b8860b}
.lmd .muted{opacity:.65}.lmd .edited{text-decoration:underline}.lmd .named{font-style:italic}
.lmd .strong{font-weight:600}.lmd .marked{outline:2px solid currentColor}
.lmd .title{font-weight:600;border-bottom:1px solid rgba(128,128,128,.3);margin-top:8px}
.lmd .beside{display:flex;flex-wrap:wrap;gap:0 24px}.lmd .beside>div{flex:1 1 20em}
.lmd details{border-top:1px solid rgba(128,128,128,.3)}
.lmd summary{cursor:pointer;padding:2px 0}
.lmd summary b{display:inline-block;min-width:3em}
.lmd table{border-collapse:collapse;margin:2px 0 8px;background:none}
.lmd td,.lmd th{padding:1px 10px 1px 0;text-align:left;border:0;background:none;color:inherit;vertical-align:top}
.lmd .n{text-align:right;font-variant-numeric:tabular-nums}
.lmd .bar{display:block;height:.75em;border-radius:2px;background:currentColor}
.lmd .bar.plain,.lmd .bar.predicted{background:#3b82c4}
.lmd .bar.was{background:rgba(128,128,128,.5);height:.3em}
"""
_LONGEST = 16  # em, of a bar
_BRIEF_TOKENS, _BRIEF_UPDATES, _BRIEF_PROMOTED = 2, 1, 4  # in a layer that is not opened


def page(document: Document) -> str:
    """A document as one HTML element; each layer opens on a click."""
    return f"<div class='lmd'><style>{_STYLE}</style>{''.join(map(_block, document))}</div>"


def _block(block: Block) -> str:
    match block:
        case Line(pieces):
            return f"<div class='run'>{_pieces(pieces)}</div>" if pieces else ""
        case Flow(items):
            return f"<div>{' '.join(_pieces(item.pieces) for item in items)}</div>"
        case Tokens(texts):
            return "".join(map(_chip, texts))
        case Bar():
            return _bar(block)
        case Table():
            return _table(block)
        case Section(title, blocks):
            return f"<div><div class='title'>{_text(title)}</div>{''.join(map(_block, blocks))}</div>"
        case Beside(sides):
            return f"<div class='beside'>{''.join(map(_block, sides))}</div>"
        case Prompt(tokens, position):
            return f"<div>{''.join(_chip(t.text, 'here' if t.position == position else '') for t in tokens)}</div>"
        case Layers(lines):
            return "".join(map(_layer, lines))
        case _:
            assert_never(block)


def _layer(layer: LayerLine) -> str:
    """One layer: its strongest tokens and sub-update when closed, everything when open."""
    head = [f"<b>{_text(layer.label)}</b>", _pieces(layer.before[:_BRIEF_TOKENS])]
    for update in layer.updates[:_BRIEF_UPDATES]:
        head += ["→", _pieces((update.unit, update.coefficient))]
        head += [_pieces((update.name,))] if update.name is not None else []
        head.append("".join(map(_chip, update.promotes.texts[:_BRIEF_PROMOTED])))
    head += ["→", _pieces(layer.after[:_BRIEF_TOKENS])]
    if layer.differs:
        head.append("<span class='notice strong'>≠</span>")
    return f"<details><summary>{' '.join(head)}</summary>{_block(layer.body)}</details>"


def _table(table: Table) -> str:
    titles = ""
    if any(column.title for column in table.columns):
        cells = "".join(f"<th{_side(column)}>{_text(column.title)}</th>" for column in table.columns)
        titles = f"<tr class='muted'>{cells}</tr>"
    rows = "".join(
        f"<tr>{''.join(f'<td{_side(c)}>{_cell(cell)}</td>' for c, cell in zip(table.columns, row, strict=True))}</tr>"
        for row in table.rows
    )
    return f"<table>{titles}{rows}</table>"


def _cell(block: Block) -> str:
    """A block in a table: a line needs no element of its own there."""
    return _pieces(block.pieces) if isinstance(block, Line) else _block(block)


def _side(column: Column) -> str:
    return " class='n'" if column.right else ""


def _bar(bar: Bar) -> str:
    was = f"<span class='bar was' style='width:{bar.earlier * _LONGEST:.2f}em'></span>" if bar.earlier else ""
    return f"<span class='bar {bar.tone}' style='width:{bar.fraction * _LONGEST:.2f}em'></span>{was}"


def _pieces(pieces: tuple[Piece, ...]) -> str:
    return "".join(map(_piece, pieces))


def _piece(piece: Piece) -> str:
    match piece:
        case Span():
            looks = [
                piece.tone if piece.tone is not Tone.PLAIN else "",
                "strong" * piece.strong,
                "marked" * piece.marked,
            ]
            look = " ".join(filter(None, looks))
            shown = _text(piece.text)
            return f"<span class='{look}'>{shown}</span>" if look else shown
        case TokenCell():
            about = f" <span class='muted'>{piece.percent}</span>" if piece.percent else ""
            if piece.change is not None:
                about += f" {_piece(piece.change)}"
            return _chip(piece.text, piece.tone, about)
        case _:
            assert_never(piece)


def _chip(text: str, look: str = "", about: str = "") -> str:
    """A token as a chip. `bdi` keeps right-to-left text from reordering its neighbours."""
    return f"<span class='t {look}'><bdi>{escape(visible(text))}</bdi>{about}</span>"


def _text(text: str) -> str:
    return escape(printable(text))
