"""A question's words become tokens, and what is odd in them is said."""

import pytest

from lm_debugger.attribution.question import ask
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from tests.tiny import prompt, shared

PROMPT = "My wife is working as a"


def test_without_words_it_is_the_top_token_against_the_runner_up() -> None:
    run = shared("llama").trace(prompt())
    best = run.logits(4).topk(2).indices.tolist()
    question = ask(run, None, None, 4)
    assert [question.position, question.target, question.against] == [4, *best]


def test_a_target_alone_is_compared_with_nothing_and_a_rival_alone_with_the_top_token() -> None:
    run = shared("llama").trace(prompt())
    assert ask(run, "w7", None, -1).against is None
    question = ask(run, None, "w7", -1)
    assert question.target == int(run.logits().argmax())
    assert question.against == 7


def test_a_word_without_its_leading_space_is_pointed_out(demo: Debugger) -> None:
    plain = demo.why(PROMPT, "doctor", top_k=1)
    assert plain.target.text == "doctor"
    assert "no leading space" in plain.warnings[0]
    assert "·doctor is more probable" in plain.warnings[0]
    spaced = demo.why(PROMPT, " doctor", top_k=1)
    assert spaced.target.text == " doctor"
    assert spaced.warnings == ()


def test_a_word_of_several_tokens_stands_for_its_first_and_says_so(demo: Debugger) -> None:
    found = demo.why(PROMPT, " ophthalmologist", " nurse", top_k=1)
    assert " ophthalmologist".startswith(found.target.text)
    assert "several tokens" in found.warnings[0]


def test_a_word_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(OptionError, match="no tokens for 'elephant'"):
        shared("llama").why(prompt(), "elephant")


def test_a_token_against_itself_is_refused() -> None:
    with pytest.raises(OptionError, match="Both tokens are w7"):
        shared("llama").why(prompt(), "w7", 7)


def test_a_soft_cap_is_told_and_left_out_of_the_difference() -> None:
    debugger = shared("gemma2")
    found = debugger.why(prompt(), 5, 9)
    assert found.against is not None
    assert any("before the cap" in text for text in found.warnings)
    capped = found.target.logit - found.against.logit
    assert found.difference != pytest.approx(capped, abs=1e-4)
