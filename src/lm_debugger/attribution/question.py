"""The question: which token, against which, at which position. Reads words into tokens and says what is odd in them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.records.token import TokenScore
from lm_debugger.records.visible import visible
from lm_debugger.runs.kept import KeptRun
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.source.words import tokens_of

Word = str | int
"""A token: its text, or its id."""


@dataclass(frozen=True)
class Question:
    """Why target (rather than against) at a position.

    Args:
        position: from 0.
        target: id of a token.
        against: id of another, or None for the target's logit alone.
        warnings: what is odd in the words that were given.
    """

    position: int
    target: int
    against: int | None
    warnings: tuple[str, ...] = ()

    def difference(self, logits: Tensor) -> Tensor:
        """The difference in logits (…, vocabulary): (…)."""
        found = logits[..., self.target]
        return found if self.against is None else found - logits[..., self.against]


def ask(run: KeptRun, target: Word | None, against: Word | None, position: int) -> Question:
    """The question about a run.

    Args:
        target: None for the most probable token.
        against: None for the target alone; if there is no target either, for the runner-up.
        position: negative ones count from the end.

    Raises:
        OptionError: if the position does not exist, or a word is no token.
    """
    place = run.position(position)
    logits = run.logits(place)
    warnings: list[str] = []
    best = logits.topk(2).indices.tolist() if target is None else []
    chosen = best[0] if target is None else read_word(run, target, logits, warnings)
    if against is not None:
        other: int | None = read_word(run, against, logits, warnings)
    else:
        other = best[1] if target is None else None
    if other == chosen:
        text = visible(run.model.vocabulary.text(chosen))
        raise OptionError(f"Both tokens are {text}.", "Ask for two different ones.")
    return Question(place, chosen, other, tuple(warnings))


def score(run: KeptRun, logits: Tensor, token: int) -> TokenScore:
    """A token in a distribution (vocabulary,)."""
    probability = float((logits[token] - logits.logsumexp(-1)).exp())
    return TokenScore(
        id=token, text=run.model.vocabulary.text(token), logit=float(logits[token]), probability=probability
    )


def read_word(run: KeptRun, word: Word, logits: Tensor, warnings: list[str]) -> int:
    """The id of a word's (first) token; what is odd in it is added to the warnings.

    Raises:
        OptionError: if it is no token.
    """
    size = logits.shape[-1]
    if isinstance(word, int):
        if not 0 <= word < size:
            raise OptionError(f"Token id {word} does not exist.", f"Choose one from 0 to {size - 1}.")
        return word
    found = tokens_of(run.model.vocabulary, word, size)
    if len(found) > 1:
        cut = " ".join(visible(run.model.vocabulary.text(token)) for token in found)
        warnings.append(
            f"{visible(word)} is several tokens ({cut}); the answer is about the first, "
            f"{visible(run.model.vocabulary.text(found[0]))}."
        )
    first = found[0]
    _check_space(run.model.vocabulary, word, first, logits, warnings)
    return first


def _check_space(words: Vocabulary, word: str, token: int, logits: Tensor, warnings: list[str]) -> None:
    """Point out a word without the leading space that the model would write it with."""
    if word[0].isspace() or not word[0].isalnum():
        return
    spaced = words.encode(f" {word}", special=False)
    if not spaced or spaced[0] == token or spaced[0] >= logits.shape[-1]:
        return
    text = words.text(spaced[0])
    if not text.startswith(" ") or not text.strip() or not word.startswith(text.strip()):
        return
    here = torch.stack([logits[token], logits[spaced[0]]]) - logits.logsumexp(-1)
    if float(here[1]) > float(here[0]):
        first, second = (f"{float(value.exp()):.2g}" for value in here)
        warnings.append(
            f"{visible(word)} has no leading space; {visible(text)} is more probable here ({second} against {first})."
        )
