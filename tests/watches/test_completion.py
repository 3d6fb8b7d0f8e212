"""What a watch may go on with: only what the grammar then accepts, and tokens of the vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lm_debugger.debugger.session import Debugger
from lm_debugger.watches.grammar import parse
from tests.tiny import shared

from .test_grammar import refusal


@pytest.fixture(scope="module")
def tiny() -> Debugger:
    return shared("llama")


def texts(debugger: Debugger, typed: str, units: tuple[str, ...] = ()) -> list[str]:
    return [typed[: found.start] + found.text for found in debugger.suggest(typed, len(typed), units)]


def test_functions_words_tokens_units_and_signs(tiny: Debugger) -> None:
    assert texts(tiny, "en") == ["entropy()"]
    assert {"norm(after", "norm(ffn", "norm(before", "norm(attention"} <= set(texts(tiny, "norm("))
    assert "kl(base" in texts(tiny, "kl(")
    assert 'p("w5"' in texts(tiny, 'p("w5')
    assert 'p("w5", base' in texts(tiny, 'p("w5", b')
    assert texts(tiny, "1 + L1", ("L1D5", "L2D6")) == ["1 + L1D5"]
    assert {'p("w5") >', 'p("w5") and'} & set(texts(tiny, 'p("w5") ')) == {'p("w5") >', 'p("w5") and'}
    assert texts(tiny, "top() ~ ") == []
    assert texts(tiny, "1 $ ") == []


@given(
    st.sampled_from(['p("w5")', "entropy() > ", "not ", "max(1, ", "kl(b", "(1 + ", 'p("w', "L1D5 * "]),
    st.integers(0, 9),
)
def test_what_is_suggested_can_stand_there(tiny: Debugger, typed: str, choice: int) -> None:
    """After a suggestion the text is whole, or ends too early, or is of the wrong kind: it cannot be misplaced."""
    found = texts(tiny, typed)
    if not found:
        return
    text = found[choice % len(found)]
    error = refusal(parse, text)
    assert error is None or "cannot stand here" not in error.what or error.at >= len(text), text


def test_checking_tells_the_place_and_goes_on(tiny: Debugger) -> None:
    wrong = tiny.check_watch('p("w5" > ')
    assert wrong.error is not None
    assert (wrong.expression, wrong.error.at) == (None, 8)
    right = tiny.check_watch("differs", condition=True)
    assert (right.expression, right.kind, right.error) == ("top() != top(base)", "truth", None)
