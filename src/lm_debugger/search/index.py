"""Searches the weights: every value vector is scored, none is left out, and nothing is prepared but the statistics.

1. What is looked for becomes a few directions in the residual stream. For a token it is the read-out's direction less
   its mean over the vocabulary; for a form of several tokens the mean of theirs.
2. One product of the directions with the weights in place gives all scores (`values.statistics`: divided by the
   vector's deviation they are z-scores of its logits).
3. A keyword's z is that of its strongest form, a vector's the mean over the keywords (or the largest), less the same
   of unwanted ones. A negative coefficient turns a vector round, so both sides of it compete.

A score has the sign of the vector's own projection; the strength by which results are ordered is its size.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.projection import Projections, Side
from lm_debugger.lenses.source import ValueSource
from lm_debugger.progress import Progress, silent, stop_if_cancelled
from lm_debugger.records.names import UnitName, numbered
from lm_debugger.records.search import Form, Keyword, LayerHits, Match, Measure, SearchAnswer, SearchResult, Sign
from lm_debugger.records.value import SimilarValue
from lm_debugger.search import statistics
from lm_debugger.search.keywords import MOST, Forms, parse
from lm_debugger.search.statistics import Statistics
from lm_debugger.units.blocks import Block
from lm_debugger.units.layout import Layout

STRONGEST = 100  # vectors whose layers are counted
PROMOTED = 10  # tokens listed with each result
MOST_RESULTS = 1000

Combine = Literal["all", "any"]
# Scores of a block's vectors on their own side and turned round: (vectors,) each.
Score = Callable[[Block, slice], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Filter:
    """Which vectors may be found.

    Args:
        layers: only these; None for all.
        sign: only vectors that do it with a coefficient of this sign; `both` for either.
        expert: only the experts of this index.
        among: only these vectors.
        limit: at most so many results.
    """

    layers: range | None = None
    sign: Sign | Literal["both"] = "both"
    expert: int | None = None
    among: Sequence[UnitName] | None = None
    limit: int = 20

    def check(self, source: ValueSource) -> None:
        """Raise OptionError if the filter cannot be met by this model."""
        if not 1 <= self.limit <= MOST_RESULTS:
            raise OptionError(f"limit is {self.limit}.", f"It must be from 1 to {MOST_RESULTS}.")
        if self.sign not in ("+", "-", "both"):
            raise OptionError(f"{self.sign!r} is no sign.", "Use +, - or both.")
        if self.layers is not None and not 0 <= self.layers.start < self.layers.stop <= source.layers:
            last = source.layers - 1
            raise OptionError(
                f"There are no layers {self.layers.start} to {self.layers.stop - 1}.", f"Use layers 0 to {last}."
            )
        if self.expert is not None:
            sizes = (
                dict(zip(e.letters, e.sizes, strict=True)) for at in range(source.layers) for e in source.vectors(at)
            )
            most = max((size.get("E", 0) for size in sizes), default=0)
            if not 0 <= self.expert < most:
                cure = f"Use experts 0 to {most - 1}." if most else "Leave the expert out."
                raise OptionError(f"The model has no expert {self.expert}.", cure)


class _Sought(NamedTuple):
    """A keyword's forms that count, and where their directions are."""

    unwanted: bool
    forms: list[tuple[int, ...]]
    rows: slice


class _Found(NamedTuple):
    """Vectors by number, strongest first, with their strengths and whether they are turned round."""

    numbers: list[int]
    strengths: list[float]
    turned: list[bool]
    searched: int
    layers: tuple[LayerHits, ...]
    counted: int


class Index:
    """The value vectors of one model as something to search.

    Args:
        source: the weights.
        projections: memory of promoted tokens, shared with whoever shows vectors.
    """

    def __init__(self, source: ValueSource, projections: Projections) -> None:
        self._source = source
        self._projections = projections
        self._statistics: Statistics | None = None
        self.layout = Layout(source)

    @cached_property
    def _forms(self) -> Forms:
        return Forms(self._source.vocabulary, self._source.readout.vocabulary)

    @cached_property
    def norms(self) -> Tensor:
        """The lengths of all vectors (vectors,), float32; of a vector of length 0, next to nothing."""
        lengths = [v.norm(dim=-1).cpu() for block in self._source.value_blocks() for v in block.pieces()]
        return torch.cat(lengths).clamp_min(1e-30)

    @property
    def prepared(self) -> bool:
        """Whether the statistics are in memory."""
        return self._statistics is not None

    def statistics(self, progress: Progress = silent, cancel: threading.Event | None = None) -> Statistics:
        """The statistics: known, from the cache, or measured now."""
        if self._statistics is None:
            known = statistics.cached(self._source, self.layout)
            self._statistics = known or statistics.measure(self._source, self.layout, progress, cancel)
        return self._statistics

    @torch.no_grad()
    def keywords(
        self,
        query: str,
        unwanted: str = "",
        *,
        combine: Combine = "all",
        skip: Sequence[str] = (),
        among: Filter | None = None,
        progress: Progress = silent,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """The vectors that write keywords; see the file's first lines.

        Args:
            query: keywords, as `values.keywords` reads them.
            unwanted: keywords that count against a vector.
            combine: `all` for the mean over the keywords, `any` for the strongest alone.
            skip: keys of forms that do not count.
            among: which vectors may be found.

        Raises:
            OptionError: if a keyword cannot be read or matches nothing, or the filter cannot be met.
            CancelledError: if cancelled.
        """
        among = among or Filter()
        among.check(self._source)
        if combine not in ("all", "any"):
            raise OptionError(f"match is {combine!r}.", "Use all or any.")
        keywords = [*self._understood(query, False, skip), *self._understood(unwanted, True, skip)]
        if not any(not keyword.unwanted for keyword in keywords):
            raise OptionError("There is no keyword.", "Write words to search for, such as: teacher, school.")
        sought, directions = self._sought(keywords, progress, cancel)
        known = self.statistics()

        def score(block: Block, place: slice) -> tuple[Tensor, Tensor]:
            products = block.products(directions.to(block.matrix.device)).cpu()
            return _combined(sought, products / known.deviations[place], combine)

        found = self._strongest(score, among, progress, cancel)
        sides = [Side(self.layout.name(n), turned) for n, turned in zip(found.numbers, found.turned, strict=True)]
        matches = self._matches(sought, directions, found.numbers, sides)
        asked = query.strip() + (f" without {unwanted.strip()}" if unwanted.strip() else "")
        return self._answer(asked, "z", found, sides, keywords, matches)

    @torch.no_grad()
    def like(
        self,
        name: UnitName,
        among: Filter,
        *,
        progress: Progress = silent,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """The vectors closest to one, by the cosine in the residual stream; opposite ones are its like turned round."""
        among.check(self._source)
        itself = self.layout.number(name)
        direction = self._direction(name)

        def score(block: Block, place: slice) -> tuple[Tensor, Tensor]:
            cosine = block.products(direction.to(block.matrix.device))[0].cpu() / self.norms[place]
            if place.start <= itself < place.stop:
                cosine[itself - place.start] = 0  # nothing is like itself
            return cosine, -cosine

        found = self._strongest(score, among, progress, cancel)
        sides = [Side(self.layout.name(n), turned) for n, turned in zip(found.numbers, found.turned, strict=True)]
        return self._answer(f"like {name}", "cosine", found, sides)

    @torch.no_grad()
    def neighbours(self, name: UnitName, limit: int) -> tuple[tuple[SimilarValue, ...], tuple[SimilarValue, ...]]:
        """The vectors with the largest cosine with one, and those with the smallest; at most `limit` of each."""
        itself = self.layout.number(name)
        direction = self._direction(name)
        cosines = torch.cat([b.products(direction.to(b.matrix.device))[0].cpu() for b in self._source.value_blocks()])
        cosines /= self.norms
        limit = min(limit, self.layout.vectors - 1)
        sides = []
        for largest in (True, False):
            cosines[itself] = -torch.inf if largest else torch.inf
            best = cosines.topk(limit, largest=largest)
            names = [self.layout.name(number) for number in best.indices.tolist()]
            self._projections.remember(map(Side, names), PROMOTED)
            sides.append(
                tuple(
                    SimilarValue(value=str(n), cosine=c, promotes=self._projections.texts(Side(n), PROMOTED))
                    for n, c in zip(names, best.values.tolist(), strict=True)
                )
            )
        return sides[0], sides[1]

    def _direction(self, name: UnitName) -> Tensor:
        """A vector at length 1: (1, hidden)."""
        return torch.nn.functional.normalize(self._source.vector(name)[None], dim=-1)

    def shares(
        self,
        what: str,
        score: Score,
        signs: Callable[[int], bool],
        among: Filter,
        *,
        progress: Progress = silent,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """The vectors with the largest shares of something, as another room scores them.

        Args:
            what: the query, as text.
            score: a block's shares, and the same negated.
            signs: whether the coefficient of a vector, by number, is negative.
        """
        among.check(self._source)
        found = self._strongest(score, among, progress, cancel)
        sides = [Side(self.layout.name(n), signs(n)) for n in found.numbers]
        return self._answer(what, "share", found, sides)

    def _understood(self, query: str, unwanted: bool, skip: Sequence[str]) -> list[Keyword]:
        found = []
        for pattern in parse(query):
            forms = [
                Form(key=key, text=self._forms.text(form), used=key not in skip)
                for form in self._forms.find(pattern)
                for key in [_key(form)]
            ]
            if not any(form.used for form in forms):
                raise OptionError(f"No form of {pattern.text} is left.", "Keep one, or leave the keyword out.")
            found.append(Keyword(text=pattern.text, unwanted=unwanted, forms=tuple(forms)))
        return found

    def _sought(
        self, keywords: Sequence[Keyword], progress: Progress, cancel: threading.Event | None
    ) -> tuple[list[_Sought], Tensor]:
        """What to look for, and the directions of all forms: (forms, hidden)."""
        sought: list[_Sought] = []
        rows: list[Tensor] = []
        for keyword in keywords:
            forms = [tuple(map(int, form.key.split("."))) for form in keyword.forms if form.used]
            place = slice(len(rows), len(rows) + len(forms))
            if place.stop > MOST:
                raise OptionError(f"The keywords have more than {MOST} forms together.", "Write something narrower.")
            rows.extend(self._source.readout.directions(torch.tensor(form)).mean(0) for form in forms)
            sought.append(_Sought(keyword.unwanted, forms, place))
        directions = torch.stack(rows)
        return sought, directions - self.statistics(progress, cancel).mean.to(directions.device)

    def _strongest(self, score: Score, among: Filter, progress: Progress, cancel: threading.Event | None) -> _Found:
        """Score all vectors that the filter lets through."""
        strengths = torch.full((self.layout.vectors,), -torch.inf)
        turned = torch.zeros(self.layout.vectors, dtype=torch.bool)
        for block in self._source.value_blocks(among.layers):
            first = self.layout.number(block.name(0))
            place = slice(first, first + len(block))
            if among.expert is not None and numbered(block.name(0), "E") != among.expert:
                continue
            stop_if_cancelled(cancel)
            progress("Searching all vectors", first, self.layout.vectors)
            own, other = score(block, place)
            if among.sign == "both":
                torch.maximum(own, other, out=strengths[place])
                torch.gt(other, own, out=turned[place])
            else:
                strengths[place] = own if among.sign == "+" else other
                turned[place] = among.sign == "-"
        if among.among is not None:
            kept = torch.tensor([self.layout.number(name) for name in among.among], dtype=torch.long)
            only = torch.full_like(strengths, -torch.inf)
            only[kept] = strengths[kept]
            strengths = only
        return self._ranked(strengths, turned, among.limit)

    def _ranked(self, strengths: Tensor, turned: Tensor, limit: int) -> _Found:
        searched = int((strengths > -torch.inf).sum())
        top = strengths.topk(min(max(STRONGEST, limit), searched))
        counted = min(STRONGEST, searched)
        hits = torch.bincount(self.layout.layers(top.indices[:counted]), minlength=self._source.layers).tolist()
        best = [float(strengths[rows].max()) if rows.stop > rows.start else -torch.inf
                for rows in map(self.layout.rows, range(self._source.layers))]  # fmt: skip
        layers = tuple(
            LayerHits(layer=layer, hits=count, strongest=max(strongest, 0.0))
            for layer, (count, strongest) in enumerate(zip(hits, best, strict=True))
        )
        numbers = top.indices[:limit]
        return _Found(
            numbers.tolist(), top.values[:limit].tolist(), turned[numbers].tolist(), searched, layers, counted
        )

    def _matches(
        self, sought: Sequence[_Sought], directions: Tensor, numbers: Sequence[int], sides: Sequence[Side]
    ) -> list[tuple[Match, ...]]:
        """For each vector and keyword the strongest form on the vector's side."""
        if not sides:
            return []
        vectors = torch.stack([self._source.vector(side.name) for side in sides])
        z = (directions @ vectors.T).cpu() / self.statistics().deviations[list(numbers)]
        signs = torch.tensor([-1.0 if side.negative else 1.0 for side in sides])
        rows = [keyword.rows.start + (z[keyword.rows] * signs).argmax(0) for keyword in sought]
        # One entry for each vector and keyword: the vector's column and the row of its strongest form.
        chosen = [(column, int(row[column])) for column in range(len(sides)) for row in rows]
        forms = [form for keyword in sought for form in keyword.forms]
        ranks = self._projections.ranks([(sides[column], forms[row]) for column, row in chosen])
        matches = [
            Match(text=self._forms.text(forms[row]), key=_key(forms[row]), z=float(z[row, column]), rank=rank)
            for (column, row), rank in zip(chosen, ranks, strict=True)
        ]
        return [tuple(matches[i : i + len(sought)]) for i in range(0, len(matches), len(sought))]

    def _answer(
        self,
        query: str,
        measure: Measure,
        found: _Found,
        sides: Sequence[Side],
        keywords: Sequence[Keyword] = (),
        matches: Sequence[tuple[Match, ...]] | None = None,
    ) -> SearchAnswer:
        self._projections.remember(sides, PROMOTED)
        results = []
        for place, side in enumerate(sides):
            score = -found.strengths[place] if found.turned[place] else found.strengths[place]
            results.append(
                SearchResult(
                    value=str(side.name),
                    layer=side.name.layer,
                    expert=numbered(side.name, "E"),
                    dimension=side.name.numbers[-1],
                    z=score if measure == "z" else None,
                    score=score,
                    sign="-" if side.negative else "+",
                    tokens=matches[place] if matches is not None else (),
                    promotes=self._projections.texts(side, PROMOTED),
                )
            )
        return SearchAnswer(
            query=query,
            measure=measure,
            keywords=tuple(keywords),
            results=tuple(results),
            searched=found.searched,
            strongest=found.counted,
            layers=found.layers,
        )


def _key(form: tuple[int, ...]) -> str:
    return ".".join(map(str, form))


def _combined(sought: Sequence[_Sought], z: Tensor, combine: Combine) -> tuple[Tensor, Tensor]:
    """Scores of vectors on their own side and turned round, from the z of all forms (forms, vectors)."""

    def over(kind: bool, best: Callable[[Tensor], Tensor]) -> Tensor | float:
        rows = [best(z[keyword.rows]) for keyword in sought if keyword.unwanted is kind]
        if not rows:
            return 0.0
        if len(rows) == 1:
            return rows[0]
        stacked = torch.stack(rows)
        return stacked.mean(0) if combine == "all" else stacked.amax(0)

    def side(best: Callable[[Tensor], Tensor]) -> Tensor:
        score, against = over(False, best), over(True, best)
        assert isinstance(score, Tensor)
        return score if isinstance(against, float) else score - against

    return side(lambda rows: rows.amax(0)), side(lambda rows: -rows.amin(0))
