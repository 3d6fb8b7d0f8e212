"""The tokens of a word as it stands in the middle of a text, whatever the tokenizer does at a text's beginning."""

from lm_debugger.errors import OptionError
from lm_debugger.source.vocabulary import Vocabulary


def tokens_of(words: Vocabulary, word: str, size: int) -> list[int]:
    """The tokens of a word as it stands in the middle of a text.

    Args:
        size: how many tokens the model scores.

    Raises:
        OptionError: if the model cannot say it.
    """
    if not word:
        raise OptionError("The token to explain is an empty text.", "Write one, such as ' doctor'.")
    found = words.encode(word, special=False)
    if len(found) == 1 and words.text(found[0]) == word and found[0] < size:
        return found
    exact = next((token for token in range(min(size, words.size)) if words.text(token) == word), None)
    if exact is not None:
        return [exact]
    if len(found) > 1 and not words.text(found[0]).strip():
        found = found[1:]  # a tokenizer's own space before the text
    if not found or not _part_of(words.text(found[0]), word):
        raise OptionError(f"The model has no tokens for {word!r}.", "Write a word of its vocabulary.")
    if found[0] >= size:
        raise OptionError(f"The model gives no logit for {word!r}.", "Write a word that it can say.")
    return found


def _part_of(token: str, word: str) -> bool:
    """Whether a token is of a word: else it only says that the tokenizer does not know it."""
    return token.strip().casefold() in word.casefold() or "<0x" in token
