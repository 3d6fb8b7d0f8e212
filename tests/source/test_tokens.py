"""Tokens of real tokenizers of each family."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerBase

import lm_debugger
from lm_debugger.errors import OptionError, PromptError
from lm_debugger.source.vocabulary import Vocabulary
from tests import zoo
from tests.source import builders

BYTE_LEVEL, METASPACE, WORD_PIECE = builders.byte_level(), builders.metaspace(), builders.word_piece()


def vocabulary(tokenizer: PreTrainedTokenizerBase, unused: int = 0) -> Vocabulary:
    return Vocabulary(tokenizer, len(tokenizer) + unused)


@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, METASPACE, WORD_PIECE])
def test_encodes_as_plain_hugging_face(tokenizer: PreTrainedTokenizerBase) -> None:
    text = "the doctors"
    assert vocabulary(tokenizer).encode(text) == tokenizer(text).input_ids
    assert vocabulary(tokenizer).encode(text, special=False) == tokenizer(text, add_special_tokens=False).input_ids


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_own_texts_make_up_the_prompt_byte_level(text: str) -> None:
    words = vocabulary(BYTE_LEVEL)
    ids = words.encode(text)
    assert words.decode(ids) == text
    shown = "".join(token.text for token in words.tokens(ids))
    for character in text:  # a character that is cut into tokens shows as its bytes
        if character not in shown:
            shown = shown.replace("".join(f"<0x{byte:02X}>" for byte in character.encode()), character)
    assert shown == text


def test_leading_spaces_belong_to_tokens() -> None:
    words = vocabulary(METASPACE)
    ids = words.encode("the doc  the")
    assert [token.text for token in words.tokens(ids)] == ["<s>", " the", " doc", " ", " the"]
    assert words.decode(ids[1:]) == "the doc  the"
    words = vocabulary(WORD_PIECE)
    assert [words.text(token) for token in words.encode("the doctors.")] == [" the", " doc", "tor", "s", "."]


def test_parts_of_characters_show_their_bytes() -> None:
    words = vocabulary(METASPACE)
    assert words.text(METASPACE.convert_tokens_to_ids("<0xE2>")) == "<0xE2>"
    assert words.text(METASPACE.convert_tokens_to_ids("<0x41>")) == "A"
    assert words.text(METASPACE.convert_tokens_to_ids("<0x0A>")) == "\n"
    words = vocabulary(BYTE_LEVEL)
    assert words.text(BYTE_LEVEL.convert_tokens_to_ids("ð")) == "<0xF0>"
    assert words.text(BYTE_LEVEL.convert_tokens_to_ids("Ċ")) == "\n"
    every = [words.text(token) for token in range(words.size)]
    assert len(set(every)) == len(every), "tokens must be told apart"


def test_ids_without_a_token() -> None:
    words = vocabulary(BYTE_LEVEL, unused=3)
    last = words.size - 1
    assert words.encode([last]) == [last]
    assert words.text(last) == f"<unused {last}>"
    assert words.decode([*words.encode("the"), last]) == "the"


def test_special_tokens_are_shown() -> None:
    words = vocabulary(BYTE_LEVEL)
    ids = words.encode("a</s>")
    assert [token.text for token in words.tokens(ids)] == ["a", "</s>"]
    assert words.decode(ids) == "a</s>"


def test_accepts_ids_of_any_library() -> None:
    assert vocabulary(BYTE_LEVEL).encode(np.array([3, 4])) == [3, 4]
    assert vocabulary(BYTE_LEVEL).encode((3, 4)) == [3, 4]


def test_an_empty_prompt_is_the_first_token_where_there_is_one() -> None:
    assert vocabulary(METASPACE).encode("")[0] == METASPACE.bos_token_id
    with pytest.raises(PromptError, match="empty"):
        vocabulary(BYTE_LEVEL).encode("")


@pytest.mark.parametrize(
    ("prompt", "named"),
    [([], "empty"), ([5, 100_000], "100000"), ([-1], "-1"), ([1.5], r"1\.5"), (["a"], "'a'"), ("a\ud800", "Unicode")],
)
def test_bad_prompts(prompt: list[int], named: str) -> None:
    with pytest.raises(PromptError, match=named):
        vocabulary(BYTE_LEVEL).encode(prompt)


def test_tokens_that_the_model_lacks() -> None:
    with pytest.raises(PromptError, match="outside the model's vocabulary of 2"):
        Vocabulary(BYTE_LEVEL, 2).encode("the")


def test_chat() -> None:
    words = vocabulary(builders.byte_level(template=builders.CHAT))
    assert words.chat("Hello") == "<user>Hello</s><assistant>"
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Good"}]
    assert words.chat(talk) == "<user>Hi</s><assistant>Good"
    assert words.decode(words.encode(words.chat("Hello"), special=False)) == "<user>Hello</s><assistant>"


def test_chat_that_cannot_be() -> None:
    with pytest.raises(OptionError, match="no chat template"):
        vocabulary(BYTE_LEVEL).chat("Hello")
    words = vocabulary(builders.byte_level(template=builders.CHAT))
    with pytest.raises(OptionError, match="no system here"):
        words.chat([{"role": "system", "content": "Be kind."}])
    with pytest.raises(OptionError, match="is no chat"):
        words.chat([{"content": "Hello"}])


def beginning() -> PreTrainedTokenizerBase:
    """A tokenizer that puts a token before every text, as Llama's and Gemma's do."""
    tokenizer = builders.byte_level()
    first = tokenizer.all_special_tokens[0]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A", special_tokens=[(first, tokenizer.convert_tokens_to_ids(first))]
    )
    return tokenizer


@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, METASPACE, WORD_PIECE, beginning()])
def test_a_prompt_is_written_without_what_the_tokenizer_puts_around_it(tokenizer: PreTrainedTokenizerBase) -> None:
    words = vocabulary(tokenizer)
    assert words.written(words.encode("the doctors")) == "the doctors"


def test_ids_that_no_text_gives_are_written_as_what_comes_closest() -> None:
    words = vocabulary(beginning())
    ids = words.encode("the doctors", special=False)
    assert words.encode("the doctors") != ids
    assert words.written(ids) == "the doctors"
    twice = [*words.encode("the doctors"), *ids]  # no text is cut so
    assert words.written(twice) == words.decode(twice[1:])


def test_answers_say_the_prompt_as_it_was_written() -> None:
    words = beginning()
    debugger = lm_debugger.load(zoo.make("llama", vocab_size=len(words)), words)
    assert debugger.trace("the doctors").tokens[0].text == words.all_special_tokens[0]
    text = "the doctors"
    assert debugger.why(text, estimate=False).prompt == text
    assert debugger.sweep(text, "L1D3", points=2).prompt == text
    assert debugger.fix(text, 5).prompt == text
    assert debugger.attribution_graph(text).metadata.prompt == text
