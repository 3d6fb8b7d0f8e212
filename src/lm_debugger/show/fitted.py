"""What of a prompt and of its layers a terminal's width holds."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table as Grid
from rich.text import Text

from lm_debugger.records.token import Token
from lm_debugger.show.cells import cut, fit, listed, pad
from lm_debugger.show.document import Layers, Prompt, TokenCell, Update
from lm_debugger.show.looks import MUTED, piece, style

_PROMPT_LINES = 4  # a longer prompt is shown around the position that is read
_TOKEN = 10  # cells for a token of a layer
_PERCENT = 5
_SLOT = _TOKEN + 1 + _PERCENT
_RANK = 4  # `↑12` or `new`
_COEFFICIENT = 6
_TITLES = ("before", "strongest sub-updates and what they promote here", "after")


def fit_prompt(prompt: Prompt, width: int) -> list[Text]:
    """The prompt's tokens; the one whose position is read stands between `▸` and `◂`."""
    first, last = _window(prompt, width * _PROMPT_LINES - 40)
    items = [_in_prompt(token, prompt) for token in prompt.tokens[first : last + 1]]
    if first:
        items.insert(0, Text(f"… {first} before", MUTED))
    if last + 1 < len(prompt.tokens):
        items.append(Text(f"{len(prompt.tokens) - last - 1} after …", MUTED))
    return items


def _window(prompt: Prompt, cells: int) -> tuple[int, int]:
    """The first and last token to show: as many around the position as fit."""
    tokens, first, last = prompt.tokens, prompt.position, prompt.position
    used = _in_prompt(tokens[first], prompt).cell_len
    while first > 0 or last + 1 < len(tokens):
        # Three tokens of the past for each of the future: a position depends only on what precedes it.
        back = first > 0 and (last + 1 == len(tokens) or (prompt.position - first) <= 3 * (last - first + 1) / 4)
        at = first - 1 if back else last + 1
        used += _in_prompt(tokens[at], prompt).cell_len + 1
        if used > cells:
            break
        first, last = min(first, at), max(last, at)
    return first, last


def _in_prompt(token: Token, prompt: Prompt) -> Text:
    text = fit(token.text, 40)
    return Text(f"▸{text}◂", "bold reverse") if token.position == prompt.position else Text(text)


def fit_layers(layers: Layers, width: int) -> Grid:
    """One line for each layer: before, strongest sub-updates, after. Shows as much as the width allows."""
    room = _Room.of(layers, width)
    between = 2
    widths = [
        room.label,
        room.tokens * (_SLOT + between) - between,
        room.updates * (room.update + 3) - 3,
        room.tokens * (_SLOT + 1 + _RANK + between) - between,
    ]
    titles = ["", *_TITLES]
    if layers.compared:
        titles.insert(1, "")
        widths.insert(1, 1)
    grid = Grid.grid(padding=(0, between, 0, 0))
    for cells in widths:
        grid.add_column(no_wrap=True, width=cells)
    grid.add_row(*(Text(title, MUTED, overflow="ellipsis") for title in titles))
    for layer in layers.lines:
        row = [
            Text(pad(layer.label, room.label), "bold"),
            _in_row([_token(token) for token in layer.before[: room.tokens]]),
            _in_row([_update(update, room) for update in layer.updates[: room.updates]], gap=3),
            _in_row([_token(token, moves=True) for token in layer.after[: room.tokens]]),
        ]
        if layers.compared:
            row.insert(1, Text("≠" if layer.differs else " ", "bold yellow"))
        grid.add_row(*row)
    return grid


class _Room(NamedTuple):
    """How much a line holds.

    Args:
        label: cells of a layer's name.
        unit: cells of a unit's name.
        tokens, updates: how many of each.
        update: cells of a sub-update.
    """

    label: int
    unit: int
    tokens: int
    updates: int
    update: int

    @classmethod
    def of(cls, layers: Layers, width: int) -> "_Room":
        label = max((len(layer.label) for layer in layers.lines), default=0)
        names = (len(update.unit.text) for layer in layers.lines for update in layer.updates[:2])
        unit = max(names, default=len("L12D345"))
        fixed = label + 6 + (3 if layers.compared else 0)
        least = unit + 1 + _COEFFICIENT + 2 + 16

        def rest(tokens: int) -> int:
            return width - fixed - tokens * (2 * _SLOT + 1 + _RANK) - 4 * (tokens - 1)

        ways = ((3, 2), (2, 2), (2, 1))
        fitting = (way for way in ways if rest(way[0]) >= way[1] * least + 3 * (way[1] - 1))
        tokens, updates = next(fitting, (1, 1))
        each = (rest(tokens) - 3 * (updates - 1)) // updates
        return cls(label, unit, tokens, updates, max(each, unit + 1 + _COEFFICIENT))


def _token(token: TokenCell, *, moves: bool = False) -> Text:
    text = Text().append(pad(fit(token.text, _TOKEN), _TOKEN), style(token.tone))
    text.append(f" {token.percent:>{_PERCENT}}", MUTED)
    if moves:
        change = Text() if token.change is None else piece(token.change)
        text.append(" ").append_text(change).append(" " * (_RANK - change.cell_len))
    return text


def _update(update: Update, room: _Room) -> Text:
    text = piece(update.unit)
    text.append(" " * (room.unit - text.cell_len))
    text.append(f" {update.coefficient.text:>{_COEFFICIENT}}  ", style(update.coefficient.tone))
    rest = room.update - text.cell_len
    if update.name is not None:
        text.append(cut(f"{piece(update.name).plain} ", rest), style(update.name.tone))
        rest = room.update - text.cell_len
    return text.append(pad(listed(update.promotes.texts, rest), rest))


def _in_row(items: Sequence[Text], gap: int = 2) -> Text:
    return Text(" " * gap).join(items)
