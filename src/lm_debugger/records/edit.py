"""What an edit of a coefficient is, as data; reading its text is `interventions.grammar`'s work."""

from enum import StrEnum
from typing import NamedTuple

from lm_debugger.records.base import Record
from lm_debugger.records.names import ValueName


class Operation(StrEnum):
    """What is done to the coefficient."""

    OFF = "off"  # the coefficient becomes 0
    ON = "on"  # the vector's own 99.9 % quantile
    ON_NEGATIVE = "on-"  # the vector's own 0.1 % quantile
    LAYER_MAXIMUM = "layermax"  # the layer's largest coefficient at that token (the original LM-Debugger's "on")
    SET = "="  # the coefficient becomes `amount`
    SCALE = "*="  # the coefficient is multiplied by `amount`
    ADD = "+="  # `amount` is added to the coefficient


WITH_AMOUNT = (Operation.SET, Operation.SCALE, Operation.ADD)
WITH_STRENGTH = (Operation.ON, Operation.ON_NEGATIVE)


class Interval(NamedTuple):
    """Token positions `start <= position < stop`; `stop` None means without end."""

    start: int
    stop: int | None

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two intervals share a position."""
        return (self.stop is None or other.start < self.stop) and (other.stop is None or self.start < other.stop)


class ScopeKind(StrEnum):
    """Where an edit applies."""

    ALL = "all"
    PROMPT = "prompt"
    GENERATED = "generated"
    LAST = "last"  # the last position of the prompt
    POSITIONS = "positions"


class Scope(Record):
    """The token positions at which an edit applies.

    Args:
        kind: a named scope, or POSITIONS.
        positions: for POSITIONS only: inclusive ranges (first, last), ascending and disjoint.
    """

    kind: ScopeKind = ScopeKind.ALL
    positions: tuple[tuple[int, int], ...] = ()

    def intervals(self, prompt_length: int) -> tuple[Interval, ...]:
        """The scope's positions for a prompt of `prompt_length` tokens."""
        match self.kind:
            case ScopeKind.ALL:
                return (Interval(0, None),)
            case ScopeKind.PROMPT:
                return (Interval(0, prompt_length),)
            case ScopeKind.GENERATED:
                return (Interval(prompt_length, None),)
            case ScopeKind.LAST:
                return (Interval(prompt_length - 1, prompt_length),)
            case ScopeKind.POSITIONS:
                return tuple(Interval(first, last + 1) for first, last in self.positions)

    def __str__(self) -> str:
        if self.kind is not ScopeKind.POSITIONS:
            return self.kind.value
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.positions)


class Edit(Record):
    """One change of one coefficient. `str(edit)` is its canonical text.

    Args:
        value: the value vector whose coefficient is edited.
        operation: what is done to it.
        amount: the number of SET, SCALE and ADD, in units of the raw coefficient (for SCALE a factor); for ON and
            ON_NEGATIVE the strength: what the quantile is multiplied by, from 0, None for 1; None otherwise.
        scope: the token positions at which it is done.
    """

    value: ValueName
    operation: Operation
    amount: float | None = None
    scope: Scope = Scope()

    def __str__(self) -> str:
        where = "" if self.scope.kind is ScopeKind.ALL else f"@{self.scope}"
        if self.operation in WITH_AMOUNT:
            return f"{self.value}{self.operation.value}{self.amount!r}{where}"
        strength = "" if self.amount in (None, 1.0) else f"*{self.amount!r}"
        return f"{self.value}={self.operation.value}{strength}{where}"
