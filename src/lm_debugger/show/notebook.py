"""A trace read-out as HTML for notebooks: self-contained, no scripts, everything from outside escaped.

Colours are chosen to read on white and on black, since a notebook's theme need not be the system's.
"""

from collections.abc import Iterable, Sequence
from html import escape

from lm_debugger.records.token import TokenScore
from lm_debugger.records.trace import Comparison, LayerView, SubUpdate, TraceView
from lm_debugger.records.visible import printable, visible

_STYLE = """
.lmd{font:13px/1.5 system-ui,sans-serif;color:inherit;max-width:72em}
.lmd code,.lmd .t{font-family:ui-monospace,monospace;font-size:12px}
.lmd .t{display:inline-block;margin:1px 2px;padding:0 5px;border-radius:4px;background:rgba(128,128,128,.16);
white-space:pre}
.lmd .here{outline:2px solid #3b82c4}
.lmd .top{background:rgba(59,130,196,.3)}
.lmd .pos{color:#2a9d5c}.lmd .neg{color:#d9534f}.lmd .new{color:#b8860b}
.lmd .dim{opacity:.65}
.lmd details{border-top:1px solid rgba(128,128,128,.3)}
.lmd summary{cursor:pointer;padding:2px 0}
.lmd summary b{display:inline-block;min-width:3em}
.lmd table{border-collapse:collapse;margin:2px 0 8px;background:none}
.lmd td,.lmd th{padding:1px 10px 1px 0;text-align:left;border:0;background:none;color:inherit;vertical-align:top}
.lmd .n{text-align:right;font-variant-numeric:tabular-nums}
.lmd .bar{display:inline-block;height:.75em;border-radius:2px;background:#3b82c4;vertical-align:baseline}
.lmd .bar.was{background:rgba(128,128,128,.5)}
.lmd .warn{color:#b8860b}
"""


def html(view: TraceView) -> str:
    """The read-out as one HTML element; each layer opens on a click."""
    predicted = view.output[0].id if view.output else None
    baseline = {layer.layer: layer for layer in view.baseline.layers} if view.baseline else {}
    model = view.model
    facts = (
        f"{model.architecture}, {model.layers} layers, {model.value_vectors:,} value vectors, "
        f"{model.dtype} on {model.device}"
    )
    where = f"position {view.position} of 0 to {len(view.tokens) - 1}, predicts the token at {view.position + 1}"
    strip = "".join(_token(t.text, "here" if t.position == view.position else "") for t in view.tokens)
    parts = [
        f"<style>{_STYLE}</style>",
        f"<div><b>{_plain(model.name)}</b> <span class='dim'>{_plain(facts)}</span></div>",
        f"<div>{strip}</div><div class='dim'>{where}</div>",
    ]
    if view.interventions:
        edits = " ".join(f"<code>{_plain(edit)}</code>" for edit in view.interventions)
        parts.append(f"<div><span class='dim'>edits</span> {edits}</div>")
    parts += [f"<div class='warn'>! {_plain(warning)}</div>" for warning in view.warnings]
    parts.append(_output(view.output) if view.comparison is None else _compared(view.comparison))
    parts += [_layer(layer, baseline.get(layer.layer), predicted) for layer in view.layers]
    return f"<div class='lmd'>{''.join(parts)}</div>"


def _plain(text: str) -> str:
    return escape(printable(text))


def _token(text: str, style: str = "", after: str = "") -> str:
    """A token as a chip. `bdi` keeps right-to-left text from reordering its neighbours."""
    return f"<span class='t {style}'><bdi>{escape(visible(text))}</bdi>{after}</span>"


def _percent(probability: float) -> str:
    return f"{probability:.1%}"


def _scores(tokens: Sequence[TokenScore], predicted: int | None, before: Sequence[TokenScore] | None = None) -> str:
    """Lens tokens with their probability, and with the rank change against an earlier lens."""
    chips = []
    for rank, token in enumerate(tokens):
        after = f" <span class='dim'>{_percent(token.probability)}</span>"
        if before is not None:
            after += _rank_change(token, rank, before)
        chips.append(_token(token.text, "top" if token.id == predicted else "", after))
    return "".join(chips)


def _rank_change(token: TokenScore, rank: int, before: Sequence[TokenScore]) -> str:
    earlier = next((at for at, other in enumerate(before) if other.id == token.id), None)
    if earlier is None:
        return " <span class='new'>new</span>"
    if earlier == rank:
        return ""
    style, arrow = ("pos", "↑") if earlier > rank else ("neg", "↓")
    return f" <span class='{style}'>{arrow}{abs(earlier - rank)}</span>"


def _layer(layer: LayerView, baseline: LayerView | None, predicted: int | None) -> str:
    """One layer: its strongest token and sub-update when closed, everything when open."""
    head = f"<b>L{layer.layer}</b>" + _scores(layer.after[:1], predicted)
    if baseline is not None and [t.id for t in baseline.after[:1]] != [t.id for t in layer.after[:1]]:
        head += " <span class='new'>≠ without edits</span>" + _scores(baseline.after[:1], predicted)
    if layer.values:
        head += " " + _name(layer.values[0]) + " " + _listed(layer.values[0].promotes[:4])
    rows = [("before", _scores(layer.before, predicted)), ("updates", _updates(layer.values))]
    rows.append(("after", _scores(layer.after, predicted, layer.before)))
    if baseline is not None:
        rows.append(("after, no edits", _scores(baseline.after, predicted, baseline.before)))
    body = "".join(f"<tr><td class='dim'>{title}</td><td>{content}</td></tr>" for title, content in rows)
    return f"<details><summary>{head}</summary><table>{body}</table></details>"


def _name(update: SubUpdate) -> str:
    """A sub-update's name and signed coefficient."""
    label = f" <i>{_plain(update.name)}</i>" if update.name is not None else ""
    sign = "neg" if update.coefficient < 0 else "pos"
    return f"<code>{_plain(update.value)}</code>{label} <span class='{sign}'>{update.coefficient:+.3g}</span>"


def _listed(texts: Iterable[str]) -> str:
    return "".join(_token(text) for text in texts)


def _updates(values: Sequence[SubUpdate]) -> str:
    if not values:
        return "<span class='dim'>no feed-forward</span>"
    rows = "".join(
        f"<tr><td>{_name(update)}</td><td class='n'>{update.score:.3g}</td><td class='n'>{update.share:+.0%}</td>"
        f"<td>{_listed(update.promotes)}</td></tr>"
        for update in values
    )
    titles = (
        "<tr class='dim'><th>value, m</th><th class='n'>|m|·‖v‖</th><th class='n'>share</th><th>promotes here</th></tr>"
    )
    return f"<table>{titles}{rows}</table>"


def _bar(fraction: float, style: str = "") -> str:
    return f"<span class='bar {style}' style='width:{fraction * 16:.2f}em'></span>"


def _output(output: Sequence[TokenScore]) -> str:
    most = max((token.probability for token in output), default=1.0) or 1.0
    rows = "".join(
        f"<tr><td>{_token(token.text, '' if rank else 'top')}</td><td class='n'>{_percent(token.probability)}</td>"
        f"<td>{_bar(token.probability / most)}</td></tr>"
        for rank, token in enumerate(output)
    )
    return f"<table>{rows}</table>"


def _compared(comparison: Comparison) -> str:
    tokens = sorted(comparison.tokens, key=lambda token: -token.probability_after)
    most = max((max(t.probability_before, t.probability_after) for t in tokens), default=1.0) or 1.0
    rows = []
    for rank, token in enumerate(tokens):
        difference = token.probability_after - token.probability_before
        rows.append(
            f"<tr><td>{_token(token.text, '' if rank else 'top')}</td>"
            f"<td class='n'>{_percent(token.probability_before)}</td>"
            f"<td class='n'>{_percent(token.probability_after)}</td>"
            f"<td class='n {'neg' if difference < 0 else 'pos'}'>{difference * 100:+.1f}</td>"
            f"<td class='n'>{token.rank_before} → {token.rank_after}</td>"
            f"<td>{_bar(token.probability_after / most)}<br>{_bar(token.probability_before / most, 'was')}</td></tr>"
        )
    titles = "".join(f"<th class='n'>{title}</th>" for title in ("no edits", "edited", "Δ", "rank"))
    summary = f"KL(no edits ‖ edited) = {comparison.kl:.4g} nats"
    if not comparison.changed:
        summary = "The edits changed no logit at any position."
    return (
        f"<table><tr class='dim'><th></th>{titles}<th></th></tr>{''.join(rows)}</table><div class='dim'>{summary}</div>"
    )
