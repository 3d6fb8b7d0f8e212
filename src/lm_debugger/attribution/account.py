"""The account of a difference in logits: every part of it with its direct effect, as numbers."""

from typing import NamedTuple

from torch import Tensor

from lm_debugger.records.why import PartKind
from lm_debugger.units.unit import Group


class Entry(NamedTuple):
    """A part that is no unit.

    Args:
        name: such as `L3 attention bias`.
        kind: what it is.
        layer: its layer, None outside of all.
        effect: its direct effect.
    """

    name: str
    kind: PartKind
    layer: int | None
    effect: float


class UnitEffects(NamedTuple):
    """The direct effects of all units of a group.

    Args:
        group: the units.
        kind: what they are.
        effects: (units,), float32, on the CPU.
        along: for heads what their slices are multiplied with to give their effects: (heads, width).
    """

    group: Group
    kind: PartKind
    effects: Tensor
    along: Tensor | None = None


class Account(NamedTuple):
    """All parts of a difference.

    Args:
        difference: the difference itself, as the model computed it.
        entries: the parts that are no units.
        units: the units.
    """

    difference: float
    entries: tuple[Entry, ...]
    units: tuple[UnitEffects, ...]

    @property
    def total(self) -> float:
        """What all parts add up to."""
        return sum(entry.effect for entry in self.entries) + sum(float(u.effects.double().sum()) for u in self.units)
