"""What an answer says, and in which order, before it is drawn. Knows no terminal and no HTML.

A document is a sequence of blocks, a block is made of lines, and a line of pieces. Numbers are text already: how many
digits one deserves does not depend on where it stands. How much room there is does, so whatever adapts to it (bars,
lists of tokens, the prompt, the layers) stays a block that each back end fits in its own way.

Text is kept as it came from models and users; back ends make it safe to look at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from lm_debugger.records.token import Token


class Tone(StrEnum):
    """What a piece means beside its words; each back end has its own look for it."""

    PLAIN = "plain"
    MUTED = "muted"  # labels, and what may be skipped
    POSITIVE = "positive"
    NEGATIVE = "negative"
    NOTICE = "notice"
    PREDICTED = "predicted"  # the token that the model predicts, wherever it appears
    EDITED = "edited"  # a unit that an edit touches
    NAMED = "named"  # what a user called something


@dataclass(frozen=True, slots=True)
class Span:
    """Running text.

    Args:
        text: with its spaces and line breaks.
        strong: whether it stands out.
        marked: whether it is the one piece to look at among its likes.
        most: terminal cells that it may take; None for any number.
    """

    text: str
    tone: Tone = Tone.PLAIN
    strong: bool = False
    marked: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class TokenCell:
    """A token's own text, whose every character is to be seen, and what is said of it.

    Args:
        text: as it is in the vocabulary.
        most: terminal cells that it may take; None for any number.
        percent: its probability.
        change: how it moved against an earlier list.
    """

    text: str
    tone: Tone = Tone.PLAIN
    strong: bool = False
    most: int | None = None
    percent: str = ""
    change: Span | None = None


Piece: TypeAlias = Span | TokenCell


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces one after another; without any, an empty line.

    Args:
        wrap: whether it goes on in the next line where there is no room, or is cut.
    """

    pieces: tuple[Piece, ...] = ()
    wrap: bool = True


@dataclass(frozen=True, slots=True)
class Flow:
    """Lines that follow each other and are never broken inside, `gap` cells apart."""

    items: tuple[Line, ...]
    gap: int = 2


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens on one line, the first ones that fit."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, as parts of the longest one, on the shade of an earlier one."""

    fraction: float
    tone: Tone = Tone.PLAIN
    earlier: float = 0.0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        right: whether its cells are set to the right, as numbers are.
        grow: whether it takes the room that the others leave.
        wrap: whether its cells may have several lines.
    """

    title: str = ""
    right: bool = False
    grow: bool = False
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, one for each column; the titles are a first row, if there are any."""

    columns: tuple[Column, ...]
    rows: tuple[tuple["Block", ...], ...]
    gap: int = 2


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a title."""

    title: str
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Sections to compare, side by side, block by block at one height.

    Args:
        apart: keep them one above the other, as running text from right to left needs.
    """

    sides: tuple[Section, ...]
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text's tokens, around the position that is read."""

    tokens: tuple[Token, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Update:
    """A sub-update in brief: its unit, its signed coefficient, the user's name for it, and what it promotes."""

    unit: Span
    coefficient: Span
    name: Span | None
    promotes: Tokens


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer on one line.

    Args:
        differs: whether another token leads than in the run that it is compared with.
        body: everything about it, for whoever opens it.
    """

    label: str
    before: tuple[TokenCell, ...]
    updates: tuple[Update, ...]
    after: tuple[TokenCell, ...]
    differs: bool
    body: "Block"


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers, one line each, with as many tokens and sub-updates as there is room for.

    Args:
        compared: whether there is a run that they are compared with.
    """

    lines: tuple[LayerLine, ...]
    compared: bool


Block: TypeAlias = Line | Flow | Tokens | Bar | Table | Section | Beside | Prompt | Layers
Document: TypeAlias = tuple[Block, ...]

EMPTY = Line()


def line(*parts: Piece | str, wrap: bool = True) -> Line:
    """A line of pieces; mere words are plain."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts), wrap)


def muted(text: str) -> Line:
    """A line of little weight."""
    return line(Span(text, Tone.MUTED))


def spread(spans: Iterable[Piece], between: str) -> tuple[Piece, ...]:
    """Pieces with some text between each two."""
    pieces = [piece for span in spans for piece in (Span(between), span)]
    return tuple(pieces[1:])


def signed_tone(number: float) -> Tone:
    """How a signed number looks."""
    return Tone.NEGATIVE if number < 0 else Tone.POSITIVE


def warnings(texts: Sequence[str]) -> Document:
    """What the user should know, one line each."""
    return tuple(line(Span("! ", Tone.NOTICE, strong=True), Span(text, Tone.NOTICE)) for text in texts)
