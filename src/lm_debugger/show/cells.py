"""Text in terminal cells: cut, filled up, and as many pieces as a width holds. Knows nothing of what it says."""

from collections.abc import Iterable

from rich.cells import cell_len, chop_cells

from lm_debugger.records.visible import right_to_left, visible

_EIGHTHS = " ▏▎▍▌▋▊▉"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def fit(text: str, width: int | None) -> str:
    """A token's visible text in at most `width` terminal cells; None for any number."""
    return cut(visible(text), width)


def cut(shown: str, width: int | None) -> str:
    """One line of text without invisible characters in at most `width` terminal cells, cut with `…`."""
    if width is not None and cell_len(shown) > width:
        shown = (chop_cells(shown, width - 1)[0] if width > 1 else "") + "…"
    # Without isolation, a terminal that reorders right-to-left text would pull the numbers beside it along.
    return f"{_ISOLATE}{shown}{_END_ISOLATE}" if right_to_left(shown) else shown


def pad(text: str, width: int) -> str:
    """Text filled with spaces to `width` terminal cells."""
    return text + " " * (width - cell_len(text))


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
