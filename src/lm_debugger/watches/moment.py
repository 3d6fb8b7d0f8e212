"""What a watch is evaluated in: one prediction with the streams and units that it came from. Runs nothing."""

from collections.abc import Callable
from functools import cached_property
from typing import Literal

from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.names import UnitName
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.units.unit import ValueGroup


class Distribution:
    """A prediction.

    Args:
        logits: (vocabulary,), float32.
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @cached_property
    def total(self) -> Tensor:
        """The logarithm of the sum of all exponentials: ()."""
        return self.logits.logsumexp(-1)

    @cached_property
    def top(self) -> int:
        """The most probable token."""
        return int(self.logits.argmax())

    def logit(self, token: int) -> float:
        """A token's logit."""
        return float(self.logits[token])

    def probability(self, token: int) -> float:
        """A token's probability."""
        return float((self.logits[token] - self.total).exp())

    def rank(self, token: int) -> float:
        """A token's rank, from 1."""
        return float((self.logits > self.logits[token]).sum() + 1)

    @cached_property
    def entropy(self) -> float:
        """In nats."""
        logs = self.logits - self.total
        logs = logs[logs.isfinite()]
        return max(float(-(logs.exp() * logs).sum()), 0.0)

    def divergence(self, other: "Distribution") -> float:
        """KL(this ‖ other), in nats."""
        if other is self:
            return 0.0
        mine, theirs = self.logits - self.total, other.logits - other.total
        finite = mine.isfinite() & theirs.isfinite()
        return max(float((mine.exp() * (mine - theirs))[finite].sum()), 0.0)


Streams = Callable[[int], LayerStreams]
"""Gives a layer's streams at the one position of the moment."""

Stage = tuple[int, Literal["before", "after"]]


class Moment:
    """One prediction, and what was computed for it.

    Args:
        model: the model.
        own: the prediction.
        base: the prediction of the run without edits at the same place.
        streams: of the layers that have run.
        stage: the layer that the stream was read at, and the side of its feed-forward; None for the output.
        token: the token that was chosen, or None.
        text: what was generated so far, that token included.
    """

    def __init__(
        self,
        model: LoadedModel,
        own: Distribution,
        base: Distribution,
        streams: Streams,
        *,
        stage: Stage | None = None,
        token: int | None = None,
        text: str = "",
    ) -> None:
        self.model = model
        self.own = own
        self.base = base
        self.stage = stage
        self.token = token
        self.text = text
        self._streams = streams

    def unit(self, name: UnitName) -> float | None:
        """A value vector's coefficient, or the length of what a head adds; None if its layer has not run."""
        group, index = self.model.unit(name)
        if self.stage is not None:
            layer, side = self.stage
            of_feed_forward = isinstance(group, ValueGroup)
            if name.layer > layer or (name.layer == layer and side == "before" and of_feed_forward):
                return None
        streams = self._streams(name.layer)
        if isinstance(group, ValueGroup):
            return float(group.course(streams, index)[-1])
        assert isinstance(group, HeadGroup)
        return float(HeadStreams(group, streams).contributions()[-1, index].norm())

    def norm(self, part: str) -> float | None:
        """Length of a part of the layer where the moment is; of the last layer at the output."""
        layer, side = self.stage or (self.model.layers - 1, "after")
        if side == "before" and part in ("after", "ffn"):
            return None
        streams = self._streams(layer)
        stream = {
            "before": lambda: streams.before,
            "after": lambda: streams.after,
            "attention": lambda: streams.attention,
            "ffn": lambda: streams.contribution,
        }[part]()
        return float(stream[-1].norm())
