"""How keywords are read, and which tokens they find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lm_debugger import Debugger
from lm_debugger.errors import OptionError
from lm_debugger.search.keywords import Forms, parse


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("teacher, school", [("plain", "teacher"), ("plain", "school")]),
        ("teach*", [("prefix", "teach")]),
        ("*", [("plain", "*")]),
        ('","', [("exact", ",")]),
        (r'"a\"b", "\n"', [("exact", 'a"b'), ("exact", "\n")]),
        ("/a,b/, x", [("regex", "a,b"), ("plain", "x")]),
        (r"/a\/b/i", [("regex", r"a\/b")]),
        (" ,, x ,", [("plain", "x")]),
        ('""', []),
        ('"open', [("plain", '"open')]),
        ("and/or", [("plain", "and/or")]),
    ],
)
def test_reading(query: str, expected: list[tuple[str, str]]) -> None:
    assert [(pattern.kind, pattern.what) for pattern in parse(query)] == expected


@given(st.text(max_size=60))
def test_nothing_that_is_typed_breaks_the_reading(query: str) -> None:
    try:
        patterns = parse(query)
    except OptionError:
        return
    assert all(pattern.what for pattern in patterns)


@pytest.fixture(scope="module")
def forms(demo: Debugger) -> Forms:
    return Forms(demo.model.vocabulary, demo.model.readout.vocabulary)


def texts(forms: Forms, query: str) -> set[str]:
    return {forms.text(form) for pattern in parse(query) for form in forms.find(pattern)}


def test_case_and_leading_space_do_not_matter(forms: Forms) -> None:
    assert texts(forms, "TEACHER") == {" teacher", " Teacher", "teacher", "Teacher"}


def test_quotes_mean_exactly(forms: Forms) -> None:
    assert texts(forms, '" teacher"') == {" teacher"}
    assert texts(forms, '","') == {","}
    assert texts(forms, r'"\n"') == {"\n"}


def test_a_prefix_finds_all_that_begin_so(forms: Forms) -> None:
    found = texts(forms, "teach*")
    assert {" teacher", " teaching", "Teach"} <= found
    assert all(text.strip().casefold().startswith("teach") for text in found)


def test_a_regular_expression_sees_spaces(forms: Forms) -> None:
    assert texts(forms, "/^ teacher$/") == {" teacher"}
    assert texts(forms, "/^ TEACHER$/i") == {" teacher", " Teacher"}


def test_a_phrase_is_cut_as_the_tokenizer_cuts_it(forms: Forms, demo: Debugger) -> None:
    (pattern,) = parse("New York")
    assert tuple(demo.model.vocabulary.encode(" New York")) in forms.find(pattern)
    assert texts(forms, "New York") >= {" New York", "New York"}


@pytest.mark.parametrize("query", ["zzzzzz*", "/^nothing such$/", "/./", "e*"])
def test_nothing_and_too_much_are_refused(forms: Forms, query: str) -> None:
    with pytest.raises(OptionError, match=r"No token|more than"):
        texts(forms, query)
