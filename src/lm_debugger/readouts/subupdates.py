"""The dominant sub-updates of a layer at one position: the value vectors with the largest |coefficient| · norm.

Source: Geva et al. 2022, arXiv 2203.14680, section 4; LM-Debugger, arXiv 2204.12130, section 2.
"""

from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.units.layer import BoundLayer
from lm_debugger.units.unit import Contribution, ValueGroup


def dominant(
    layer: BoundLayer, streams: LayerStreams, count: int, direction: Tensor | None = None
) -> list[Contribution]:
    """The strongest sub-updates of one layer at one position, largest first.

    Args:
        streams: the layer's streams at a single position.
        count: how many at most.
        direction: see `LogitLens.direction`; None to leave effects out.
    """
    groups = [group for group in layer.units if isinstance(group, ValueGroup)]
    found = [entry for group in groups for entry in group.strongest(streams, count, direction)]
    return sorted(found, key=lambda entry: -entry.score)[:count]
