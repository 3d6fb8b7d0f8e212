"""What edits do to a word's probability after fifty openings: shared by the experiments that switch and steer."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.engine.sites import FOREVER, Pass
from lm_debugger.errors import OptionError
from lm_debugger.lenses.book import LensBook
from lm_debugger.records.edit import Edit
from lm_debugger.repair.goal import divergence
from lm_debugger.source.words import tokens_of
from lm_debugger.steering.directions import Directions
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import UNWATCHED

WORDS = (
    "teacher", "doctor", "music", "water", "money", "horse", "king", "war", "winter", "kitchen",
    "car", "blood", "church", "computer", "river", "football", "lawyer", "bread", "green", "prison",
)  # fmt: skip

OPENINGS = (
    "I have always wanted to", "She looked at the", "The most important thing is", "They were talking about the",
    "He did not know that the", "In the morning we", "It is not easy to find a", "My brother told me about his",
    "The story begins with a", "What I like best is", "We went there because of the", "The report says that",
    "Nobody had seen the", "On the table there was a", "Last year the company", "The children were waiting for the",
    "He opened the box and found", "For many people the", "This is a picture of a", "The answer to the question is",
    "She wrote a letter to her", "There are many kinds of", "After the long day he", "Our neighbours have a new",
    "The first chapter is about", "I remember the smell of", "The town is known for its", "It was too late for the",
    "He spent his life with", "When I was young, I", "The best way to learn is", "In front of the house stood a",
    "The article describes how", "Before we leave, I need the", "She could not live without her",
    "The old man talked about", "People often forget that", "The museum shows a collection of", "It all depends on the",
    "They decided to buy a", "The problem with this is", "He dreamed of a", "In this country the", "The next thing was",
    "I asked her about the", "The film tells of a", "Everything changed with the", "Under the bridge they found",
    "At the end of the", "The reason for this is the",
)  # fmt: skip


class Effect(NamedTuple):
    """What edits did, as means over the openings.

    Args:
        before, after: the word's probability as the next token, all its forms together.
        gain: of its log-probability, in nats.
        others: the same, of the other words: what the edits do to any word.
        top: the part of the openings after which a form of it is the likeliest token.
        kl: divergence of the prediction from what it was, in nats.
    """

    before: float
    after: float
    gain: float
    others: float
    top: float
    kl: float


class Openings:
    """The openings, and the words' probabilities after them.

    Args:
        debugger: the model under the debugger.
        words: those that the model writes as one token; others are left out.
    """

    def __init__(self, debugger: Debugger, words: Sequence[str] = WORDS) -> None:
        self._debugger = debugger
        self._model = debugger.model
        self._directions = Directions(self._model, LensBook(self._model))
        self._passes = [tuple(self._model.vocabulary.encode(text)) for text in OPENINGS]
        forms = {word: self._forms(word) for word in words}
        self.forms = {word: found for word, found in forms.items() if found}
        self._before = self._logits(())

    def _forms(self, word: str) -> list[int]:
        """The word in the middle of a text, and as a text begins: those forms that are one token."""
        found = []
        for text in (f" {word}", f" {word.capitalize()}", word, word.capitalize()):
            try:
                tokens = tokens_of(self._model.vocabulary, text, self._model.readout.vocabulary)
            except OptionError:
                continue
            if len(tokens) == 1:
                found += tokens
        return sorted(set(found))

    @torch.no_grad()
    def _logits(self, edits: Sequence[Edit]) -> Tensor:
        """The logits after each opening: (openings, vocabulary)."""
        settled = self._directions.settled(edits, UNWATCHED)
        last = self._model.anatomy.layers[-1].after
        captures = self._model.engine.observe(
            [
                Pass(ids, compile_edits(settled, self._model, prompt_length=len(ids), length=FOREVER))
                for ids in self._passes
            ],
            [last],
        )
        return self._model.readout.logits(torch.stack([capture[last][-1] for capture in captures]))

    def under(self, edits: Sequence[Edit], word: str) -> Effect:
        """What edits do to a word; of value vectors switched on, `level` must be known."""
        logits = self._logits(edits)
        before, after = (each.log_softmax(-1) for each in (self._before, logits))
        said = {each: (self._of(before, ids), self._of(after, ids)) for each, ids in self.forms.items()}
        mine = said[word]
        others = [float((two - one).mean()) for each, (one, two) in said.items() if each != word]
        return Effect(
            before=float(mine[0].exp().mean()),
            after=float(mine[1].exp().mean()),
            gain=float((mine[1] - mine[0]).mean()),
            others=sum(others) / max(1, len(others)),
            top=float(torch.isin(logits.argmax(-1).cpu(), torch.tensor(self.forms[word])).float().mean()),
            kl=float(divergence(self._before, logits).mean()),
        )

    @staticmethod
    def _of(logs: Tensor, ids: Sequence[int]) -> Tensor:
        return logs[:, list(ids)].logsumexp(-1)


def mean(effects: Sequence[Effect]) -> Effect:
    """Their mean."""
    return Effect(*torch.tensor(effects, dtype=torch.float64).mean(0).tolist())


HEADER = (
    "| | p before | p after | log p, nats | of other words | top token | KL, nats |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


def line(title: str, effect: Effect) -> str:
    """An effect as a row of the table."""
    return (
        f"| {title} | {effect.before:.3%} | {effect.after:.3%} | {effect.gain:+.2f} | {effect.others:+.2f} "
        f"| {effect.top:.1%} | {effect.kl:.2f} |"
    )
