"""A debugging session as documents: where it is and why, the step that was entered, its tree, what differs."""

from collections.abc import Sequence

from lm_debugger.records.session import (
    BreakpointView,
    FrameView,
    NodeView,
    RunDifference,
    SessionView,
    Stop,
    WatchView,
)
from lm_debugger.records.token import TokenScore
from lm_debugger.records.trace import HeadUpdate, SubUpdate
from lm_debugger.records.watch import WatchValue
from lm_debugger.show.document import (
    Block,
    Column,
    Document,
    Line,
    Span,
    Table,
    TokenCell,
    Tokens,
    Tone,
    line,
    muted,
    signed_tone,
    warnings,
)
from lm_debugger.show.numbers import percent, signed, size
from lm_debugger.show.watch import plain
from lm_debugger.show.watch import value as cell

_SHOWN = 5  # tokens of a prediction
_CELLS = 24  # for a token
_AROUND = 24  # tokens of the text before where it is
_STOPS = {
    "start": "nothing has run yet",
    "step": "",
    "token": "reached",
    "layer": "",
    "end": "the text has ended",
    "limit": "this branch has all its tokens",
    "cancelled": "stopped",
    "moved": "",
    "edited": "",
}


def paused(view: SessionView) -> Document:
    """Where a session has stopped and why, with what is watched there."""
    return (*_reason(view.stop), *_place(view), *(_frame(view.frame) if view.frame else ()), *_watched(view.watches))


def where(view: SessionView) -> Document:
    """The same with the edits, the way there, and the position's name."""
    path = view.path
    at = path[-1]
    rows = tuple(_row(node, current=node.id == at.id) for node in path[-_AROUND:])
    head = line(
        Span(f"{at.id} ", Tone.MUTED),
        Span(at.name or ("prompt" if at.token is None else f"position {at.position}"), strong=True),
        Span(f"  {len(view.nodes)} positions in the tree", Tone.MUTED),
    )
    return (head, *_edits(view), Table(_COLUMNS, rows), *_reason(view.stop))


def tree(view: SessionView) -> Document:
    """Every branch of a session's tree: where it parts, and its tokens to the end."""
    children: dict[str | None, list[NodeView]] = {}
    for node in view.nodes:
        children.setdefault(node.parent, []).append(node)
    due: list[tuple[NodeView, int]] = [(node, 0) for node in reversed(children.get(None, []))]
    lines: list[Line] = []
    while due:
        node, depth = due.pop()
        run = [node]
        while len(children.get(run[-1].id, ())) == 1 and not run[-1].name and run[-1].id != view.at:
            run.append(children[run[-1].id][0])
        last = run[-1]
        here = " ◂ here" if view.at == last.id else ""
        pieces: list[Span | TokenCell] = [Span("  " * depth), Span(last.id[:8], Tone.MUTED), Span(" ")]
        pieces += [Span("prompt") if each.token is None else _token_of(each) for each in run]
        changed = run[0].interventions
        if changed and (run[0].parent is None or changed != _parent(view, run[0]).interventions):
            pieces.append(Span(f"  [{', '.join(changed)}]", Tone.EDITED))
        if last.name:
            pieces.append(Span(f"  {last.name}", Tone.NAMED))
        lines.append(line(*pieces, Span(here, Tone.PREDICTED)))
        due += [(child, depth + 1) for child in reversed(children.get(last.id, []))]
    return tuple(lines)


def listing(view: SessionView) -> Document:
    """The prediction where the last token was chosen."""
    if not view.prediction:
        return (muted("Nothing is kept of the prediction here: take a step."),)
    chosen = view.path[-1].token
    return (_table(view.prediction, None if chosen is None else chosen.id),)


def breakpoints(found: Sequence[BreakpointView]) -> Document:
    """The conditions that a session stops at."""
    if not found:
        return (muted("No breakpoints."),)
    columns = (Column("", right=True), Column("stops where", grow=True), Column("hits", right=True))
    rows = tuple(
        (
            line(str(each.number)),
            line(Span(each.expression, strong=True), Span("  once" if each.once else "", Tone.MUTED)),
            muted(str(each.hits)),
        )
        for each in found
    )
    said = dict.fromkeys(text for each in found for text in each.warnings)
    return (Table(columns, rows), *warnings(tuple(said)))


def watches(found: Sequence[WatchView]) -> Document:
    """What is followed, with its values."""
    return _watched(found) if found else (muted("Nothing is watched."),)


def evaluated(value: WatchValue) -> Document:
    """One value."""
    return (cell(value),)


def difference(found: RunDifference) -> Document:
    """What differs between two positions."""
    parts = "no layer" if found.parts_at is None else f"layer {found.parts_at}"
    head = line(
        Span(f"{found.common} tokens in common, KL ", Tone.MUTED), plain(found.kl),
        Span(f" nats, another token leads from {parts} on", Tone.MUTED),
    )  # fmt: skip
    texts = [
        line(
            Span(f"{name} ", Tone.MUTED),
            *(Span(token.text) for token in tokens),
            Span(f"  [{', '.join(edits)}]" if edits else "", Tone.EDITED),
            Span("  then ", Tone.MUTED),
            _token(top[0]),
        )
        for name, tokens, edits, top in (
            ("first ", found.first_tokens, found.first_interventions, found.first_top),
            ("second", found.second_tokens, found.second_interventions, found.second_top),
        )
    ]
    columns = (
        Column("unit"), Column(""), Column("first", right=True), Column("second", right=True),
        Column("what it promotes then", grow=True),
    )  # fmt: skip
    rows = tuple(
        (
            line(Span(unit.value, strong=True)),
            muted(unit.change),
            line(Span(signed(unit.first), signed_tone(unit.first))),
            line(Span(signed(unit.second), signed_tone(unit.second))),
            Tokens(unit.promotes),
        )
        for unit in found.units
    )
    return (head, *texts, Table(columns, rows)) if rows else (head, *texts)


_COLUMNS = (Column(""), Column("", right=True), Column("token"), Column("", right=True), Column("", grow=True))


def _row(node: NodeView, *, current: bool) -> tuple[Block, ...]:
    mark = Span("▸" if current else " ", Tone.PREDICTED)
    if node.token is None:
        return line(mark), muted(str(node.position)), muted("prompt"), muted(""), muted(node.name)
    said = " ".join(part for part in ("forced" if node.forced else "", node.name) if part)
    chance = "" if node.logprob is None else f"{node.logprob:.2f}"
    return line(mark), muted(str(node.position)), line(_token_of(node)), muted(chance), muted(said)


def _token_of(node: NodeView) -> TokenCell:
    assert node.token is not None
    return TokenCell(node.token.text, Tone.NOTICE if node.forced else Tone.PLAIN, most=_CELLS)


def _parent(view: SessionView, node: NodeView) -> NodeView:
    return next(each for each in view.nodes if each.id == node.parent)


def _reason(stop: Stop) -> Document:
    if stop.kind == "breakpoint":
        because = [
            piece
            for part in stop.because
            for piece in (Span(f"  {part.expression} = ", Tone.MUTED), *cell(part.value).pieces)
        ]
        return (
            line(Span(f"breakpoint {stop.breakpoint} ", Tone.NOTICE, strong=True), Span(stop.expression), *because),
        )
    text = _STOPS[stop.kind]
    return (muted(text),) if text else ()


def _place(view: SessionView) -> Document:
    path = view.path
    at = path[-1]
    before = [Span(token.text, Tone.MUTED) for token in view.prompt[-_AROUND:]]
    earlier = [Span(node.token.text) for node in path[1:-1][-_AROUND:] if node.token is not None]
    cut = [Span("…", Tone.MUTED)] if len(path) - 2 > _AROUND else []
    here = [] if at.token is None else [Span(at.token.text, Tone.PREDICTED, strong=True, marked=True)]
    state = f"position {at.position}"
    if at.forced:
        state += ", forced"
    rest = [each for each in view.prediction if at.token is None or each.id != at.token.id][: _SHOWN - 1]
    chance = [] if at.logprob is None else [Span(f"  logprob {at.logprob:.2f}", Tone.MUTED)]
    others = [piece for each in rest for piece in (Span("  "), _token(each))]
    return (
        line(*before, *cut, *earlier, *here),
        line(Span(state, Tone.MUTED), *chance, *others, wrap=False),
        *_edits(view),
    )


def _edits(view: SessionView) -> Document:
    if not view.interventions:
        return ()
    return (line(Span("edits ", Tone.MUTED), Span("  ".join(view.interventions), Tone.EDITED)),)


def _frame(frame: FrameView) -> Document:
    part = frame.part
    name = "attention" if part.part == "attention" else "feed-forward"
    reused = f", layers 0 to {frame.reused - 1} reused" if frame.reused else ""
    head = line(
        Span(f"L{part.layer} {name}", strong=True),
        Span(f" adds a stream of length {size(part.norm)}{reused}, then ", Tone.MUTED),
        *[piece for each in part.lens[:3] for piece in (_token(each), Span("  "))],
        wrap=False,
    )
    units = _units(part.heads, part.values)
    return (head, units) if units.rows else (head,)


def _units(heads: Sequence[HeadUpdate], values: Sequence[SubUpdate]) -> Table:
    columns = (Column("  "), Column("", right=True), Column("", right=True), Column("", grow=True))
    rows: list[tuple[Block, ...]] = [
        (line(f"  {head.head}"), line(size(head.norm)), muted(f"{head.share:+.0%}"), Tokens(head.promotes))
        for head in heads
    ]
    rows += [
        (
            line(f"  {each.value}"),
            line(Span(signed(each.coefficient), signed_tone(each.coefficient))),
            muted(f"{each.share:+.0%}"),
            Tokens(each.promotes),
        )
        for each in values
    ]
    return Table(columns, tuple(rows))


def _watched(found: Sequence[WatchView]) -> Document:
    if not found:
        return ()
    rows = tuple(
        (line(Span(watch.expression, strong=True)), cell(watch.value), _course(watch.values)) for watch in found
    )
    said = dict.fromkeys(text for watch in found for text in watch.warnings)
    return (Table((Column(), Column(right=True), Column(grow=True)), rows), *warnings(tuple(said)))


def _course(values: Sequence[WatchValue]) -> Line:
    """The last values before this one."""
    shown = [piece for each in values[-9:-1] for piece in (*cell(each).pieces, Span("  "))]
    return line(*(Span(piece.text, Tone.MUTED) for piece in shown))


def _table(tokens: Sequence[TokenScore], chosen: int | None) -> Table:
    rows = tuple(
        (
            line(Span("▸" if token.id == chosen else " ", Tone.PREDICTED)),
            line(TokenCell(token.text, Tone.PREDICTED if token.id == chosen else Tone.PLAIN, most=_CELLS)),
            line(percent(token.probability)),
            muted(f"logit {token.logit:.2f}"),
        )
        for token in tokens
    )
    return Table((Column(), Column(), Column(right=True), Column(right=True)), rows)


def _token(token: TokenScore) -> TokenCell:
    return TokenCell(token.text, most=_CELLS, percent=percent(token.probability))
