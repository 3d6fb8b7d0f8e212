"""From edits to rewrites: checks them against the model and the prompt, and turns each into arithmetic."""

from collections.abc import Callable, Sequence

from lm_debugger.edits.validate import check
from lm_debugger.engine.rewrite import FOREVER, Plan, Rewrite
from lm_debugger.errors import CalibrationError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.names import ValueName

Ranges = Callable[[ValueName], CoefficientRange]


def compile_edits(
    rows: Sequence[Sequence[Edit]], model: LoadedModel, *, prompt_length: int, length: int, ranges: Ranges
) -> Plan:
    """The plan of one batch.

    Args:
        rows: the edits of each row of the batch.
        prompt_length: number of tokens in the prompt.
        length: number of tokens in the whole run, generated ones included.
        ranges: a vector's calibrated range; called only for `on` and `on-`.

    Raises:
        EditError: if an edit names what does not exist, or two edits meet.
        CalibrationError: if a vector has no range on the side asked for.
    """
    found: list[Rewrite] = []
    everyone = len(rows) == 1
    for row, edits in enumerate(rows):
        check(edits, model, prompt_length=prompt_length, length=length)
        for edit in edits:
            scale, shift = _arithmetic(edit, ranges)
            for start, stop in edit.scope.intervals(prompt_length):
                found.append(
                    Rewrite(
                        layer=edit.value.layer,
                        expert=edit.value.expert,
                        dimension=edit.value.dimension,
                        scale=scale,
                        shift=shift,
                        maximum=edit.operation is Operation.LAYER_MAXIMUM,
                        start=start,
                        stop=FOREVER if stop is None else stop,
                        rows=None if everyone else frozenset((row,)),
                    )
                )
    return Plan(found)


def _arithmetic(edit: Edit, ranges: Ranges) -> tuple[float, float]:
    """Scale and shift of the coefficient."""
    amount = edit.amount or 0.0
    strength = 1.0 if edit.amount is None else edit.amount
    match edit.operation:
        case Operation.OFF | Operation.LAYER_MAXIMUM:
            return 0.0, 0.0
        case Operation.SET:
            return 0.0, amount
        case Operation.SCALE:
            return amount, 0.0
        case Operation.ADD:
            return 1.0, amount
        case Operation.ON:
            return 0.0, strength * _side(edit, ranges(edit.value).high, 1)
        case Operation.ON_NEGATIVE:
            return 0.0, strength * _side(edit, ranges(edit.value).low, -1)


def _side(edit: Edit, value: float, sign: int) -> float:
    if value * sign > 0:
        return value
    side, other = ("positive", "on-") if sign > 0 else ("negative", "on")
    raise CalibrationError(
        f"Edit '{edit}': the coefficient of {edit.value} was never {side} in the calibration text.",
        f"Use ={other}, or set a number such as {edit.value}={3.0 * sign:g}.",
    )
