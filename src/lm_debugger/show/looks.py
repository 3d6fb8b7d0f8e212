"""Pieces of a document as terminal text.

Colours are the terminal's own sixteen, never fixed values, so that they follow a light or a dark theme. Text from
outside only ever becomes `rich.text.Text`, which does not read markup, with everything invisible made visible.
"""

from rich.text import Text

from lm_debugger.records.visible import printable
from lm_debugger.show.cells import cut, fit
from lm_debugger.show.document import Line, Piece, Span, Tone

_STYLES = {
    Tone.PLAIN: "",
    Tone.MUTED: "dim",
    Tone.POSITIVE: "green",
    Tone.NEGATIVE: "red",
    Tone.NOTICE: "yellow",
    Tone.PREDICTED: "bold cyan",
    Tone.EDITED: "underline",
    Tone.NAMED: "italic",
}
MUTED = _STYLES[Tone.MUTED]


def style(tone: Tone, *, strong: bool = False) -> str:
    """How a tone looks."""
    return f"bold {_STYLES[tone]}".rstrip() if strong else _STYLES[tone]


def text(line: Line) -> Text:
    """A line as text."""
    found = Text() if line.wrap else Text(no_wrap=True, overflow="ellipsis")
    for part in line.pieces:
        found.append_text(piece(part))
    return found


def piece(part: Piece) -> Text:
    """A piece as text, to which other text may be appended in its own style."""
    found = Text()
    look = style(part.tone, strong=part.strong)
    if isinstance(part, Span):
        shown = printable(part.text)
        if part.marked:
            found.append("▸", "bold")
            look = f"{look} reverse bold"
        return found.append(shown if part.most is None else cut(shown, part.most), look)
    found.append(fit(part.text, part.most), look)
    if part.percent:
        found.append(" ").append(part.percent, MUTED)
    return found if part.change is None else found.append(" ").append_text(piece(part.change))
