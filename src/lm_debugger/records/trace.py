"""The read-out of a trace at one position: what `trace --json` prints and a server sends."""

from lm_debugger.records.base import Record
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.token import Token, TokenScore


class SubUpdate(Record):
    """One value vector's part in a layer's feed-forward output, at one position.

    Args:
        value: its name, such as `L12D345`.
        coefficient: its signed coefficient m (in a mixture of experts, the router's weight included).
        norm: length of the (effective) value vector.
        score: |coefficient| · norm, by which sub-updates are ranked (Geva et al. 2022, arXiv 2203.14680, section 4).
        share: the sub-update's projection on the feed-forward's output, as a fraction of that output's squared
            length. The shares of all sub-updates and of the bias sum to 1.
        name: the user's name for the vector, or None.
        effect: what the sub-update adds to the logit of a chosen token directly, through the final norm at its scale
            for this position (later layers left aside); None where no token was chosen.
        promotes: the tokens that this sub-update promotes here: with a negative coefficient these are the
            tokens that the vector itself suppresses.
    """

    value: str
    coefficient: float
    norm: float
    score: float
    share: float
    effect: float | None = None
    name: str | None = None
    promotes: tuple[str, ...] = ()


class LayerView(Record):
    """One layer at one position.

    Args:
        layer: index from 0.
        before: logit lens of the residual stream before the feed-forward, most probable first.
        values: dominant sub-updates, largest score first (empty for a layer without a feed-forward).
        after: logit lens of the residual stream after the feed-forward; the last layer's is the output.
    """

    layer: int
    before: tuple[TokenScore, ...]
    values: tuple[SubUpdate, ...]
    after: tuple[TokenScore, ...]


class BaselineView(Record):
    """The same read-out of the same prompt without interventions."""

    layers: tuple[LayerView, ...]
    output: tuple[TokenScore, ...]


class TokenChange(Record):
    """How interventions moved one token of the output distribution. Ranks count from 1."""

    id: int
    text: str
    probability_before: float
    probability_after: float
    rank_before: int
    rank_after: int


class Comparison(Record):
    """The output distribution with interventions against the one without, at one position.

    Args:
        kl: Kullback-Leibler divergence KL(baseline ‖ edited), in nats.
        changed: False if the interventions left every logit at every position as it was.
        tokens: the top tokens of both distributions.
    """

    kl: float
    changed: bool
    tokens: tuple[TokenChange, ...]


class TraceView(Record):
    """A trace read at one position.

    Args:
        position: the position that was read, from 0; it predicts the token at `position + 1`.
        interventions: the edits in force, in their canonical text.
        baseline: the same without the edits, or None when there are none.
        comparison: output with against without edits, or None when there are none.
        warnings: what the user should know, such as an edit without effect.
    """

    model: ModelSummary
    tokens: tuple[Token, ...]
    position: int
    layers: tuple[LayerView, ...]
    output: tuple[TokenScore, ...]
    interventions: tuple[str, ...] = ()
    baseline: BaselineView | None = None
    comparison: Comparison | None = None
    warnings: tuple[str, ...] = ()
