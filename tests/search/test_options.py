"""Options as records: one statement of their bounds, in whatever way they come."""

from collections.abc import Callable

import pytest

from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.records.generation import Sampling
from lm_debugger.records.names import ValueName
from lm_debugger.records.search import Filter, Query
from tests.tiny import shared


@pytest.mark.parametrize(
    ("make", "what", "cure"),
    [
        (lambda: Filter(limit=0), "limit is 0.", "from 1 to 1000"),
        (lambda: Filter(limit=1001), "limit is 1001.", "from 1 to 1000"),
        (lambda: Filter(sign="*"), "sign is '*'.", "+, - or both"),
        (lambda: Query(match="some"), "match is 'some'.", "all or any"),
        (lambda: Query(keywords="x", like=ValueName(1, 2)), "Both keywords and a vector", "one of them"),
        (lambda: Query(keyword="x"), "no option 'keyword'", "keywords, unwanted"),
        (lambda: Sampling(temperature=-1.0), "temperature is -1.0.", "from 0 to 100"),
        (lambda: Sampling(temperature=1e-320), "temperature is 1e-320.", "0 (greedy) or at least"),
        (lambda: Sampling(temperature=float("nan")), "temperature is nan.", "from 0 to 100"),
        (lambda: Sampling(top_k=0), "top_k is 0.", "from 1 to"),
        (lambda: Sampling(top_p=0.0), "top_p is 0.0.", "above 0 and at most 1"),
        (lambda: Sampling(seed=-1), "seed is -1.", "at least 0"),
    ],
)
def test_what_is_out_of_bounds_is_named_with_its_bounds(make: Callable[[], object], what: str, cure: str) -> None:
    with pytest.raises(OptionError) as refused:
        make()
    assert what in refused.value.what
    assert cure in refused.value.cure


def test_a_vector_is_read_from_its_text() -> None:
    assert Query(like="l1d2").like == ValueName(1, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueNameError):
        Query(like="nothing")  # type: ignore[arg-type]


def test_records_search_as_words_do() -> None:
    tiny = shared("llama")
    expected = tiny.search("w7", unwanted="w9", layers="1-2", sign="-", limit=5)
    sought, among = Query(keywords="w7", unwanted="w9"), Filter(layers=range(1, 3), sign="-", limit=5)
    assert tiny.find_values(sought, among) == expected
    place = tiny.place([5, 6, 7])
    assert tiny.find_writers(place, Filter(limit=3)) == tiny.writers(place, limit=3)
