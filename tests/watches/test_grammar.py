"""The grammar of watches: what it reads, what it refuses and where, and that nothing breaks it."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lm_debugger.errors import WatchError
from lm_debugger.records import limits
from lm_debugger.watches.functions import FUNCTIONS, Kind
from lm_debugger.watches.grammar import parse, parse_condition

READ = {
    'p(" Paris")': 'p(" Paris")',
    "p(' Paris',base)": 'p(" Paris", base)',
    "RANK(' a') <= 3": 'rank(" a") <= 3',
    'logit(" Paris") - logit(" London")': 'logit(" Paris") - logit(" London")',
    "l12d345": "L12D345",
    "L1E2D3 * -2": "L1E2D3 * -2",
    "norm( AFTER )": "norm(after)",
    "kl(base) > 5%": "kl(base) > 0.05",
    'top() == " Paris"': 'top() == " Paris"',
    "1 - (2 - 3)": "1 - (2 - 3)",
    "1 - 2 - 3": "1 - 2 - 3",
    "-(1 + 2) * 3": "-(1 + 2) * 3",
    "not (1 < 2 and 2 < 3) or 3 < 4": "not (1 < 2 and 2 < 3) or 3 < 4",
    "(1 < 2 or 2 < 3) and 3 < 4": "(1 < 2 or 2 < 3) and 3 < 4",
    r"text() ~ /a\/b/i": r"text() ~ /a\/b/i",
    r'p("\n\"")': r'p("\n\"")',
    "p(#12)": "p(#12)",
}


@pytest.mark.parametrize(("text", "canonical"), READ.items())
def test_it_reads(text: str, canonical: str) -> None:
    found = parse(text)
    assert str(found) == canonical
    assert str(parse(canonical)) == canonical


# For each text the character that is to blame, and a word of what is said of it.
REFUSED = {
    "": (0, "empty"),
    'p(" Paris"': (10, "too early"),
    "p(Paris)": (2, "quotes"),
    'p(" Paris': (2, "no end"),
    "pp(' a')": (0, "Did you mean p("),
    "norm(later)": (5, "norm(after)"),
    "norm(after, before)": (12, "1 argument"),
    "1 < 2 < 3": (6, "'<'"),
    "p(' a') > ' b'": (8, "different kinds"),
    "top() < ' b'": (6, "no order"),
    "p(' a') = 3": (8, "=="),
    "L1X3": (0, "L12D345"),
    "1 and 2 < 3": (0, "comparison"),
    "-(1 < 2)": (2, "number"),
    "3 $ 4": (2, "$"),
    "text() ~ she": (9, "pattern"),
    "p(' a') ~ /b/": (0, "text"),
    "9e99": (0, "too large"),
    "' a' == ' b'": (0, "same at every step"),
    "__import__('os')": (0, "no function"),
    "().__class__": (1, "cannot stand"),
}


@pytest.mark.parametrize(("text", "blame"), REFUSED.items())
def test_it_points_at_the_character(text: str, blame: tuple[int, str]) -> None:
    with pytest.raises(WatchError) as caught:
        parse(text)
    assert (caught.value.at, blame[1] in str(caught.value)) == (blame[0], True), str(caught.value)
    assert caught.value.cure


def test_short_forms_of_conditions() -> None:
    assert str(parse_condition(' " he" ')) == 'token() == " he"'
    assert str(parse_condition("/she|he/i")) == "text() ~ /she|he/i"
    assert str(parse_condition("differs")) == "top() != top(base)"
    with pytest.raises(WatchError, match="no condition"):
        parse_condition("entropy()")


def refusal(read: Callable[[str], object], text: str) -> WatchError | None:
    """What is wrong with a text, if something is."""
    try:
        read(text)
    except WatchError as error:
        return error
    return None


numbers = st.floats(0, 1e6, allow_nan=False).map(lambda number: repr(round(number, 3)))
words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)
tokens = words.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
leaves = st.one_of(
    numbers,
    st.just("L1D2"),
    st.just("entropy(base)"),
    st.just("norm(ffn)"),
    st.builds("{}({})".format, st.sampled_from(["p", "rank", "logit"]), tokens),
)
arithmetic = st.recursive(
    leaves,
    lambda inside: st.one_of(
        st.builds("({} {} {})".format, inside, st.sampled_from("+-*/"), inside),
        inside.map("-{}".format),
        inside.map("abs({})".format),
    ),
    max_leaves=8,
)
truths = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, arithmetic, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic),
        tokens.map("top() == {}".format),
    ),
    lambda inside: st.one_of(
        st.builds("({}) {} ({})".format, inside, st.sampled_from(["and", "or"]), inside), inside.map("not ({})".format)
    ),
    max_leaves=4,
)


@given(st.one_of(arithmetic, truths))
def test_what_it_writes_it_reads_as_the_same(text: str) -> None:
    if len(text) > limits.WATCH:
        return
    found = parse(text)
    again = parse(str(found)) if len(str(found)) <= limits.WATCH else found
    assert str(again) == str(found)
    assert again.gives is found.gives


@given(st.text(max_size=limits.WATCH + 20))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    error = refusal(parse, text)
    assert error is None or 0 <= error.at <= len(text)


pieces = st.sampled_from(
    [
        *FUNCTIONS,
        "(",
        ")",
        ",",
        '"',
        "'",
        "\\",
        "/",
        "~",
        "==",
        "<",
        "and",
        "not",
        "L1D2",
        "#1",
        "1e9",
        "%",
        " ",
        "base",
        "-",
    ]
)


@given(st.lists(pieces, max_size=60).map("".join))
def test_any_heap_of_its_pieces_is_read_or_refused(text: str) -> None:
    error = refusal(parse_condition, text)
    assert error is None or 0 <= error.at <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500,
        "-" * 499 + "1",
        "not " * 124 + "1<2",
        "abs(" * 120 + "1",
        "'" + "\\" * 499,
        "1" + "+1" * 249,
        "/" * 500,
        "p" * 10**6,
    ],
)
def test_hostile_texts_are_quick_and_bounded(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(WatchError):
        parse(text)
    assert time.perf_counter() - start < 5


def test_every_function_has_a_meaning_and_a_kind() -> None:
    for name, function in FUNCTIONS.items():
        assert function.meaning
        assert function.gives in Kind
        assert function.usage.startswith("("), name
