"""Which tokens a value vector promotes and suppresses: its projection through the unembedding, memoised.

Source: Geva et al. 2022, arXiv 2203.14680, section 3.1.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import torch

from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.names import ValueName
from lm_debugger.records.token import PromotedToken

MEMORY = 20_000  # vectors whose top tokens are kept
KEPT = 50  # tokens kept on each side
BATCH = 256  # vectors projected at once: 256 · vocabulary floats


class Projections:
    """Top and bottom tokens of value vectors of one model."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._known: OrderedDict[ValueName, tuple[list[float], list[int]]] = OrderedDict()

    def remember(self, names: Iterable[ValueName]) -> None:
        """Project those vectors that are not known yet, all in one product."""
        missing = [name for name in dict.fromkeys(names) if name not in self._known]
        for first in range(0, len(missing), BATCH):
            self._project(missing[first : first + BATCH])

    def _project(self, names: Sequence[ValueName]) -> None:

        with torch.no_grad():
            logits = self._model.readout.project(torch.stack([self._model.vector(name) for name in names]))
            kept = min(KEPT, logits.shape[-1])
            top, bottom = logits.topk(kept), logits.topk(kept, largest=False)
            values = torch.cat([top.values, bottom.values], -1).tolist()
            indices = torch.cat([top.indices, bottom.indices], -1).tolist()
        for name, value, index in zip(names, values, indices, strict=True):
            self._known[name] = value, index
        while len(self._known) > MEMORY:
            self._known.popitem(last=False)

    def promotes(self, name: ValueName, *, limit: int, negative: bool = False) -> tuple[str, ...]:
        """Texts of the tokens with the largest (for `negative` the smallest) projection."""
        return tuple(self._model.vocabulary.text(i) for _, i in self._side(name, limit, negative=negative))

    def tokens(self, name: ValueName, *, limit: int, negative: bool = False) -> tuple[PromotedToken, ...]:
        """The same with ids and logits."""
        texts = self._model.vocabulary.text
        return tuple(
            PromotedToken(id=i, text=texts(i), logit=logit) for logit, i in self._side(name, limit, negative=negative)
        )

    def _side(self, name: ValueName, limit: int, *, negative: bool) -> list[tuple[float, int]]:
        self.remember([name])
        values, indices = self._known[name]
        half = len(values) // 2
        first = half if negative else 0
        stop = first + min(limit, half)
        return list(zip(values[first:stop], indices[first:stop], strict=True))
