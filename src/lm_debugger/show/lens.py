"""Lenses as documents: what was fitted, which there are, how they compare, whether one is the model's."""

from collections.abc import Sequence

from lm_debugger.records.lens import (
    FitSummary,
    LayerScores,
    LensCheck,
    LensComparison,
    LensListing,
    LensScore,
    LensSummary,
)
from lm_debugger.show.document import (
    EMPTY,
    Bar,
    Block,
    Column,
    Document,
    Line,
    Span,
    Table,
    Tone,
    line,
    muted,
    warnings,
)
from lm_debugger.show.numbers import size, sparkline

_STEPS = 100  # of a sparkline


def fitted(found: FitSummary) -> Document:
    """A lens that was fitted."""
    lens = found.lens
    how = "already kept" if found.cached else f"in {lens.seconds:.0f} s"
    return (
        line(Span("✓ ", Tone.POSITIVE, strong=True), f"lens {lens.name}, {_made(lens)}"),
        muted(f"on {_text(lens.text)}, {how}"),
        *_agreement(lens),
        *warnings(found.warnings),
    )


def listing(found: LensListing) -> Document:
    """All lenses that are kept."""
    if not found.lenses:
        return (muted("No lens is kept. `lm-debugger lens fit` makes one; the logit lens needs nothing."),)
    columns = (Column("lens"), Column("model", wrap=True), Column("layers", right=True), Column("fitted", wrap=True))
    rows = tuple(
        (
            line(Span(lens.name, strong=True)),
            line(lens.model or lens.fingerprint or "–"),
            line(str(len(lens.layers))),
            muted(f"{_made(lens)}, {_text(lens.text)}"),
        )
        for lens in found.lenses
    )
    return (Table(columns, rows),)


def comparison(found: LensComparison) -> Document:
    """The lenses layer by layer; the bars are the KL divergence."""
    names = [name for name in ("logit", "tuned", "jacobian") if any(_of(layer, name) for layer in found.layers)]
    most = max((score.kl for layer in found.layers for name in names if (score := _of(layer, name))), default=1) or 1
    told = found.pushes > 0
    each = ("KL", "rank", *(["causal"] if told else []))
    columns = (
        Column("layer"),
        *(
            column
            for name in names
            for column in (Column(name, right=True), *(Column("", right=True) for _ in each[1:]))
        ),
        *(Column(f"KL {name}", grow=True) for name in names),
    )
    head = (line(""), *(muted(title) for _ in names for title in each), *(line("") for _ in names))
    rows = tuple(_row(layer, names, told, most) for layer in found.layers)
    text = "text that the model wrote" if found.text == "self-generated" else found.text
    what = f"{found.model}, {found.tokens} positions of {text}"
    pushes = f", {found.pushes} pushes a layer" if told else ""
    return (
        line(Span(f"{what}{pushes}", Tone.MUTED), wrap=False),
        EMPTY,
        Table(columns, (head, *rows)),
        EMPTY,
        muted("KL to the model's output in nats, geometric mean rank of the token it says, correlation of effects"),
    )


def checked(found: LensCheck) -> Document:
    """Whether a lens is the model's."""
    mark = Span("✓ ", Tone.POSITIVE, strong=True) if found.belongs else Span("✗ ", Tone.NEGATIVE, strong=True)
    verdict = "is a lens of" if found.belongs else "is no lens of"
    rows = tuple(
        (line(f"L{each.layer}"), line(f"{each.causal:+.2f}"), muted(f"{each.logit:+.2f}")) for each in found.layers
    )
    columns = (Column("layer"), Column("causal", right=True), Column("logit lens", right=True))
    return (
        line(mark, f"{found.lens.name} {verdict} {found.model}: {len(found.lens.layers)} layers, {_made(found.lens)}"),
        muted(found.reason),
        EMPTY,
        Table(columns, rows),
    )


def _row(layer: LayerScores, names: Sequence[str], told: bool, most: float) -> tuple[Block, ...]:
    scores = [_of(layer, name) for name in names]
    best = min((score.kl for score in scores if score is not None), default=0.0)
    cells: list[Block] = [line(f"L{layer.layer}")]
    for score in scores:
        cells += _cells(score, told, best)
    tones = {"logit": Tone.PLAIN, "tuned": Tone.POSITIVE, "jacobian": Tone.PREDICTED}
    bars = (Bar(0.0 if s is None else s.kl / most, tones[name]) for s, name in zip(scores, names, strict=True))
    return (*cells, *bars)


def _cells(score: LensScore | None, told: bool, best: float) -> list[Line]:
    if score is None:
        return [line("–")] * (3 if told else 2)
    found = [line(Span(size(score.kl), strong=score.kl == best)), line(size(score.rank))]
    return [*found, line("–" if score.causal is None else f"{score.causal:+.2f}")] if told else found


def _of(layer: LayerScores, name: str) -> LensScore | None:
    return {"logit": layer.logit, "tuned": layer.tuned, "jacobian": layer.jacobian}[name]


def _made(lens: LensSummary) -> str:
    how = f", {lens.estimator}" if lens.estimator else ""
    tokens = f" of {lens.tokens} tokens" if lens.tokens else ""
    return f"{lens.kind}{how}, {lens.prompts:,} texts{tokens}"


def _text(text: str) -> str:
    return {"self-generated": "text that the model wrote", "": "text not known"}.get(text, text)


def _agreement(lens: LensSummary) -> Document:
    """How the halves of the texts agree, layer by layer."""
    if not lens.agreement:
        return ()
    bars = sparkline([max(0, round(cosine * _STEPS)) for cosine in lens.agreement])
    span = f"{min(lens.agreement):.2f} to {max(lens.agreement):.2f}"
    return (
        line(
            Span(f"halves of the texts agree, layers {lens.layers[0]} ", Tone.MUTED),
            bars,
            Span(f" {lens.layers[-1]}: cosine {span}", Tone.MUTED),
        ),
    )
