"""Searches the weights: every value vector is scored, none is left out, and nothing is prepared but the statistics.

1. What is looked for becomes a few directions in the residual stream (`search.directions`).
2. One product of the directions with the weights in place gives all scores (`search.statistics`: divided by the
   vector's deviation they are z-scores of its logits).
3. The strongest are kept (`search.scan`), each with the tokens that it promotes.

A score has the sign of the vector's own projection; the strength by which results are ordered is its size.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from lm_debugger.lenses.lens import LOGIT_LENS, Lens
from lm_debugger.lenses.projection import End
from lm_debugger.lenses.reading import Reading
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.names import UnitName, numbered
from lm_debugger.records.search import Filter, Keyword, Match, Measure, Query, SearchAnswer, SearchResult
from lm_debugger.records.value import SimilarValue
from lm_debugger.search import statistics
from lm_debugger.search.directions import Directions, understood
from lm_debugger.search.keywords import Forms
from lm_debugger.search.scan import Found, Score, check, scan
from lm_debugger.search.statistics import Statistics
from lm_debugger.units.blocks import Block
from lm_debugger.units.layout import Layout
from lm_debugger.work import UNWATCHED, Work

PROMOTED = 10  # tokens listed with each result


class Index:
    """The value vectors of one model as something to search.

    Args:
        source: the weights.
        plain: the model through the logit lens.
    """

    def __init__(self, source: ValueSource, plain: Reading) -> None:
        self._source = source
        self._plain = plain
        self._statistics: dict[str, Statistics] = {}
        self._means: dict[str, Tensor] = {}
        self._norms: Tensor | None = None
        self.layout = Layout(source)

    @cached_property
    def _forms(self) -> Forms:
        return Forms(self._source.vocabulary, self._source.readout.vocabulary)

    def norms(self, work: Work = UNWATCHED) -> Tensor:
        """The lengths of all vectors (vectors,), float32; of a vector of length 0, next to nothing. Measured once."""
        if self._norms is None:
            lengths: list[Tensor] = []
            done = 0
            for block in self._source.value_blocks():
                for vectors in block.pieces():
                    work("Measuring all vectors", done, self.layout.vectors)
                    lengths.append(vectors.norm(dim=-1).cpu())
                    done += len(vectors)
            self._norms = torch.cat(lengths).clamp_min(1e-30)
        return self._norms

    def prepared(self, lens: Lens = LOGIT_LENS) -> bool:
        """Whether the statistics for a lens are in memory."""
        return lens.key in self._statistics

    def statistics(self, work: Work = UNWATCHED, lens: Lens = LOGIT_LENS) -> Statistics:
        """The statistics of vectors seen through a lens: known, from the cache, or measured now."""
        if lens.key not in self._statistics:
            known = statistics.cached(self._source, self.layout, lens)
            if known is None:
                plain = None if lens is LOGIT_LENS else self.statistics(work)
                known = statistics.measure(self._source, self.layout, work, lens, plain)
            self._statistics[lens.key] = known
        return self._statistics[lens.key]

    def _mean(self, known: Statistics, reading: Reading) -> Tensor:
        """The mean direction over the vocabulary at every layer: (layers, hidden)."""
        if reading.lens.key not in self._means:
            self._means[reading.lens.key] = reading.everywhere(known.mean)
        return self._means[reading.lens.key]

    def search(
        self, query: Query, among: Filter, work: Work = UNWATCHED, reading: Reading | None = None
    ) -> SearchAnswer:
        """The vectors that write keywords, or those like one vector; see the file's first lines.

        Args:
            reading: the model through a lens, by which a vector writes what it makes the model say through all later
                layers; the logit lens if left out.

        Raises:
            OptionError: if a keyword cannot be read or matches nothing, or the filter cannot be met.
            CancelledError: if cancelled.
        """
        check(among, self._source)
        reading = reading or self._plain
        if query.like is None:
            return self._keywords(query, among, work, reading)
        return self._like(query.like, among, work, reading)

    @torch.no_grad()
    def _keywords(self, query: Query, among: Filter, work: Work, reading: Reading) -> SearchAnswer:
        keywords = understood(query, self._forms, work)
        known = self.statistics(work, reading.lens)
        directions = Directions(keywords, reading, self._mean(known, reading))
        rows = directions.rows

        def score(block: Block, place: slice) -> tuple[Tensor, Tensor]:
            products = block.products(rows[block.layer].to(block.matrix.device)).cpu()
            return directions.scores(products / known.deviations[place], query.match)

        found = scan(self._source, self.layout, score, among, work)
        ends = self._ends(found)
        matches: list[tuple[Match, ...]] = []
        if ends:
            products = [rows[end.name.layer] @ self._source.vector(end.name).to(rows.device) for end in ends]
            z = torch.stack(products, 1).cpu() / known.deviations[found.numbers]
            matches = directions.matches(z, ends, reading.projections, self._forms)
        asked = query.keywords.strip() + (f" without {query.unwanted.strip()}" if query.unwanted.strip() else "")
        return self._answer(asked, "z", found, ends, reading, keywords, matches)

    @torch.no_grad()
    def _like(self, name: UnitName, among: Filter, work: Work, reading: Reading) -> SearchAnswer:
        """The vectors closest to one, by the cosine in the residual stream; opposite ones are its like turned round."""
        itself = self.layout.number(name)
        direction = self._direction(name)
        norms = self.norms(work)

        def score(block: Block, place: slice) -> tuple[Tensor, Tensor]:
            cosine = block.products(direction.to(block.matrix.device))[0].cpu() / norms[place]
            if place.start <= itself < place.stop:
                cosine[itself - place.start] = 0  # nothing is like itself
            return cosine, -cosine

        found = scan(self._source, self.layout, score, among, work)
        return self._answer(f"like {name}", "cosine", found, self._ends(found), reading)

    @torch.no_grad()
    def neighbours(
        self, name: UnitName, limit: int, work: Work = UNWATCHED, reading: Reading | None = None
    ) -> tuple[tuple[SimilarValue, ...], tuple[SimilarValue, ...]]:
        """The vectors with the largest cosine with one, and those with the smallest; at most `limit` of each."""
        projections = (reading or self._plain).projections
        itself = self.layout.number(name)
        direction = self._direction(name)
        norms = self.norms(work)
        cosines = torch.empty(self.layout.vectors)
        done = 0
        for block in self._source.value_blocks():
            work("Searching all vectors", done, self.layout.vectors)
            cosines[done : done + len(block)] = block.products(direction.to(block.matrix.device))[0].cpu()
            done += len(block)
        cosines /= norms
        limit = min(limit, self.layout.vectors - 1)
        found = []
        for largest in (True, False):
            cosines[itself] = -torch.inf if largest else torch.inf
            best = cosines.topk(limit, largest=largest)
            names = [self.layout.name(number) for number in best.indices.tolist()]
            projections.remember(map(End, names), PROMOTED)
            found.append(
                tuple(
                    SimilarValue(value=str(n), cosine=c, promotes=projections.texts(End(n), PROMOTED))
                    for n, c in zip(names, best.values.tolist(), strict=True)
                )
            )
        return found[0], found[1]

    def _direction(self, name: UnitName) -> Tensor:
        """A vector at length 1: (1, hidden)."""
        return torch.nn.functional.normalize(self._source.vector(name)[None], dim=-1)

    def portions(
        self,
        what: str,
        score: Score,
        negative: Callable[[int], bool],
        among: Filter,
        work: Work,
        reading: Reading | None = None,
    ) -> SearchAnswer:
        """The vectors with the largest portions of something, as another room scores them.

        Args:
            what: the query, as text.
            score: a block's portions, and the same negated.
            negative: whether the coefficient of a vector, by number, is negative.
        """
        check(among, self._source)
        found = scan(self._source, self.layout, score, among, work)
        ends = [End(self.layout.name(number), negative(number)) for number in found.numbers]
        return self._answer(what, "share", found, ends, reading or self._plain)

    def _ends(self, found: Found) -> list[End]:
        return [End(self.layout.name(n), turned) for n, turned in zip(found.numbers, found.turned, strict=True)]

    def _answer(
        self,
        query: str,
        measure: Measure,
        found: Found,
        ends: Sequence[End],
        reading: Reading,
        keywords: Sequence[Keyword] = (),
        matches: Sequence[tuple[Match, ...]] = (),
    ) -> SearchAnswer:
        reading.projections.remember(ends, PROMOTED)
        results = tuple(
            SearchResult(
                value=str(end.name),
                layer=end.name.layer,
                expert=numbered(end.name, "E"),
                dimension=end.name.numbers[-1],
                z=score if measure == "z" else None,
                score=score,
                sign="-" if end.negative else "+",
                tokens=written,
                promotes=reading.projections.texts(end, PROMOTED),
            )
            for end, score, written in zip(ends, found.scores, matches or [()] * len(ends), strict=True)
        )
        return SearchAnswer(
            query=query,
            measure=measure,
            keywords=tuple(keywords),
            results=results,
            searched=found.searched,
            strongest=found.counted,
            layers=found.layers,
            lens=reading.name,
        )
