"""A run as a value: what is run and under which edits. It is its own key, wherever runs are kept or asked for."""

from collections.abc import Callable, Iterable

from lm_debugger.errors import CalibrationError
from lm_debugger.records.base import Record
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.edit import WITH_STRENGTH, Edit, Operation
from lm_debugger.records.names import UnitName

Ranges = Callable[[UnitName], CoefficientRange]


class RunSpec(Record):
    """One run.

    Args:
        ids: token ids.
        prompt_length: how many of them are the prompt; the rest counts as generated.
        edits: the edits in force, those that need measuring settled.
    """

    ids: tuple[int, ...]
    prompt_length: int
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of_prompt(cls, ids: Iterable[int], edits: Iterable[Edit] = ()) -> "RunSpec":
        """The run of a prompt alone."""
        ids = tuple(ids)
        return cls(ids=ids, prompt_length=len(ids), edits=tuple(edits))

    @property
    def base(self) -> "RunSpec":
        """The same without edits."""
        return self if not self.edits else RunSpec(ids=self.ids, prompt_length=self.prompt_length)


def settled(edits: Iterable[Edit], ranges: Ranges) -> tuple[Edit, ...]:
    """The edits with what `on` means for each vector measured: before anything runs, never during a run.

    Args:
        ranges: a vector's calibrated range; called only for `on` and `on-`.

    Raises:
        CalibrationError: if a vector has no range on the side asked for.
    """
    return tuple(
        edit.model_copy(update={"level": _level(edit, ranges(edit.value))})
        if edit.operation in WITH_STRENGTH and not isinstance(edit.value, DirectionName)
        else edit
        for edit in edits
    )


def _level(edit: Edit, found: CoefficientRange) -> float:
    value, sign = (found.high, 1) if edit.operation is Operation.ON else (found.low, -1)
    if value * sign > 0:
        return value
    side, other = ("positive", "on-") if sign > 0 else ("negative", "on")
    raise CalibrationError(
        f"Edit '{edit}': the coefficient of {edit.value} was never {side} in the calibration text.",
        f"Use ={other}, or set a number such as {edit.value}={3.0 * sign:g}.",
    )
