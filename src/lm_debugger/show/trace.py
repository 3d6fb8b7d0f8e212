"""A trace read-out for the terminal: records in, rich renderables out. Computes nothing and prints nothing.

From top to bottom: which model and edits; the prompt's tokens with the read position; the layers, either as one
line each or, for chosen layers, as full blocks; the output, with edits against the output without them.
"""

import re
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lm_debugger.records.model import ModelSummary
from lm_debugger.records.token import Token, TokenScore
from lm_debugger.records.trace import Comparison, LayerView, SubUpdate, TraceView
from lm_debugger.records.visible import printable
from lm_debugger.show.cells import (
    MUTED,
    NEGATIVE,
    NOTICE,
    POSITIVE,
    PREDICTED,
    Bar,
    Flow,
    Listed,
    cut,
    fit,
    listed,
    pad,
    percent,
    sign_style,
    signed,
    size,
)

_STRIP_LINES = 4  # a longer prompt is shown around the position that is read
_TOKEN = 10  # cells for a token in the overview
_PERCENT = 5
_SLOT = _TOKEN + 1 + _PERCENT
_RANK = 4  # `↑12` or `new`
_COEFFICIENT = 6


def trace(view: TraceView, *, layers: range | None = None) -> RenderableType:
    """A whole read-out.

    Args:
        view: the read-out.
        layers: show these layers as full blocks instead of one line for each layer.
    """
    if layers is None:
        middle: RenderableType = _Overview(view)
    else:
        baseline = {layer.layer: layer for layer in view.baseline.layers} if view.baseline else {}
        chosen = [layer for layer in view.layers if layer.layer in layers]
        middle = Group(*(_block(layer, baseline.get(layer.layer), view) for layer in chosen))
    return Group(
        model_line(view.model),
        _Strip(view),
        *_edits(view),
        "",
        middle,
        "",
        _output(view),
        *warning_lines(view.warnings),
    )


def model_line(model: ModelSummary) -> Text:
    """Which model answered."""
    facts = (
        f" {printable(model.architecture)}, {model.layers} layers, {model.value_vectors:,} value vectors, "
        f"{model.dtype} on {model.device}"
    )
    return Text.assemble((printable(model.name), "bold"), (facts, MUTED), overflow="ellipsis", no_wrap=True)


def warning_lines(warnings: Sequence[str]) -> list[Text]:
    """What the user should know, one line each."""
    return [Text.assemble(("! ", f"bold {NOTICE}"), (printable(warning), NOTICE)) for warning in warnings]


def rank_change(token: TokenScore, rank: int, before: Sequence[TokenScore]) -> Text:
    """How a token moved against an earlier list: `↑3`, `↓12`, `new`, or nothing."""
    earlier = next((at for at, other in enumerate(before) if other.id == token.id), None)
    if earlier is None:
        return Text("new", NOTICE)
    if earlier == rank:
        return Text()
    return Text(f"↑{earlier - rank}", POSITIVE) if earlier > rank else Text(f"↓{rank - earlier}", NEGATIVE)


class _Strip:
    """The prompt's tokens; the one whose position is read stands between `▸` and `◂`."""

    def __init__(self, view: TraceView) -> None:
        self.view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view, width = self.view, options.max_width
        first, last = self._window(width * _STRIP_LINES - 40)
        items = [self._token(token) for token in view.tokens[first : last + 1]]
        if first:
            items.insert(0, Text(f"… {first} before", MUTED))
        if last + 1 < len(view.tokens):
            items.append(Text(f"{len(view.tokens) - last - 1} after …", MUTED))
        yield Flow(items, gap=1)
        where = f"position {view.position} of 0 to {len(view.tokens) - 1}, predicts the token at {view.position + 1}"
        yield Text(where, MUTED, no_wrap=True, overflow="ellipsis")

    def _window(self, cells: int) -> tuple[int, int]:
        """The first and last token to show: as many around the position as fit."""
        tokens, first, last = self.view.tokens, self.view.position, self.view.position
        used = self._token(tokens[first]).cell_len
        while first > 0 or last + 1 < len(tokens):
            # Three tokens of the past for each of the future: a position depends only on what precedes it.
            back = first > 0 and (last + 1 == len(tokens) or (self.view.position - first) <= 3 * (last - first + 1) / 4)
            at = first - 1 if back else last + 1
            used += self._token(tokens[at]).cell_len + 1
            if used > cells:
                break
            first, last = min(first, at), max(last, at)
        return first, last

    def _token(self, token: Token) -> Text:
        text = fit(token.text, 40)
        return Text(f"▸{text}◂", "bold reverse") if token.position == self.view.position else Text(text)


class _Overview:
    """One line for each layer: before, strongest sub-updates, after. Shows as much as the width allows."""

    def __init__(self, view: TraceView) -> None:
        self.view = view
        self.predicted = view.output[0].id if view.output else None
        self.edited = _edited_values(view)
        names = [len(update.value) for layer in view.layers for update in layer.values[:2]]
        self.label = len(f"L{view.model.layers - 1}")
        self.name = max(names, default=len("L12D345"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        tokens, updates, update_width = self._fit(options.max_width)
        unedited = self.view.baseline.layers if self.view.baseline else ()
        table = Table.grid(padding=(0, 2, 0, 0))
        titles = ["", "before", "strongest sub-updates and what they promote here", "after"]
        widths = [
            self.label,
            tokens * (_SLOT + 2) - 2,
            updates * (update_width + 3) - 3,
            tokens * (_SLOT + 1 + _RANK + 2) - 2,
        ]
        if unedited:
            titles.insert(1, "")
            widths.insert(1, 1)
        for width in widths:
            table.add_column(no_wrap=True, width=width)
        table.add_row(*(Text(title, MUTED, overflow="ellipsis") for title in titles))
        moved = False
        for at, layer in enumerate(self.view.layers):
            changes = [rank_change(token, rank, layer.before) for rank, token in enumerate(layer.after[:tokens])]
            row = [
                Text(pad(f"L{layer.layer}", self.label), "bold"),
                _side_by_side([self._token(token) for token in layer.before[:tokens]]),
                _side_by_side([self._update(update, update_width) for update in layer.values[:updates]], gap=3),
                _side_by_side([self._token(*pair) for pair in zip(layer.after, changes, strict=False)]),
            ]
            if unedited:
                differs = _top(unedited[at].after) != _top(layer.after)
                moved = moved or differs
                row.insert(1, Text("≠" if differs else " ", f"bold {NOTICE}"))
            table.add_row(*row)
        yield table
        if moved:
            yield Text("≠ another token leads than without edits", MUTED)

    def _fit(self, width: int) -> tuple[int, int, int]:
        """How many tokens and sub-updates a line holds, and the cells of one sub-update."""
        fixed = self.label + 6 + (3 if self.view.baseline else 0)
        least = self.name + 1 + _COEFFICIENT + 2 + 16

        def rest(tokens: int) -> int:
            return width - fixed - tokens * (2 * _SLOT + 1 + _RANK) - 4 * (tokens - 1)

        ways = ((3, 2), (2, 2), (2, 1))
        fitting = (way for way in ways if rest(way[0]) >= way[1] * least + 3 * (way[1] - 1))
        tokens, updates = next(fitting, (1, 1))
        each = (rest(tokens) - 3 * (updates - 1)) // updates
        return tokens, updates, max(each, self.name + 1 + _COEFFICIENT)

    def _token(self, token: TokenScore, change: Text | None = None) -> Text:
        text = Text().append(pad(fit(token.text, _TOKEN), _TOKEN), PREDICTED if token.id == self.predicted else "")
        text.append(f" {percent(token.probability):>{_PERCENT}}", MUTED)
        if change is not None:
            text.append(" ").append_text(change).append(" " * (_RANK - change.cell_len))
        return text

    def _update(self, update: SubUpdate, width: int) -> Text:
        text = Text().append(update.value, "bold underline" if update.value in self.edited else "")
        text.append(" " * (self.name - text.cell_len))
        text.append(f" {signed(update.coefficient):>{_COEFFICIENT}}  ", sign_style(update.coefficient))
        room = width - text.cell_len
        if update.name is not None:
            text.append(cut(f"{_one_line(update.name)} ", room), "italic")
        return text.append(pad(listed(update.promotes, room := width - text.cell_len), room))


def _block(layer: LayerView, baseline: LayerView | None, view: TraceView) -> RenderableType:
    """Everything about one layer."""
    predicted = view.output[0].id if view.output else None
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(style=MUTED, no_wrap=True)
    rows.add_column(ratio=1)
    rows.add_row("before", _tokens(layer.before, predicted))
    if baseline is not None and _ids(baseline.before) != _ids(layer.before):
        rows.add_row("  no edits", _tokens(baseline.before, predicted))
    rows.add_row("updates", _updates(layer.values, _edited_values(view)) if layer.values else "no feed-forward")
    rows.add_row("after", _tokens(layer.after, predicted, layer.before))
    if baseline is not None and _ids(baseline.after) != _ids(layer.after):
        rows.add_row("  no edits", _tokens(baseline.after, predicted, baseline.before))
    rule = Rule(Text(f"layer {layer.layer}", "bold"), align="left", style=MUTED, characters="─")
    return Group(rule, rows)


def _tokens(tokens: Sequence[TokenScore], predicted: int | None, before: Sequence[TokenScore] | None = None) -> Flow:
    """A lens read-out in full, with the rank change against an earlier one."""
    items = []
    for rank, token in enumerate(tokens):
        item = Text.assemble(
            (fit(token.text, 30), PREDICTED if token.id == predicted else ""), " ", (percent(token.probability), MUTED)
        )
        change = rank_change(token, rank, before) if before is not None else Text()
        items.append(item.append(" ").append_text(change) if change else item)
    return Flow(items, gap=3)


def _updates(values: Sequence[SubUpdate], edited: frozenset[str]) -> Table:
    """The dominant sub-updates of one layer."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for title, right in (("value", False), ("m", True), ("‖v‖", True), ("|m|·‖v‖", True), ("share", True)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    table.add_column("promotes here", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_row(*(Text(str(column.header), MUTED) for column in table.columns))
    for update in values:
        name = Text().append(update.value, "bold underline" if update.value in edited else "bold")
        if update.name is not None:
            name.append(f" {cut(_one_line(update.name), 20)}", "italic")
        table.add_row(
            name,
            Text(signed(update.coefficient), sign_style(update.coefficient)),
            Text(size(update.norm)),
            Text(size(update.score)),
            Text(f"{update.share:+.0%}", MUTED),
            Listed(update.promotes),
        )
    return table


def _output(view: TraceView) -> RenderableType:
    """The prediction, with edits against the one without."""
    rule = Rule(Text("output", "bold"), align="left", style=MUTED, characters="─")
    if view.comparison is not None:
        return Group(rule, _compared(view.comparison))
    most = max((token.probability for token in view.output), default=1.0) or 1.0
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    for rank, token in enumerate(view.output):
        table.add_row(
            Text(fit(token.text, 24), "" if rank else PREDICTED),
            Text(percent(token.probability)),
            Text(f"logit {token.logit:.2f}", MUTED),
            Bar(token.probability / most, "" if rank else PREDICTED),
        )
    return Group(rule, table)


def _compared(comparison: Comparison) -> RenderableType:
    """The output with edits beside the one without, most probable with edits first."""
    tokens = sorted(comparison.tokens, key=lambda token: -token.probability_after)
    most = max((max(token.probability_before, token.probability_after) for token in tokens), default=1.0) or 1.0
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for title in ("token", "no edits", "", "edited", "Δ", "rank"):
        table.add_column(title, justify="left" if title in {"token", "rank"} else "right", no_wrap=True)
    table.add_column("█ edited  ░ no edits", ratio=1)
    table.add_row(*(Text(str(column.header), MUTED) for column in table.columns))
    for rank, token in enumerate(tokens):
        difference = token.probability_after - token.probability_before
        ranks = f"{token.rank_before}" + (f" → {token.rank_after}" if token.rank_before != token.rank_after else "")
        table.add_row(
            Text(fit(token.text, 24), "" if rank else PREDICTED),
            Text(percent(token.probability_before)),
            Text("→", MUTED),
            Text(percent(token.probability_after), "bold"),
            Text(f"{difference * 100:+.1f}", sign_style(difference) if abs(difference) >= 0.0005 else MUTED),
            Text(ranks),
            Bar(token.probability_after / most, sign_style(difference), token.probability_before / most),
        )
    summary = f"KL(no edits ‖ edited) = {comparison.kl:.4g} nats"
    if not comparison.changed:
        summary = "The edits changed no logit at any position."
    return Group(table, Text(summary, NOTICE if not comparison.changed else MUTED))


def _edits(view: TraceView) -> list[Text]:
    """The edits in force, on one line."""
    return [Text.assemble(("edits ", MUTED), ("  ".join(view.interventions), "bold"))] if view.interventions else []


def _edited_values(view: TraceView) -> frozenset[str]:
    """The names of the value vectors that the edits touch."""
    return frozenset(re.split(r"[=*+]", edit, maxsplit=1)[0] for edit in view.interventions)


def _one_line(text: str) -> str:
    """A name that a user gave, on one line."""
    return printable(text).replace("\n", "↵")


def _side_by_side(items: Sequence[Text], gap: int = 2) -> Text:
    return Text(" " * gap).join(items)


def _top(tokens: Sequence[TokenScore]) -> int | None:
    return tokens[0].id if tokens else None


def _ids(tokens: Sequence[TokenScore]) -> list[int]:
    return [token.id for token in tokens]
