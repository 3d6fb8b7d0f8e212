"""Tokens: text to ids and back, each token's own text, chat templates. The only file that knows tokenizers.

A token's *own text* is what it adds to a text in the middle of one: the leading space included, which
SentencePiece and WordPiece leave out at the start of a text. A token that is only a part of a character shows
each of its bytes as `<0xE2>` (where plain decoding shows the same `�` for all of them), and an id that the
model scores but the tokenizer does not know shows as `<unused 123>`.

Tokenizers of the `tokenizers` library panic where they should raise (a file with contradictions, a text that meets a
bug): the panic is no `Exception`, and becomes an error here. Chat templates are programs of the model's author: they
are rendered within a time limit (`source.template`).

What is not covered: processors of multimodal models; their text tokenizer is used alone.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from transformers import PreTrainedTokenizerBase

from lm_debugger.errors import OptionError, PromptError
from lm_debugger.records.token import Token
from lm_debugger.source.template import TemplateTimeError, within_seconds

Prompt: TypeAlias = str | Sequence[int]
Messages: TypeAlias = str | Sequence[Mapping[str, str]]

MOST_CHAT = 10_000_000  # characters that a chat template may make

_REPLACEMENT = "\ufffd"


class Vocabulary:
    """A model's tokens.

    Args:
        tokenizer: the model's tokenizer.
        size: number of ids that the model has embeddings for, which may be more than the tokenizer knows.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
        self.tokenizer = tokenizer
        self.size = size
        self._texts: dict[int, str] = {}

    def encode(self, prompt: Prompt, *, special: bool = True) -> list[int]:
        """The prompt's ids, exactly as the tokenizer makes them in plain Hugging Face use.

        Args:
            prompt: a text, or ids, which are only checked.
            special: whether the tokenizer adds its special tokens, such as one for the beginning of a text. A text
                that comes from `chat` already has them.

        Raises:
            PromptError: if the prompt is empty (unless the tokenizer begins every text with a special token), is not
                valid Unicode, or has an id outside the vocabulary.
        """
        if isinstance(prompt, str):
            ids = self._encode_text(prompt, special=special)
        else:
            ids = [_whole_number(token) for token in prompt]
        if not ids:
            raise PromptError("The prompt is empty.", "Write at least one token.")
        for token in ids:
            if not 0 <= token < self.size:
                raise PromptError(
                    f"Token id {token} is outside the model's vocabulary of {self.size} tokens.",
                    "Use ids of this model's own tokenizer.",
                )
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens included, as it was: no cleaning up of spaces."""
        known = [token for token in ids if self._name(token) is not None]
        return self._decode(known)

    def text(self, token: int) -> str:
        """A token's own text."""
        text = self._texts.get(token)
        if text is None:
            text = self._texts[token] = self._own_text(token)
        return text

    def tokens(self, ids: Sequence[int]) -> tuple[Token, ...]:
        """The ids as tokens at their positions, from 0."""
        return tuple(Token(position=place, id=token, text=self.text(token)) for place, token in enumerate(ids))

    def written(self, ids: Sequence[int]) -> str:
        """The text that is cut into these ids, as a user would write it: without the tokens that `encode` puts around.

        Where no text is (ids that were cut otherwise), the closest.
        """
        added = self._encode_text("", special=True)
        closest = None
        for before in range(len(added), -1, -1):
            stop = len(ids) - (len(added) - before)
            if [*ids[:before], *ids[stop:]] != added:
                continue
            text = self.decode(ids[before:stop])
            if self._encode_text(text, special=True) == list(ids):
                return text
            closest = text if closest is None else closest
        return self.decode(ids) if closest is None else closest

    def turn(self, prompt: Prompt) -> str:
        """A user's message alone, as `chat` makes it.

        Raises:
            OptionError: as `chat`, or if the message is token ids.
        """
        if not isinstance(prompt, str):
            raise OptionError("chat needs a text, not token ids.", "Give the user's message as a text.")
        return self.chat(prompt)

    def chat(self, messages: Messages) -> str:
        """The text that a chat becomes through the model's template, ready for the assistant's answer.

        Encode it with `special=False`: the template has written the special tokens.

        Args:
            messages: what the user says, or a list of `{"role": …, "content": …}`. If the last message is the
                assistant's, the text is open for its continuation.

        Raises:
            OptionError: if the model has no chat template, or its template refuses the messages.
        """
        if getattr(self.tokenizer, "chat_template", None) is None:
            raise OptionError("This model has no chat template.", "Give the prompt as plain text.")
        talk = [{"role": "user", "content": messages}] if isinstance(messages, str) else [dict(m) for m in messages]
        if not talk or any("role" not in message or "content" not in message for message in talk):
            raise OptionError(f"{messages!r} is no chat.", 'Give messages like {"role": "user", "content": "Hello"}.')
        answer_begun = talk[-1]["role"] == "assistant"

        def render() -> str:
            return str(
                self.tokenizer.apply_chat_template(
                    talk, tokenize=False, add_generation_prompt=not answer_begun, continue_final_message=answer_begun
                )
            )

        try:
            text = within_seconds(render)
        except TemplateTimeError as error:
            raise OptionError(
                f"The model's chat template takes longer than {error.seconds:g} seconds.",
                "Give the prompt as plain text; the template is broken, or means harm.",
            ) from None
        except Exception as error:  # templates are programs of the model's author: they raise what they like
            raise OptionError(f"The model's chat template refuses these messages: {error}") from error
        if len(text) > MOST_CHAT:
            raise OptionError(
                f"The model's chat template makes {len(text):,} characters of these messages.",
                "Give the prompt as plain text; the template is broken, or means harm.",
            )
        return text

    def _encode_text(self, text: str, *, special: bool) -> list[int]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PromptError(
                f"The prompt is not valid Unicode at character {error.start}: {text[error.start]!r}.",
                "Remove the half of a surrogate pair.",
            ) from error
        try:
            return list(self.tokenizer.encode(text, add_special_tokens=special, verbose=False))
        except BaseException as error:
            raise_if_panic(error, "cut this text into tokens")
            raise

    def _decode(self, ids: Sequence[int]) -> str:
        try:
            text = self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        except BaseException as error:
            raise_if_panic(error, "write these tokens as text")
            raise
        return text if isinstance(text, str) else "".join(text)

    def _name(self, token: int) -> str | None:
        """The token as the tokenizer's vocabulary writes it, None if the tokenizer does not know it."""
        if token not in self._known:
            return None
        name = self.tokenizer.convert_ids_to_tokens(token)
        return name if isinstance(name, str) else None

    def _own_text(self, token: int) -> str:
        name = self._name(token)
        if name is None:
            return f"<unused {token}>"
        if token in self._special:
            return name
        anchor, before = self._anchor
        text = self._decode([*anchor, token])
        text = text[len(before) :] if text.startswith(before) else self._decode([token])
        return text if _REPLACEMENT not in text else _with_bytes(name, text)

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(self.tokenizer.get_vocab().values())

    @cached_property
    def _special(self) -> frozenset[int]:
        added = getattr(self.tokenizer, "added_tokens_decoder", {})
        return frozenset(self.tokenizer.all_special_ids) | {token for token, how in added.items() if how.special}

    @cached_property
    def _anchor(self) -> tuple[list[int], str]:
        """Ids of a text to put before a token so that it is decoded as in the middle of a text, and that text."""
        for letter in ("a", "x", "0", "."):
            ids = list(self.tokenizer.encode(letter, add_special_tokens=False))
            text = self._decode(ids) if ids else ""
            if text.endswith(letter):
                return ids, text
        return [], ""


def raise_if_panic(error: BaseException, doing: str) -> None:
    """Raise PromptError if the error is a panic of the tokenizers' library, which no `except Exception` would see."""
    if isinstance(error, Exception) or type(error).__name__ != "PanicException":
        return
    raise PromptError(
        f"The model's tokenizer broke down when it was to {doing}: {error}.",
        "Change the text; if that does not help, the tokenizer's files are damaged.",
    ) from error


def _whole_number(token: object) -> int:
    """Accept whole numbers of any library, and nothing that would be rounded to one."""
    try:
        return token.__index__()  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, TypeError) as error:
        raise PromptError(f"{token!r} is no token id.", "Give the prompt as a text or as whole numbers.") from error


def _with_bytes(name: str, text: str) -> str:
    """The text of a token that is no valid UTF-8 by itself, with `<0xE2>` for each byte of a broken character."""
    if len(name) == len("<0xE2>") and name.startswith("<0x") and name.endswith(">"):  # SentencePiece's byte fallback
        return name
    if not all(character in _BYTES for character in name):
        return text
    raw = bytes(_BYTES[character] for character in name)
    parts = []
    while raw:
        try:
            parts.append(raw.decode())
            break
        except UnicodeDecodeError as error:
            parts.append(raw[: error.start].decode())
            parts.extend(f"<0x{byte:02X}>" for byte in raw[error.start : error.end])
            raw = raw[error.end :]
    return "".join(parts)


def _byte_alphabet() -> dict[str, int]:
    """How byte-level BPE writes each byte as a printable character (GPT-2's `bytes_to_unicode`, inverted)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    alphabet = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in printable]
    return alphabet | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_alphabet()
