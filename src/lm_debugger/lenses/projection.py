"""Which tokens a value vector promotes and suppresses: its projection through a lens and the unembedding, memoised.

Source: Geva et al. 2022, arXiv 2203.14680, section 3.1.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.lenses import words
from lm_debugger.lenses.lens import LOGIT_LENS, Lens
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.names import UnitName
from lm_debugger.records.token import PromotedToken

MEMORY = 40_000  # ends of vectors whose tokens are kept
MOST = 50  # tokens that can be asked for
BATCH = 256  # vectors projected at once: 256 · vocabulary floats
WORTH = 100  # ends that are spelled anew before all are written: it takes less time than spelling them


class End(NamedTuple):
    """One end of a vector's projection: the tokens it promotes, or with `negative` those it suppresses."""

    name: UnitName
    negative: bool = False

    def __str__(self) -> str:
        return f"-{self.name}" if self.negative else str(self.name)


class Projections:
    """Top and bottom tokens of value vectors of one model, in memory or on disk.

    Args:
        model: the model, or its weights.
        lens: through which they are seen.
    """

    def __init__(self, model: ValueSource, lens: Lens = LOGIT_LENS) -> None:
        self._model = model
        self._lens = lens
        self._known: OrderedDict[End, tuple[Sequence[float], Sequence[int]]] = OrderedDict()
        self._kept: words.Words | None = None  # what this and other programs have written; looked up when it is needed
        self._new: list[End] = []  # spelled since
        self._ranks: OrderedDict[tuple[End, tuple[int, ...]], int] = OrderedDict()
        self._lock = threading.RLock()  # a server reads out and searches on several threads

    def remember(self, ends: Iterable[End], limit: int) -> None:
        """Project those vectors whose `limit` tokens are not known yet, all in one product."""
        wanted = min(limit, self._model.readout.vocabulary)
        missing = [end for end in dict.fromkeys(ends) if self._length(end) < wanted]
        missing = [end for end in missing if not self._recalled(end, wanted)]
        for first in range(0, len(missing), BATCH):
            with self._lock:
                self._project(missing[first : first + BATCH], wanted)
        self._keep(missing)

    def _length(self, end: End) -> int:
        """How many tokens of an end are known."""
        return len(self._known.get(end, ((), ()))[1])

    def _recalled(self, end: End, count: int) -> bool:
        """Whether another program has spelled so many tokens of an end."""
        with self._lock:
            if self._kept is None:
                self._kept = words.read(self._model.fingerprint, self._lens)
            found = self._kept.get(str(end))
            if found is None or len(found[1]) < count:
                return False
            self._known[end] = found
            return True

    def _keep(self, spelled: Sequence[End]) -> None:
        """Write what is known, once enough of it is new."""
        with self._lock:
            self._new += spelled
            if self._kept is None or len(self._new) < WORTH:
                return
            new = {str(end): self._known[end] for end in self._new if end in self._known}
            self._kept = words.write(self._model.fingerprint, self._lens, self._kept | new)
            self._new = []

    @torch.no_grad()
    def _project(self, ends: Sequence[End], count: int) -> None:
        top = self._model.readout.project(self._vectors(ends)).topk(count)
        for end, values, indices in zip(ends, top.values.tolist(), top.indices.tolist(), strict=True):
            self._known[end] = values, indices
        while len(self._known) > MEMORY:
            self._known.popitem(last=False)

    @torch.no_grad()
    def ranks(self, forms: Sequence[tuple[End, tuple[int, ...]]]) -> list[int]:
        """Places of tokens among all that one end of a vector promotes, from 1; of several tokens the last place."""
        with self._lock:
            missing = list(dict.fromkeys(end for end, tokens in forms if (end, tokens) not in self._ranks))
            for first in range(0, len(missing), BATCH):
                part = missing[first : first + BATCH]
                logits = dict(zip(part, self._model.readout.project(self._vectors(part)), strict=True))
                for end, tokens in forms:
                    if end in logits:
                        row = logits[end]
                        self._ranks[end, tokens] = int((row > row[list(tokens)].min()).sum()) + 1
            found = [self._ranks[form] for form in forms]
            while len(self._ranks) > MEMORY:
                self._ranks.popitem(last=False)
        return found

    def _vectors(self, ends: Sequence[End]) -> Tensor:
        """The vectors at the read-out's input, turned round where their negative end is meant: (ends, hidden)."""
        vectors = [-self._model.vector(end.name) if end.negative else self._model.vector(end.name) for end in ends]
        rows: dict[int, list[int]] = {}
        for row, end in enumerate(ends):
            rows.setdefault(end.name.layer, []).append(row)
        for layer, those in rows.items():  # a layer's vectors at once: its map is read once
            if self._lens.covers(layer):
                carried = self._lens.vector(torch.stack([vectors[row] for row in those]), layer)
                for row, vector in zip(those, carried, strict=True):
                    vectors[row] = vector
        return torch.stack(vectors)

    def outliers(self, name: UnitName) -> float:
        """Part of the vocabulary that a vector promotes or suppresses by more than 3 standard deviations, 0 to 1."""
        logits = self._model.readout.project(self._vectors([End(name)]))[0]
        return float(((logits - logits.mean()).abs() > 3 * logits.std(correction=0)).float().mean())

    def texts(self, end: End, limit: int) -> tuple[str, ...]:
        """Texts of the tokens, strongest first."""
        return tuple(self._model.vocabulary.text(i) for i in self._top(end, limit)[1][:limit])

    def tokens(self, end: End, limit: int) -> tuple[PromotedToken, ...]:
        """The tokens with ids and logits, strongest first."""
        values, indices = self._top(end, limit)
        sign = -1.0 if end.negative else 1.0
        return tuple(
            PromotedToken(id=i, text=self._model.vocabulary.text(i), logit=sign * value)
            for value, i in zip(values[:limit], indices[:limit], strict=True)
        )

    def _top(self, end: End, limit: int) -> tuple[Sequence[float], Sequence[int]]:
        with self._lock:
            self.remember([end], limit)
            return self._known[end]
