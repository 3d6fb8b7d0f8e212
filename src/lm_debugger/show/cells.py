"""The small pieces that terminal read-outs are made of: token cells, numbers, bars, flowing lists.

Colours are the terminal's own sixteen, never fixed values, so that they follow a light or a dark theme. Token text
only ever becomes `rich.text.Text`, which does not read markup.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from lm_debugger.records.visible import right_to_left, visible

POSITIVE = "green"
NEGATIVE = "red"
MUTED = "dim"
PREDICTED = "bold cyan"  # the token that the model predicts, wherever it appears
NOTICE = "yellow"

_EIGHTHS = " ▏▎▍▌▋▊▉"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def fit(text: str, width: int) -> str:
    """A token's visible text in at most `width` terminal cells."""
    return cut(visible(text), width)


def cut(shown: str, width: int) -> str:
    """One line of text without invisible characters in at most `width` terminal cells, cut with `…`."""
    if cell_len(shown) > width:
        shown = (chop_cells(shown, width - 1)[0] if width > 1 else "") + "…"
    # Without isolation, a terminal that reorders right-to-left text would pull the numbers beside it along.
    return f"{_ISOLATE}{shown}{_END_ISOLATE}" if right_to_left(shown) else shown


def pad(text: str, width: int) -> str:
    """Text filled with spaces to `width` terminal cells."""
    return text + " " * (width - cell_len(text))


def percent(probability: float) -> str:
    """A probability in at most 5 characters."""
    if probability >= 0.9995:
        return "100%"
    return f"{probability:.1%}" if probability >= 0.0005 else "<0.1%"


def signed(number: float) -> str:
    """A number with its sign, in at most 6 characters."""
    absolute = abs(number)
    if absolute >= 99_999 or 0 < absolute < 0.0005:
        return f"{number:+.0e}"
    digits = 0 if absolute >= 99.95 else 1 if absolute >= 9.995 else 2 if absolute >= 0.0995 or absolute == 0 else 3
    return f"{number:+.{digits}f}"


def size(number: float) -> str:
    """A number that is never negative, in at most 5 characters."""
    return signed(number)[1:]


def sign_style(number: float) -> str:
    """The colour of a signed number."""
    return NEGATIVE if number < 0 else POSITIVE


def bar(fraction: float, width: int) -> str:
    """A horizontal bar, `fraction` of `width` cells long, in eighths of a cell."""
    full, eighth = divmod(round(min(max(fraction, 0.0), 1.0) * width * 8), 8)
    return "█" * full + (_EIGHTHS[eighth] if eighth else "")


def listed(texts: Iterable[str], width: int) -> str:
    """As many of the tokens as fit into `width` cells, separated by spaces."""
    line, used = [], 0
    for text in texts:
        token = fit(text, width)
        if used + cell_len(token) > width:
            break
        line.append(token)
        used += cell_len(token) + 1
    return " ".join(line)


class Bar:
    """A bar as wide as its column (at most 60 cells), on the shade of an earlier one."""

    def __init__(self, fraction: float, style: str, earlier: float = 0.0) -> None:
        self.fraction = fraction
        self.style = style
        self.earlier = earlier

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, 60)
        text = Text(no_wrap=True).append(bar(self.fraction, width), self.style)
        text.append("░" * (round(self.earlier * width) - text.cell_len), MUTED)
        yield text


class Listed:
    """Tokens on one line, as many as fit."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(listed(self.texts, options.max_width), no_wrap=True)


class Flow:
    """Items one after another, broken between items and never inside one."""

    def __init__(self, items: Sequence[Text], gap: int = 2) -> None:
        self.items = items
        self.gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line, used = Text(no_wrap=True, overflow="ellipsis"), 0
        for item in self.items:
            if used and used + self.gap + item.cell_len > options.max_width:
                yield line
                line, used = Text(no_wrap=True, overflow="ellipsis"), 0
            if used:
                line.append(" " * self.gap)
                used += self.gap
            line.append_text(item)
            used += item.cell_len
        yield line
