"""One edit over a range of strengths: what becomes of a prediction."""

from collections.abc import Callable, Sequence

import torch

from lm_debugger.attribution.question import ask, score
from lm_debugger.calibration.measure import Calibration
from lm_debugger.edits.validate import check_name
from lm_debugger.errors import OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.effects import Sweep, SweepPoint, SweptOperation
from lm_debugger.records.names import UnitName, ValueName
from lm_debugger.repair.goal import divergence
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.unit import ValueGroup

OPERATIONS: dict[SweptOperation, Operation] = {
    "set": Operation.SET,
    "add": Operation.ADD,
    "scale": Operation.SCALE,
}
FACTORS = (0.0, 2.0)  # of a scaled unit where nobody says what
LENGTHS = (-2.0, 2.0)  # the same along a direction of the stream, in its typical lengths


def operation_of(model: LoadedModel, name: UnitName, wanted: SweptOperation | None) -> SweptOperation:
    """What is swept: values of a value vector's coefficient, factors of a head, lengths along a direction.

    Raises:
        ValueNameError: if the model has no such unit.
        OptionError: if a unit without a coefficient is to have it set.
    """
    check_name(name, model)
    if isinstance(name, DirectionName):
        if name.kind == "swap":
            raise OptionError(f"{name} cannot be swept.", "Sweep one of the two directions.")
        return "add" if wanted is None else wanted
    group, _ = model.unit(name)
    own: SweptOperation = "set" if isinstance(group, ValueGroup) else "scale"
    if wanted is not None and OPERATIONS[wanted] not in group.operations:
        raise OptionError(f"{name} cannot be swept by {wanted}.", group.operations_help)
    return own if wanted is None else wanted


def strengths(
    name: UnitName,
    operation: SweptOperation,
    bounds: tuple[float | None, float | None],
    count: int,
    ranges: Callable[[], Calibration],
) -> list[float]:
    """Evenly spaced strengths. A bound that is not given is that of the coefficient's calibrated range.

    Raises:
        OptionError: if the bounds are not in order.
    """
    low, high = bounds
    if low is None or high is None:
        if operation == "scale":
            own = FACTORS
        elif isinstance(name, DirectionName):
            own = LENGTHS
        else:
            found = ranges().range(name)
            own = (found.low, found.high) if operation == "set" else (found.low - found.high, found.high - found.low)
        low, high = (own[0] if low is None else low), (own[1] if high is None else high)
    if not low < high:
        raise OptionError(f"A sweep from {low:g} to {high:g} has no length.", "Give a lower and a higher bound.")
    return [float(f"{low + (high - low) * number / (count - 1):.6g}") for number in range(count)]


def edits(name: UnitName, operation: SweptOperation, amounts: Sequence[float]) -> list[Edit]:
    """One edit for each strength."""
    return [
        Edit(value=name, operation=Operation.OFF)
        if operation == "scale" and amount == 0
        else Edit(value=name, operation=OPERATIONS[operation], amount=amount)
        for amount in amounts
    ]


@torch.no_grad()
def sweep(
    run: KeptRun,
    swept: Sequence[tuple[float, Edit, KeptRun]],
    name: UnitName,
    operation: SweptOperation,
    target: str | int | None,
    position: int,
) -> Sweep:
    """See `Debugger.sweep`.

    Args:
        run: without the edit.
        swept: strengths with the edit and the run of each.
    """
    question = ask(run, target, None, position)
    before = run.logits(question.position)
    coefficient = None
    if isinstance(name, ValueName):
        group, index = run.model.values(name)
        coefficient = float(group.course(run.layer(group.layer, question.position), index)[0])
    points = []
    for strength, edit, after in swept:
        logits = after.logits(question.position)
        mine = score(after, logits, question.target)
        points.append(
            SweepPoint(
                strength=strength,
                edit=str(edit),
                probability=mine.probability,
                rank=_rank(logits, question.target),
                kl=float(divergence(before, logits)),
                top=score(after, logits, int(logits.argmax())),
            )
        )
    return Sweep(
        prompt=run.model.vocabulary.written(run.ids),
        position=question.position,
        unit=str(name),
        operation=operation,
        coefficient=coefficient,
        target=score(run, before, question.target),
        rank=_rank(before, question.target),
        points=tuple(points),
        interventions=tuple(map(str, run.interventions)),
        warnings=question.warnings,
    )


def _rank(logits: torch.Tensor, token: int) -> int:
    return int((logits > logits[token]).sum()) + 1
