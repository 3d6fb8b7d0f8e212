"""A layer of the anatomy with the units in it."""

from collections.abc import Callable, Sequence

from torch import nn

from lm_debugger.anatomy.parts import Anatomy, LayerAnatomy
from lm_debugger.engine.sites import Side, Site
from lm_debugger.records.names import Extent, UnitName
from lm_debugger.units.unit import Group, ValueGroup, bind


class BoundLayer:
    """A layer with its units.

    Args:
        module: gives a module of the network by its path.
        anatomy: the whole model's.
        index: of the layer.

    Attributes:
        units: the groups of all kinds.
        groups: those that the feed-forward is made of: their contributions add up to what it adds.
    """

    def __init__(self, module: Callable[[str], nn.Module], anatomy: Anatomy, index: int) -> None:
        self.index = index
        self.anatomy: LayerAnatomy = anatomy.layers[index]
        self.units: list[Group] = bind(module, anatomy, index)
        paths = {part.path for part in self.anatomy.groups}
        self.groups: list[ValueGroup] = [
            group for group in self.units if isinstance(group, ValueGroup) and group.path in paths
        ]
        self.extents = merged(self.units)
        self.vectors = merged([group for group in self.units if isinstance(group, ValueGroup)])

    def unit(self, name: UnitName) -> tuple[Group, int]:
        """The group that holds a unit, and its number there. The name must exist."""
        number = next(extent for extent in self.extents if extent.letters == name.letters).number(name)
        for group in self.units:
            if group.extent.letters == name.letters and 0 <= number - group.first < group.extent.units:
                return group, number - group.first
        raise KeyError(str(name))

    @property
    def sites(self) -> tuple[Site, ...]:
        """What a trace keeps of the layer."""
        found = [Site(path=self.anatomy.path, side=Side.INPUT), self.anatomy.total, self.anatomy.after]
        found += [term.site for term in self.anatomy.before]
        found += [site for group in self.units for site in group.taps]
        return tuple(dict.fromkeys(found))


def merged(groups: Sequence[Group]) -> tuple[Extent, ...]:
    """How many units of each kind some groups of a layer have together: groups of one kind are numbered on."""
    found: dict[str, Extent] = {}
    for group in groups:
        own = group.extent
        known = found.get(own.letters)
        found[own.letters] = own if known is None else Extent(own.letters, (known.sizes[0] + own.sizes[0],))
    return tuple(found.values())
