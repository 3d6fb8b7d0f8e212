"""From edits to writes: checks them against the model and the prompt, and turns each into arithmetic at a site."""

from collections.abc import Sequence
from typing import Protocol

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.edits.validate import ModelShape, check
from lm_debugger.engine.sites import FOREVER, Write
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.names import UnitName
from lm_debugger.units.stream import stream_writes
from lm_debugger.units.unit import Group


class Model(ModelShape, Protocol):
    """A model's units and streams."""

    @property
    def anatomy(self) -> Anatomy:
        """Where its streams are."""

    def unit(self, name: UnitName) -> tuple[Group, int]:
        """The group that holds a unit, and its number there. The name must exist."""


def compile_edits(edits: Sequence[Edit], model: Model, *, prompt_length: int, length: int) -> tuple[Write, ...]:
    """The writes of edits that are settled: their `on` has its level, their directions their numbers.

    Args:
        prompt_length: number of tokens in the prompt.
        length: number of tokens in the whole run, generated ones included.

    Raises:
        EditError: if an edit names what does not exist or cannot be done, or two edits meet.
    """
    check(edits, model, prompt_length=prompt_length, length=length)
    found: list[Write] = []
    for edit in edits:
        if isinstance(edit.value, DirectionName):
            for start, stop in edit.scope.intervals(prompt_length):
                found += stream_writes(edit, model.anatomy, start, FOREVER if stop is None else stop)
            continue
        group, index = model.unit(edit.value)
        group.check(edit)
        scale, shift = _arithmetic(edit)
        maximum = edit.operation is Operation.LAYER_MAXIMUM
        for start, stop in edit.scope.intervals(prompt_length):
            end = FOREVER if stop is None else stop
            found.append(group.write(index, scale, shift, maximum=maximum, start=start, stop=end))
    return tuple(found)


def _arithmetic(edit: Edit) -> tuple[float, float]:
    """Scale and shift of the coefficient."""
    amount = edit.amount or 0.0
    match edit.operation:
        case Operation.OFF | Operation.LAYER_MAXIMUM:
            return 0.0, 0.0
        case Operation.SET:
            return 0.0, amount
        case Operation.SCALE:
            return amount, 0.0
        case Operation.ADD:
            return 1.0, amount
        case Operation.ON | Operation.ON_NEGATIVE:
            assert edit.level is not None  # settled before anything runs
            return 0.0, edit.level * (1.0 if edit.amount is None else edit.amount)
