"""Edits along directions of the residual stream, as writes: added, taken out, scaled, set, exchanged.

Numbers along a direction are in units of the stream's own typical length in that layer, so that a strength means about
as much in every layer and model.

    +=k   k typical lengths are added along the direction (Turner et al. 2023, arXiv 2308.10248)
    =k    the stream's share along it becomes k typical lengths
    *=k   its share is multiplied
    =off  its share is taken out (Arditi et al. 2024, arXiv 2406.11717)
    =on   of an exchange, `a <> b`: the stream's two coordinates along a and b change places. With several layers this
          is done in the first, and in the others wherever the coordinate of a is again above that of b, since later
          layers may write it anew; `=on*k` does it in part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.engine.sites import Turn, Write
from lm_debugger.errors import EditError
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.edit import Edit, Operation

_OPERATIONS = {
    True: (frozenset((Operation.ON,)), "Directions are exchanged by =on, or in part by =on*0.5."),
    False: (
        frozenset((Operation.OFF, Operation.SET, Operation.SCALE, Operation.ADD)),
        "Along a direction of the stream, write +=, = or *= and a number, or =off.",
    ),
}


@dataclass(frozen=True)
class Along:
    """The numbers of a direction in one model.

    Args:
        key: identifies them.
        vectors: for each layer the directions, at length 1: (1, hidden), or (2, hidden) where two are exchanged.
        lengths: for each layer the stream's typical length.
    """

    key: str
    vectors: Mapping[int, Tensor] = field(compare=False)
    lengths: Mapping[int, float] = field(compare=False)


def check_operation(edit: Edit) -> None:
    """Raise EditError if the edit does what cannot be done along a direction."""
    assert isinstance(edit.value, DirectionName)
    operations, help_ = _OPERATIONS[edit.value.kind == "swap"]
    if edit.operation not in operations:
        raise EditError(f"Edit '{edit}' cannot be made.", help_)


def stream_writes(edit: Edit, anatomy: Anatomy, start: int, stop: int) -> list[Write]:
    """The writes of an edit along a direction whose numbers are known, one a layer: of the stream after the layer."""
    check_operation(edit)
    along = edit.along
    assert isinstance(edit.value, DirectionName)
    assert isinstance(along, Along)  # settled before anything runs
    found = []
    for layer in edit.value.layers:
        shift, turn = _change(edit, along.vectors[layer], along.lengths[layer], first=layer == edit.value.layer)
        site, width = anatomy.layers[layer].after, anatomy.hidden_size
        found.append(Write(site, 0, width, 1.0, shift, maximum=False, start=start, stop=stop, turn=turn))
    return found


def _change(
    edit: Edit, vectors: Tensor, length: float, *, first: bool
) -> tuple[float | tuple[float, ...], Turn | None]:
    """Shift and turn."""
    unit = vectors[0].double()
    amount = edit.amount or 0.0
    match edit.operation:
        case Operation.ADD:
            return _numbers(unit * amount * length), None
        case Operation.SET:
            return _numbers(unit * amount * length), Turn(_numbers(unit), _numbers(-unit))
        case Operation.SCALE:
            return 0.0, Turn(_numbers(unit), _numbers(unit * (amount - 1)))
        case Operation.OFF:
            return 0.0, Turn(_numbers(unit), _numbers(-unit))
        case _:
            strength = 1.0 if edit.amount is None else edit.amount
            # Coordinates in the plane of both; what one has above the other goes over.
            one, other = torch.linalg.pinv(vectors.double()).T
            over = strength * (vectors[1].double() - unit)
            return 0.0, Turn(_numbers(one - other), _numbers(over), positive=not first)


def _numbers(vector: Tensor) -> tuple[float, ...]:
    found: Sequence[float] = vector.tolist()
    return tuple(found)
