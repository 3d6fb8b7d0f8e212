"""Who wrote a prediction: the parts of a token's logit, or of its lead over another token's."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.token import Token, TokenScore

PartKind = Literal[
    "embedding",
    "head",
    "attention bias",
    "mixer",
    "value",
    "feed-forward bias",
    "feed-forward",
    "norm bias",
    "stream",
    "edit",
    "final norm bias",
    "unembedding bias",
    "read-out",
]

EstimateMethod = Literal["gradient", "integrated", "relevance"]
Ablation = Literal["zero", "mean", "resample"]


class WhySource(Record):
    """What a head brought from one token, as a part of its effect.

    Args:
        position: of the token.
        effect: direct effect. Those of all tokens add up to the head's.
    """

    position: int
    effect: float


class WhyPart(Record):
    """One part of the difference. All numbers are logits.

    Args:
        part: its name: a unit's such as `L12D345` or `L12H3`, or words such as `embedding` or `L12 attention bias`.
        kind: what it is. `embedding` is the stream that enters layer 0. `mixer` and `feed-forward` are a layer's whole
            where it could not be split into units; `stream` is what else a layer does to the residual stream;
            `read-out` is what a read-out that is no linear map after a norm adds beyond its slope here.
        effect: direct effect: what the part adds through the norms at their scales for this position. Exact.
        estimate: estimate of `measured`, without running it; None where there is none.
        measured: the difference of this run minus the difference with the part ablated: set to zero at all positions,
            or to what `Why.ablation` says; None where it was not asked for or cannot be done.
        promotes: for a unit, the tokens that it promotes here.
        sources: for a head, where they were asked for and can be told: what it brought from each token.
    """

    part: str
    kind: PartKind
    effect: float
    estimate: float | None = None
    measured: float | None = None
    promotes: tuple[str, ...] = ()
    sources: tuple[WhySource, ...] = ()


class Why(Record):
    """Why the model says `target` at a position, or `target` rather than `against`.

    Effects of the parts, `rest` and `unexplained` add up to `difference`.

    Args:
        prompt: the text.
        position: where it is read, from 0; it predicts the token at `position + 1`.
        target: the token asked for.
        against: the token that it is compared with; None for the target's logit alone.
        difference: logit of target minus logit of against (before a soft cap, where the model has one).
        parts: the largest |effect| first.
        rest: sum of the effects of all parts that are not listed.
        unexplained: what the parts do not add up to: rounding, and what the model does that is not accounted for.
        agreement: correlation of estimate and measured over the parts that were measured; None for fewer than three.
        ablation: what takes a part's place where it is ablated: `zero`, its `mean` over text that the model writes, or
            its value in another run (`resample`).
        resampled: that run's text; None without one.
        method: how the estimates were made; None without any.
        tokens: the prompt's tokens where `sources` point to them, else none.
        interventions: the edits in force, in their canonical text.
        warnings: what the user should know.
        lens: through which what the parts promote is read; effects are direct, under every lens.
    """

    prompt: str
    position: int
    target: TokenScore
    against: TokenScore | None
    difference: float
    parts: tuple[WhyPart, ...]
    rest: float
    unexplained: float
    agreement: float | None = None
    ablation: Ablation = "zero"
    resampled: str | None = None
    method: EstimateMethod | None = None
    tokens: tuple[Token, ...] = ()
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lens: str = LOGIT
