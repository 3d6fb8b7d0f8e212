"""Random edits of equal size, to compare edits with: the same done to other units, or along other directions."""

import random
from collections.abc import Sequence
from dataclasses import replace

import torch

from lm_debugger.edits.validate import check
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionName, Term
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.lens import LOGIT
from lm_debugger.steering.directions import random_direction
from lm_debugger.units.stream import Along
from lm_debugger.units.unit import Group, ValueGroup

DRAWS = 100  # of a unit until one is free
FREE = (Operation.SET, Operation.ADD)  # whose amounts are coefficients


def random_edits(model: LoadedModel, edits: Sequence[Edit], taken: Sequence[Edit], seed: int) -> tuple[Edit, ...]:
    """For each edit one of another unit of the same kind in the same layer, chosen at random.

    What is set or added keeps its size in the residual stream (amount times the vector's length); factors, `off` and
    calibrated strengths stay as they are.

    Args:
        model: the model.
        edits: settled ones.
        taken: others, whose units are not to be drawn.
        seed: of the draw.
    """
    rng = random.Random(seed)  # noqa: S311  # not a secret
    used = {edit.value for edit in (*edits, *taken)}
    found: list[Edit] = []
    for edit in edits:
        if isinstance(edit.value, DirectionName):
            found.append(_along_another(model, edit, rng))
            continue
        group, index = model.unit(edit.value)
        others = [unit for _ in range(DRAWS) if (unit := rng.randrange(group.extent.units)) != index]
        other = next((unit for unit in others if group.name(unit) not in used), None)
        if other is None:
            continue  # a layer with one unit has no other
        name = group.name(other)
        used.add(name)
        changes: dict[str, object] = {"value": name, "level": edit.level}
        if edit.operation in FREE and edit.amount is not None:
            changes["amount"] = edit.amount * _relative(group, index, other) * rng.choice((-1, 1))
        found.append(edit.changed(**changes))
    check(found, model, prompt_length=1 << 30, length=1 << 30)
    return tuple(found)


def _along_another(model: LoadedModel, edit: Edit, rng: random.Random) -> Edit:
    """The same done along random directions: as many typical lengths in the same layers."""
    assert isinstance(edit.value, DirectionName)
    assert isinstance(edit.along, Along)
    count = 2 if edit.value.kind == "swap" else 1
    terms = tuple(Term(1, str(rng.randrange(1 << 31)), random=True) for _ in range(count))
    name = replace(edit.value, kind="swap" if count > 1 else "random", terms=terms, lens=LOGIT)
    vectors = {
        layer: torch.stack([random_direction(model.anatomy.hidden_size, int(term.text), layer) for term in terms])
        for layer in edit.along.vectors
    }
    return edit.changed(value=name, along=Along(str(name), vectors, edit.along.lengths))


def _relative(group: Group, index: int, other: int) -> float:
    """The length of one unit's vector in those of another."""
    if not isinstance(group, ValueGroup):
        return 1.0
    length = float(group.vector(other).norm())
    return float(group.vector(index).norm()) / length if length else 1.0
