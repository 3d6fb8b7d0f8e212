"""The read-out of a trace at one position: what `trace --json` prints and a server sends."""

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.token import Token, TokenScore
from lm_debugger.records.watch import WatchPath


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


class HeadUpdate(Record):
    """One attention head's part in what a layer's token mixer adds to the residual stream, at one position.

    Args:
        head: its name, such as `L12H3`.
        norm: length of what it adds, by which heads are ranked.
        share: its projection on what the mixer adds, as a fraction of that sum's squared length. The shares of all
            heads and of the bias sum to 1.
        name: the user's name for the head, or None.
        promotes: the tokens that what it adds here promotes; listed for the strongest head of each layer.
    """

    head: str
    norm: float
    share: float
    name: str | None = None
    promotes: tuple[str, ...] = ()


class LayerView(Record):
    """One layer at one position.

    Args:
        layer: index from 0.
        before: logit lens of the residual stream before the feed-forward, most probable first.
        heads: the heads that write most, longest contribution first (empty for a layer without heads).
        values: dominant sub-updates, largest score first (empty for a layer without a feed-forward).
        after: logit lens of the residual stream after the feed-forward; the last layer's is the output.
    """

    layer: int
    before: tuple[TokenScore, ...]
    values: tuple[SubUpdate, ...]
    after: tuple[TokenScore, ...]
    heads: tuple[HeadUpdate, ...] = ()


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
        lens: through which the layers, and what units promote, are read.
        watches: those that were asked for, through the layers.
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
    lens: str = LOGIT
    watches: tuple[WatchPath, ...] = ()
