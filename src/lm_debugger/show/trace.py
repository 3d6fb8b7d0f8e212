"""A trace read at one position, as a document.

From top to bottom: which model and edits; the prompt's tokens with the read position; the layers, either as one
line each or, for chosen layers, in full; the output, with edits against the output without them.
"""

from collections.abc import Sequence

from lm_debugger.records.model import ModelSummary
from lm_debugger.records.token import TokenScore
from lm_debugger.records.trace import Comparison, HeadUpdate, LayerView, SubUpdate, TraceView
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Block,
    Column,
    Document,
    Flow,
    LayerLine,
    Layers,
    Line,
    Prompt,
    Section,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    Update,
    line,
    muted,
    signed_tone,
    warnings,
)
from lm_debugger.show.numbers import percent, signed, size
from lm_debugger.show.watch import paths

_LENS = 30  # cells for a token where a layer is shown in full
_OUTPUT = 24  # cells for a token of the output
_NAME = 20  # cells for a user's name
_VISIBLE = 0.0005  # a smaller change of a probability shows as none


def trace(view: TraceView, *, layers: range | None = None) -> Document:
    """A whole read-out.

    Args:
        view: the read-out.
        layers: show these layers in full instead of one line for each layer.
    """
    reading = _Reading(view)
    where = f"position {view.position} of 0 to {len(view.tokens) - 1}, predicts the token at {view.position + 1}"
    return (
        _model(view.model),
        Prompt(view.tokens, view.position),
        line(Span(where, Tone.MUTED), wrap=False),
        *edits(view.interventions),
        EMPTY,
        *(reading.overview() if layers is None else reading.in_full(layers)),
        EMPTY,
        *paths(view.watches),
        Section("output", _output(view.output) if view.comparison is None else _compared(view.comparison)),
        *warnings(view.warnings),
    )


def edits(interventions: Sequence[str]) -> Document:
    """The edits in force, on one line; nothing where there are none."""
    return (line(Span("edits ", Tone.MUTED), Span("  ".join(interventions), strong=True)),) if interventions else ()


def rank_changes(tokens: Sequence[TokenScore], before: Sequence[TokenScore]) -> list[Span | None]:
    """How each token moved against an earlier list: `↑3`, `↓12`, `new`, or None."""
    earlier = {token.id: rank for rank, token in enumerate(before)}
    return [_moved(earlier.get(token.id), rank) for rank, token in enumerate(tokens)]


def _moved(earlier: int | None, rank: int) -> Span | None:
    if earlier is None:
        return Span("new", Tone.NOTICE)
    if earlier == rank:
        return None
    return Span(f"↑{earlier - rank}", Tone.POSITIVE) if earlier > rank else Span(f"↓{rank - earlier}", Tone.NEGATIVE)


def _model(model: ModelSummary) -> Line:
    facts = (
        f" {model.architecture}, {model.layers} layers, {model.value_vectors:,} value vectors, "
        f"{model.dtype} on {model.device}"
    )
    return line(Span(model.name, strong=True), Span(facts, Tone.MUTED), wrap=False)


class _Reading:
    """The layers of a read-out, each beside the same layer without edits."""

    def __init__(self, view: TraceView) -> None:
        self._view = view
        self._predicted = view.output[0].id if view.output else None
        self._unedited = {layer.layer: layer for layer in view.baseline.layers} if view.baseline else {}

    def overview(self) -> Document:
        """One line for each layer."""
        layers = Layers(tuple(map(self._line, self._view.layers)), compared=self._view.baseline is not None)
        moved = any(layer.differs for layer in layers.lines)
        return (layers, muted("≠ another token leads than without edits")) if moved else (layers,)

    def in_full(self, layers: range) -> Document:
        """Everything about chosen layers."""
        chosen = (layer for layer in self._view.layers if layer.layer in layers)
        return tuple(Section(f"layer {layer.layer}", (self._body(layer),)) for layer in chosen)

    def _line(self, layer: LayerView) -> LayerLine:
        unedited = self._unedited.get(layer.layer)
        return LayerLine(
            label=f"L{layer.layer}",
            before=self._lens(layer.before),
            updates=tuple(map(self._update, layer.values)),
            after=self._lens(layer.after, layer.before),
            differs=unedited is not None and _ids(unedited.after[:1]) != _ids(layer.after[:1]),
            body=self._body(layer),
        )

    def _body(self, layer: LayerView) -> Table:
        unedited = self._unedited.get(layer.layer)
        rows: list[tuple[str, Block]] = []
        if layer.heads:
            rows.append(("heads", self._heads(layer.heads)))
        rows.append(("before", self._flow(layer.before)))
        if unedited is not None and _ids(unedited.before) != _ids(layer.before):
            rows.append(("  no edits", self._flow(unedited.before)))
        rows.append(("updates", self._updates(layer.values) if layer.values else line("no feed-forward")))
        rows.append(("after", self._flow(layer.after, layer.before)))
        if unedited is not None and _ids(unedited.after) != _ids(layer.after):
            rows.append(("  no edits", self._flow(unedited.after, unedited.before)))
        return Table((Column(), Column(wrap=True)), tuple((muted(title), content) for title, content in rows))

    def _lens(self, tokens: Sequence[TokenScore], before: Sequence[TokenScore] | None = None) -> tuple[TokenCell, ...]:
        """A lens read-out, with the rank changes against an earlier one."""
        changes = [None] * len(tokens) if before is None else rank_changes(tokens, before)
        return tuple(
            TokenCell(
                token.text,
                Tone.PREDICTED if token.id == self._predicted else Tone.PLAIN,
                most=_LENS,
                percent=percent(token.probability),
                change=change,
            )
            for token, change in zip(tokens, changes, strict=True)
        )

    def _flow(self, tokens: Sequence[TokenScore], before: Sequence[TokenScore] | None = None) -> Flow:
        return Flow(tuple(line(token) for token in self._lens(tokens, before)), gap=3)

    def _unit(self, name: str, *, strong: bool) -> Span:
        """A unit's name; those that an edit touches stand out."""
        edited = any(edit.startswith((f"{name}=", f"{name}*", f"{name}+")) for edit in self._view.interventions)
        return Span(name, Tone.EDITED, strong=True) if edited else Span(name, strong=strong)

    def _update(self, update: SubUpdate) -> Update:
        return Update(
            unit=self._unit(update.value, strong=False),
            coefficient=_coefficient(update),
            name=None if update.name is None else Span(_one_line(update.name), Tone.NAMED),
            promotes=Tokens(update.promotes),
        )

    def _updates(self, values: Sequence[SubUpdate]) -> Table:
        """The dominant sub-updates of one layer."""
        titles = ("m", "‖v‖", "|m|·‖v‖", "share")
        columns = (
            Column("value"),
            *(Column(title, right=True) for title in titles),
            Column("promotes here", grow=True),
        )
        return Table(
            columns,
            tuple(
                (
                    self._called(update.value, update.name),
                    line(_coefficient(update)),
                    line(size(update.norm)),
                    line(size(update.score)),
                    muted(f"{update.share:+.0%}"),
                    Tokens(update.promotes),
                )
                for update in values
            ),
        )

    def _heads(self, heads: Sequence[HeadUpdate]) -> Table:
        """The heads that write most, which come before the feed-forward."""
        columns = (Column("head"), *(Column(title, right=True) for title in ("‖o‖", "share")))
        rows = tuple(
            (
                self._called(head.head, head.name),
                line(size(head.norm)),
                muted(f"{head.share:+.0%}"),
                Tokens(head.promotes),
            )
            for head in heads
        )
        return Table((*columns, Column("promotes here", grow=True)), rows)

    def _called(self, unit: str, name: str | None) -> Line:
        """A unit's name, and what a user called it."""
        own = self._unit(unit, strong=True)
        return line(own) if name is None else line(own, " ", Span(_one_line(name), Tone.NAMED, most=_NAME))


def _output(output: Sequence[TokenScore]) -> Document:
    most = max((token.probability for token in output), default=1.0) or 1.0
    rows = []
    for rank, token in enumerate(output):
        tone = Tone.PLAIN if rank else Tone.PREDICTED
        rows.append(
            (
                line(TokenCell(token.text, tone, most=_OUTPUT)),
                line(percent(token.probability)),
                muted(f"logit {token.logit:.2f}"),
                Bar(token.probability / most, tone),
            )
        )
    return (Table((Column(), Column(right=True), Column(right=True), Column(grow=True)), tuple(rows)),)


def _compared(comparison: Comparison) -> Document:
    """The output with edits beside the one without, most probable with edits first."""
    tokens = sorted(comparison.tokens, key=lambda token: -token.probability_after)
    most = max((max(token.probability_before, token.probability_after) for token in tokens), default=1.0) or 1.0
    columns = (
        Column("token"),
        *(Column(title, right=True) for title in ("no edits", "", "edited", "Δ")),
        Column("rank"),
        Column("█ edited  ░ no edits", grow=True, wrap=True),
    )
    rows = []
    for rank, token in enumerate(tokens):
        difference = token.probability_after - token.probability_before
        ranks = f"{token.rank_before}" + (f" → {token.rank_after}" if token.rank_before != token.rank_after else "")
        tone = signed_tone(difference)
        rows.append(
            (
                line(TokenCell(token.text, Tone.PLAIN if rank else Tone.PREDICTED, most=_OUTPUT)),
                line(percent(token.probability_before)),
                muted("→"),
                line(Span(percent(token.probability_after), strong=True)),
                line(Span(f"{difference * 100:+.1f}", tone if abs(difference) >= _VISIBLE else Tone.MUTED)),
                line(ranks),
                Bar(token.probability_after / most, tone, token.probability_before / most),
            )
        )
    summary = muted(f"KL(no edits ‖ edited) = {comparison.kl:.4g} nats")
    if not comparison.changed:
        summary = line(Span("The edits changed no logit at any position.", Tone.NOTICE))
    return Table(columns, tuple(rows)), summary


def _coefficient(update: SubUpdate) -> Span:
    return Span(signed(update.coefficient), signed_tone(update.coefficient))


def _one_line(text: str) -> str:
    return text.replace("\n", "↵")


def _ids(tokens: Sequence[TokenScore]) -> list[int]:
    return [token.id for token in tokens]
