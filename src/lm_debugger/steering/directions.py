"""What a named direction is in one model: vectors at length 1, for each of its layers.

A word is the direction by which the read-out reads it at that layer, less the mean over the vocabulary, which moves no
token against another: through a Jacobian lens J_ℓᵀ · d (Gurnee et al. 2026), by the logit lens d. A word of several
tokens is their mean. The difference of two prompts is that of their streams there, at their last tokens (Turner et al.
2023, arXiv 2308.10248). Sums are of directions at length 1.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import EditError
from lm_debugger.lenses.book import LensBook, Named
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionName, Term
from lm_debugger.records.edit import Edit
from lm_debugger.source.words import tokens_of
from lm_debugger.steering import kept
from lm_debugger.steering.lengths import typical_lengths
from lm_debugger.units.stream import Along
from lm_debugger.work import Work

REMEMBERED = 64
ROWS = 8192  # directions of tokens at once
NOTHING = 1e-6  # of a length 1: two directions that take each other away
_SEEDS = 1_000_003  # apart, so that the layers of two seeds have nothing in common


class Directions:
    """The directions of one model.

    Args:
        model: the model.
        lenses: by which words become directions.
    """

    def __init__(self, model: LoadedModel, lenses: LensBook) -> None:
        self._model = model
        self._lenses = lenses
        self._known: OrderedDict[tuple[DirectionName, str], Along] = OrderedDict()

    def settled(self, edits: Sequence[Edit], work: Work) -> tuple[Edit, ...]:
        """The edits with the numbers of their directions.

        Raises:
            EditError: if a direction has no length, or names what is not kept.
            LensError: if it names a lens that is not kept.
        """
        return tuple(
            edit.model_copy(update={"along": self.along(edit.value, work)})
            if isinstance(edit.value, DirectionName) and edit.along is None
            else edit
            for edit in edits
        )

    def known(self, edits: Sequence[Edit]) -> bool:
        """Whether the numbers of all their directions are in memory."""
        names = [edit.value for edit in edits if isinstance(edit.value, DirectionName)]
        return all(self._lenses.held(name.lens) is not None and self._key(name) in self._known for name in names)

    def _key(self, name: DirectionName) -> tuple[DirectionName, str]:
        """The name, and what changes with its numbers."""
        if name.kind == "kept":
            return name, kept.stamp(self._model.fingerprint, name.terms[0].text)
        return name, self._lenses.reading(name.lens).lens.key

    @torch.no_grad()
    def along(self, name: DirectionName, work: Work) -> Along:
        """The numbers of a direction; of layers that the model does not have there are none.

        Raises:
            EditError, LensError, PromptError: as `settled`.
        """
        key = self._key(name)
        found = self._known.pop(key, None)
        if found is None:
            found = self._measured(name, self._lenses.reading(name.lens), work)
        self._known[key] = found
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _measured(self, name: DirectionName, reading: Reading, work: Work) -> Along:
        layers = [layer for layer in name.layers if layer < self._model.layers]
        vectors = {
            layer: rows.cpu() for layer, rows in zip(layers, self._rows(name, reading, layers, work), strict=True)
        }
        digest = hashlib.sha256(f"{name}".encode())
        for rows in vectors.values():
            digest.update(rows.contiguous().numpy().tobytes())
        lengths = typical_lengths(self._model, work)
        return Along(digest.hexdigest(), vectors, {layer: lengths[layer] for layer in layers})

    def _rows(self, name: DirectionName, reading: Reading, layers: Sequence[int], work: Work) -> list[Tensor]:
        """For each layer the directions (1 or 2, hidden) at length 1."""
        if name.kind == "kept":
            found = kept.read(self._model, name.terms[0].text, layers)
            return [self._at_one(name, vector)[None] for vector in found]
        if name.kind == "prompts":
            return [self._at_one(name, vector)[None] for vector in self._apart(name, layers, work)]
        if name.kind == "swap":
            each = [torch.stack([self._term(term, reading, layer) for term in name.terms]) for layer in layers]
            for rows in each:
                self._at_one(name, rows[0] - rows[1])
            return each
        return [self._sum(name, name.terms, reading, layer)[None] for layer in layers]

    @torch.no_grad()
    def of_terms(self, terms: Sequence[Term], lens: Named | None, layers: Sequence[int]) -> dict[int, Tensor]:
        """The sum of words' directions at layers, at length 1: (hidden,) each; through a lens, None for the default.

        Raises:
            EditError, LensError, OptionError: as `settled`.
        """
        reading = self._lenses.reading(lens)
        return {layer: self._sum("The sum of these words", terms, reading, layer) for layer in layers}

    def _sum(self, name: object, terms: Sequence[Term], reading: Reading, layer: int) -> Tensor:
        rows = torch.stack([self._term(term, reading, layer) for term in terms])
        return self._at_one(name, torch.tensor([float(term.sign) for term in terms]) @ rows)

    def _term(self, term: Term, reading: Reading, layer: int) -> Tensor:
        """A word's or a random direction at length 1: (hidden,), float32, on the CPU."""
        if term.random:
            return random_direction(self._model.anatomy.hidden_size, int(term.text), layer)
        ids = tokens_of(self._model.vocabulary, term.text, self._model.readout.vocabulary)
        plain = self._model.readout.directions(torch.tensor(ids)).mean(0).float().cpu()
        return self._at_one(term, reading.lens.adjoint(plain - self._mean, layer))

    @cached_property
    def _mean(self) -> Tensor:
        """The mean of all tokens' directions at the read-out's input: (hidden,), float32, on the CPU."""
        readout = self._model.readout
        total = torch.zeros(self._model.anatomy.hidden_size, dtype=torch.float64)
        for first in range(0, readout.vocabulary, ROWS):
            total += readout.directions(slice(first, first + ROWS)).double().sum(0).cpu()
        return (total / readout.vocabulary).float()

    def _apart(self, name: DirectionName, layers: Sequence[int], work: Work) -> list[Tensor]:
        """The streams of the second prompt less those of the first."""
        texts = [tuple(self._model.vocabulary.encode(term.text)) for term in name.terms]
        for text in texts:
            self._model.check_length(len(text))
        sites = [self._model.anatomy.layers[layer].after for layer in layers]
        taps = list(dict.fromkeys(sites))
        one, other = self._model.engine.observe([Pass(text) for text in texts], taps, work=work)
        return [(other[site][-1].float() - one[site][-1].float()).cpu() for site in sites]

    def _at_one(self, name: object, vector: Tensor) -> Tensor:
        length = float(vector.norm())
        if not length > NOTHING:
            raise EditError(f"{name} has no length in this model.", "Choose another direction: this one is nothing.")
        return vector.float() / length


def random_direction(hidden: int, seed: int, layer: int) -> Tensor:
    """A random direction at length 1: (hidden,), float32. Each layer has its own."""
    generator = torch.Generator().manual_seed((seed * _SEEDS + layer) % (1 << 63))
    return torch.nn.functional.normalize(torch.randn(hidden, generator=generator), dim=0)
