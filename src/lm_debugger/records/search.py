"""What a search of the weights is asked, and what it is answered with: the keywords' forms, the vectors found."""

from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, PlainSerializer, PlainValidator, model_validator

from lm_debugger.errors import OptionError
from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.names import UnitName, read_unit
from lm_debugger.records.options import Options

MOST_RESULTS = 1000

Sign = Literal["+", "-"]
AnySign = Literal["+", "-", "both"]
Combine = Literal["all", "any"]
Measure = Literal["z", "cosine", "share"]


def _unit(given: object) -> object:
    return read_unit(given) if isinstance(given, str) else given


Unit = Annotated[UnitName, PlainValidator(_unit), PlainSerializer(str, return_type=str)]


class Query(Options):
    """What is searched for: keywords, or the likes of one vector.

    Args:
        keywords: with commas between: `teacher, school`, `teach*`, `"New York"`, `/^ un.*able$/`.
        unwanted: keywords that count against a vector.
        match: `all` for the mean z over the keywords, `any` for the largest.
        skip: keys of forms of the keywords that do not count (see the answer's `keywords`).
        like: a vector, instead of keywords.

    Raises:
        OptionError: if both keywords and a vector are given.
    """

    keywords: str = ""
    unwanted: str = ""
    match: Combine = "all"
    skip: tuple[str, ...] = ()
    like: Unit | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        words = bool(self.keywords.strip() or self.unwanted.strip())
        if words and self.like is not None:
            raise OptionError("Both keywords and a vector are given.", "Search for one of them.")
        return self


class Filter(Options):
    """Which vectors may be found.

    Args:
        layers: only these; None for all.
        sign: only vectors that do it with a coefficient of this sign; `both` for either.
        expert: only the experts of this index.
        among: only these vectors.
        limit: at most so many results.
    """

    layers: InstanceOf[range] | None = None
    sign: AnySign = "both"
    expert: int | None = None
    among: tuple[Unit, ...] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 20


class WordForm(Record):
    """One way in which the vocabulary writes a keyword: a token, or several that follow each other.

    Args:
        key: names the form: its token ids joined by dots, such as `345` or `345.99`.
        text: the form's text.
        used: whether it takes part in the search.
    """

    key: str
    text: str
    used: bool = True


class Keyword(Record):
    """A keyword and all its forms.

    Args:
        text: as the user wrote it.
        unwanted: whether it counts against a vector.
    """

    text: str
    unwanted: bool
    forms: tuple[WordForm, ...]


class Match(Record):
    """How strongly a vector writes one keyword, by its strongest form.

    Args:
        text: the form's text.
        key: the form's key.
        z: the form's logit in the vector's projection, in standard deviations over the vocabulary from its mean; of a
            form of several tokens, the mean of theirs. Positive: the vector promotes it.
        rank: place of the form (of its last token in rank) among all tokens, from 1, in the direction of the result's
            sign.
    """

    text: str
    key: str
    z: float
    rank: int


class SearchResult(Record):
    """A value vector that was found.

    Args:
        value: its name, such as `L12D345`.
        layer, expert, dimension: the parts of its name.
        z: the mean z of its keywords, minus that of unwanted ones; None where the search is not for keywords.
        score: what results are ordered by, largest size first: z, cosine or share (see the answer's `measure`).
            Like z it has the vector's own sign.
        sign: the sign of the coefficient with which the vector does what was searched for.
        tokens: for each keyword its strongest form.
        promotes: the tokens that the vector promotes with a coefficient of that sign, strongest first.
        name: the user's name for the vector, or None.
    """

    value: str
    layer: int
    expert: int | None
    dimension: int
    z: float | None
    score: float
    sign: Sign
    tokens: tuple[Match, ...]
    promotes: tuple[str, ...]
    name: str | None = None


class LayerHits(Record):
    """How many of the strongest vectors of the whole network lie in a layer, and how strong its best is."""

    layer: int
    hits: int
    strongest: float


class SearchAnswer(Record):
    """The answer to a search.

    Args:
        query: what was searched for, as text.
        measure: what scores are. `z`: standard deviations of a logit over the vocabulary; `cosine`: with a vector;
            `share`: the part of a residual stream's read-out (or of a difference of two) that the vector writes.
        keywords: how the keywords were understood.
        results: the vectors found, strongest first.
        searched: number of vectors that were compared: all that the filters let through.
        strongest: number of vectors that `layers` counts.
        layers: where in the network what was searched for lives.
        lens: through which the vectors are seen.
    """

    query: str
    measure: Measure
    keywords: tuple[Keyword, ...]
    results: tuple[SearchResult, ...]
    searched: int
    strongest: int
    layers: tuple[LayerHits, ...]
    lens: str = LOGIT
