"""What an edit of a unit or of a direction of the stream is, as data; reading its text is `edits.grammar`'s work."""

import math
from collections.abc import Hashable
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, PlainSerializer, PlainValidator, SkipValidation, field_validator, model_validator

from lm_debugger.errors import EditError
from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.direction import read_direction, split_direction
from lm_debugger.records.names import UnitName, read_unit


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

    @field_validator("positions")
    @classmethod
    def _merged(cls, positions: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """Ascending, those that overlap or touch merged into one: scopes that mean the same are equal."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(positions):
            if not 0 <= first <= last:
                raise EditError(f"{first}-{last} is no range of positions.", "Write positions such as @3,5-7.")
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return tuple(merged)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.kind is ScopeKind.POSITIONS) != bool(self.positions):
            raise EditError("A scope of positions has none, or another scope has some.", "Write it as in @3,5-7.")
        return self

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


def read_edited(text: str) -> UnitName:
    """Read the name of what an edit changes: a unit, or a direction of the residual stream.

    Raises:
        ValueNameError: if the text is neither.
    """
    return read_unit(text) if split_direction(text) is None else read_direction(text)


def _unit(found: Any) -> UnitName:
    return read_edited(found) if isinstance(found, str) else found


class Edit(Record):
    """One change: of a coefficient, of what a head writes, or along a direction of the stream.

    `str(edit)` is its canonical text.

    Args:
        value: the unit or the direction that is edited.
        operation: what is done to it.
        amount: the number of SET, SCALE and ADD, in units of the raw coefficient (for SCALE a factor); for ON and
            ON_NEGATIVE the strength: what the quantile is multiplied by, from 0, None for 1; None otherwise. Along a
            direction the unit is the stream's own typical length in that layer.
        scope: the token positions at which it is done.
        level: for ON and ON_NEGATIVE the quantile, once it was measured (`runs.spec.settled`). No part of the text.
        along: for a direction of the residual stream its numbers in this model, once they are known
            (`units.stream.Along`). No part of the text.
    """

    value: Annotated[UnitName, PlainValidator(_unit), PlainSerializer(str, return_type=str)]
    operation: Operation
    amount: float | None = None
    scope: Scope = Scope()
    level: float | None = None
    along: Annotated[Hashable | None, SkipValidation, Field(exclude=True)] = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, fields: Any) -> Any:
        """A strength of 1 is none: edits that mean the same are equal."""
        strong = isinstance(fields, dict) and fields.get("operation") in WITH_STRENGTH and fields.get("amount") == 1
        return {**fields, "amount": None} if strong else fields

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.operation in WITH_AMOUNT and self.amount is None:
            raise EditError(f"An edit of {self.value} has no amount.", f"Write for instance {self.value}*=2.")
        if self.amount is not None and not math.isfinite(self.amount):
            raise EditError(
                f"The amount {self.amount} of an edit of {self.value} is not a finite number.", "Write one such as 2."
            )
        if self.amount is not None and abs(self.amount) > limits.AMOUNT:
            raise EditError(
                f"The amount {self.amount} of an edit of {self.value} is too large.",
                f"Numbers go up to {limits.AMOUNT:g}.",
            )
        if self.operation in WITH_STRENGTH and self.amount is not None and self.amount < 0:
            raise EditError(
                f"The strength {self.amount} of an edit of {self.value} is negative.", "Use the other side."
            )
        return self

    def changed(self, **fields: Any) -> Self:
        """The edit with other fields, checked as a new one."""
        return type(self)(**{**dict(self), "level": None, "along": None, **fields})

    def __str__(self) -> str:
        where = "" if self.scope.kind is ScopeKind.ALL else f"@{self.scope}"
        if self.operation in WITH_AMOUNT:
            return f"{self.value}{self.operation.value}{self.amount!r}{where}"
        strength = "" if self.amount in (None, 1.0) else f"*{self.amount!r}"
        return f"{self.value}={self.operation.value}{strength}{where}"
