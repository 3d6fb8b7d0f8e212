"""Keywords as directions in the residual stream, and a vector's z from its products with them.

1. For a token the direction is the read-out's; for a form of several tokens the mean of theirs. Less the mean over the
   vocabulary and divided by a vector's deviation, their products with the vector are the forms' z.
2. A keyword's z is that of its strongest form, a vector's the mean over the keywords (or the largest), less the same
   of unwanted ones. A negative coefficient turns a vector round, so both sides of it compete.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.projection import End, Projections
from lm_debugger.lenses.reading import Reading
from lm_debugger.records.search import Combine, Keyword, Match, Query, WordForm
from lm_debugger.search.keywords import MOST, Forms, parse
from lm_debugger.work import UNWATCHED, Work


class _Wanted(NamedTuple):
    """A keyword's forms that count, and where their directions are."""

    unwanted: bool
    forms: list[tuple[int, ...]]
    rows: slice


def understood(query: Query, forms: Forms, work: Work = UNWATCHED) -> list[Keyword]:
    """The query's keywords with their forms.

    Raises:
        OptionError: if a keyword cannot be read or matches nothing, or none is left.
    """
    keywords = [
        *_with_forms(query.keywords, False, query.skip, forms, work),
        *_with_forms(query.unwanted, True, query.skip, forms, work),
    ]
    if all(keyword.unwanted for keyword in keywords):
        raise OptionError("There is no keyword.", "Write words to search for, such as: teacher, school.")
    return keywords


def _with_forms(text: str, unwanted: bool, skip: Sequence[str], vocabulary: Forms, work: Work) -> list[Keyword]:
    found = []
    for pattern in parse(text):
        forms = [
            WordForm(key=key, text=vocabulary.text(form), used=key not in skip)
            for form in vocabulary.find(pattern, work)
            for key in [_key(form)]
        ]
        if not any(form.used for form in forms):
            raise OptionError(f"No form of {pattern.text} is left.", "Keep one, or leave the keyword out.")
        found.append(Keyword(text=pattern.text, unwanted=unwanted, forms=tuple(forms)))
    return found


class Directions:
    """The directions of all forms of keywords.

    Args:
        keywords: at least one of them wanted.
        reading: the model through a lens.
        means: the mean direction over the vocabulary at every layer (layers, hidden), which is taken off.

    Attributes:
        rows: one for each form, at every layer: (layers, forms, hidden).

    Raises:
        OptionError: if there are too many forms.
    """

    def __init__(self, keywords: Sequence[Keyword], reading: Reading, means: Tensor) -> None:
        self._wanted: list[_Wanted] = []
        rows: list[Tensor] = []
        for keyword in keywords:
            forms = [tuple(map(int, form.key.split("."))) for form in keyword.forms if form.used]
            place = slice(len(rows), len(rows) + len(forms))
            if place.stop > MOST:
                raise OptionError(f"The keywords have more than {MOST} forms together.", "Write something narrower.")
            rows.extend(reading.form(form) for form in forms)
            self._wanted.append(_Wanted(keyword.unwanted, forms, place))
        self.rows = torch.stack(rows, 1) - means.to(rows[0].device)[:, None]

    def scores(self, z: Tensor, match: Combine) -> tuple[Tensor, Tensor]:
        """Scores of vectors on their own side and turned round, from the z of all forms (forms, vectors)."""

        def over(kind: bool, best: Callable[[Tensor], Tensor]) -> Tensor | float:
            rows = [best(z[keyword.rows]) for keyword in self._wanted if keyword.unwanted is kind]
            if not rows:
                return 0.0
            if len(rows) == 1:
                return rows[0]
            stacked = torch.stack(rows)
            return stacked.mean(0) if match == "all" else stacked.amax(0)

        def end(best: Callable[[Tensor], Tensor]) -> Tensor:
            score, against = over(False, best), over(True, best)
            assert isinstance(score, Tensor)
            return score if isinstance(against, float) else score - against

        return end(lambda rows: rows.amax(0)), end(lambda rows: -rows.amin(0))

    def matches(
        self, z: Tensor, ends: Sequence[End], projections: Projections, forms: Forms
    ) -> list[tuple[Match, ...]]:
        """For each vector and keyword the strongest form on the vector's side.

        Args:
            z: of all forms (forms, vectors).
            ends: the vectors, each with the side that counts.
        """
        if not ends:
            return []
        signs = torch.tensor([-1.0 if end.negative else 1.0 for end in ends])
        rows = [keyword.rows.start + (z[keyword.rows] * signs).argmax(0) for keyword in self._wanted]
        # One entry for each vector and keyword: the vector's column and the row of its strongest form.
        chosen = [(column, int(row[column])) for column in range(len(ends)) for row in rows]
        written = [form for keyword in self._wanted for form in keyword.forms]
        ranks = projections.ranks([(ends[column], written[row]) for column, row in chosen])
        matches = [
            Match(text=forms.text(written[row]), key=_key(written[row]), z=float(z[row, column]), rank=rank)
            for (column, row), rank in zip(chosen, ranks, strict=True)
        ]
        each = len(self._wanted)
        return [tuple(matches[i : i + each]) for i in range(0, len(matches), each)]


def _key(form: tuple[int, ...]) -> str:
    return ".".join(map(str, form))
