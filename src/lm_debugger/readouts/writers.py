"""Which value vectors write a residual stream, or the difference of two: every sub-update's exact portion of it.

1. What counts of a stream is what the model would say: r and s are compared by their read-outs' covariance over the
   vocabulary, ⟨r, s⟩ = rᵀ Σ s (`values.statistics`). Channels that the final norm mutes count for little.
2. The sub-update m·v has the portion m·⟨v, r⟩ / ⟨r, r⟩ of the stream r (`share` in JSON). Portions of all sub-updates,
   biases, attention outputs and of the embedding add up to 1.
3. For the difference of two streams r - s, a vector's sub-update is (m_r - m_s)·v.

What is not covered: models whose layers end with a norm, because what one layer writes is changed by the next.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.errors import OptionError
from lm_debugger.lenses.reading import Reading
from lm_debugger.records.search import Filter, SearchAnswer
from lm_debugger.records.visible import visible
from lm_debugger.runs.kept import KeptRun
from lm_debugger.search.index import Index
from lm_debugger.units.blocks import Block
from lm_debugger.work import UNWATCHED, Work


@dataclass(frozen=True)
class RunPosition:
    """A position of a run.

    Args:
        run: the run.
        position: the token position, from 0; negative ones count from the end.
    """

    run: KeptRun
    position: int = -1

    def streams(self, layer: int) -> LayerStreams:
        """One layer's streams at the position."""
        return self.run.layer(layer, self.position)

    def __str__(self) -> str:
        position = self.run.position(self.position)
        return f"position {position} ({visible(self.run.tokens[position].text)})"


@torch.no_grad()
def writers(
    index: Index,
    here: RunPosition,
    among: Filter,
    *,
    layer: int | None = None,
    against: RunPosition | None = None,
    reading: Reading | None = None,
    work: Work = UNWATCHED,
) -> SearchAnswer:
    """The vectors with the largest portions of the residual stream after a layer; see the file's first lines.

    Args:
        index: the model's value vectors.
        here: where to read.
        among: which vectors may be found. A sign means that of the coefficient (of its difference).
        layer: the layer; None for the last.
        against: where the stream is read that is subtracted.
        reading: the model through a lens; the run's own if left out.

    Raises:
        OptionError: if a layer or position does not exist, or the model's layers end with a norm.
    """
    model = here.run.model
    layer = model.layers - 1 if layer is None else layer
    if any(anatomy.after_norm for anatomy in model.anatomy.layers):
        raise OptionError("In this model a norm follows each sum, so no vector keeps its share.", "Search for words.")
    residual = here.streams(layer).after[0]
    what = f"what writes the residual stream after layer {layer} at {here}"
    if against is not None:
        residual = residual - against.streams(layer).after[0]
        what = f"what tells {here} from {against} after layer {layer}"
        if not bool(residual.any()):
            raise OptionError("The two residual streams are the same.", "Choose another position, layer or prompt.")
    reading = reading or here.run.reading
    lens = reading.lens
    # What stands in the stream at this layer goes the same way from there, whatever layer it was written in.
    carried = lens.vector(residual, layer).double().cpu()  # in float64: portions are small parts of large sums
    said = index.statistics(work).covariance.double() @ carried
    size = (said @ carried).clamp_min(1e-30)
    direction = lens.adjoint((said / size).float().to(residual.device), layer)
    where = direction[None]
    coefficients = torch.zeros(index.layout.vectors)

    def score(block: Block, place: slice) -> tuple[Tensor, Tensor]:
        mine = _coefficients(block, here)
        if against is not None:
            mine = mine - _coefficients(block, against)
        coefficients[place] = mine
        portions = mine * block.products(where.to(block.matrix.device))[0].cpu()
        if block.layer > layer:
            portions = torch.zeros_like(portions)
        if among.sign != "both":
            portions = torch.where((mine < 0) == (among.sign == "-"), portions, torch.zeros_like(portions))
        return portions, -portions

    either = among.model_copy(update={"sign": "both"})  # the sign is dealt with above
    return index.portions(what, score, lambda number: bool(coefficients[number] < 0), either, work, reading)


def _coefficients(block: Block, at: RunPosition) -> Tensor:
    """The coefficients of a block's vectors at a position, with the token's factor on their route: (vectors,), CPU."""
    streams = at.streams(block.layer)
    group, first = at.run.model.values(block.name(0))
    mine = group.coefficients(streams)[0, first : first + len(block)]
    return (mine * streams.scale(group).flatten()).cpu()
