"""What a fix is to reach for one prompt: which tokens may be the top one at a position. Reads words as `why` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lm_debugger.attribution.question import Word, read_word
from lm_debugger.errors import OptionError
from lm_debugger.records.visible import visible
from lm_debugger.runs.kept import KeptRun


@dataclass(frozen=True, eq=False)
class Goal:
    """One prediction that is to change.

    Args:
        run: the prompt's run as it is, with the edits that stay in force.
        position: from 0.
        accepted: which tokens may be the top one, (vocabulary,).
        target: the one that is aimed at: the most probable of them here.
        warnings: what is odd in the words.
    """

    run: KeptRun
    position: int
    accepted: Tensor
    target: int
    warnings: tuple[str, ...] = ()

    @cached_property
    def logits(self) -> Tensor:
        """Of the run as it is: (vocabulary,), float32."""
        return self.run.logits(self.position)

    def lead(self, logits: Tensor) -> Tensor:
        """Logit of the best token accepted minus that of the best other one, for rows of logits: (rows,)."""
        accepted = self.accepted.to(logits.device)
        best = logits.masked_fill(~accepted, float("-inf")).amax(-1)
        return best - logits.masked_fill(accepted, float("-inf")).amax(-1)

    def rivals(self, logits: Tensor) -> tuple[int, int]:
        """The best token accepted and the best other one in logits (vocabulary,)."""
        accepted = self.accepted.to(logits.device)
        best = logits.masked_fill(~accepted, float("-inf")).argmax()
        return int(best), int(logits.masked_fill(accepted, float("-inf")).argmax())

    def kl(self, logits: Tensor) -> Tensor:
        """Divergence of rows of logits from those of the run as it is, in nats: (rows,)."""
        return divergence(self.logits, logits)


def divergence(before: Tensor, after: Tensor) -> Tensor:
    """Kullback-Leibler divergence of distributions from earlier ones, both as logits (…, vocabulary), in nats."""
    one, other = before.log_softmax(-1), after.log_softmax(-1)
    terms = one.exp() * (one - other)
    return torch.where(one.isfinite() & other.isfinite(), terms, 0).sum(-1).clamp_min(0)


def goal(run: KeptRun, wanted: Sequence[Word], avoided: Sequence[Word], position: int) -> Goal:
    """The goal of a run.

    Args:
        wanted: tokens of which one is to be the top one.
        avoided: tokens none of which is to be the top one.
        position: negative ones count from the end.

    Raises:
        OptionError: if there is nothing to reach, the position does not exist, or a word is no token.
    """
    if not wanted and not avoided:
        raise OptionError("No token is wanted and none is to be avoided.", "Say one, such as --target ' doctor'.")
    place = run.position(position)
    logits = run.logits(place)
    warnings: list[str] = []
    ids = [read_word(run, word, logits, warnings) for word in wanted]
    against = [read_word(run, word, logits, warnings) for word in avoided]
    both = set(ids) & set(against)
    if both:
        text = visible(run.model.vocabulary.text(both.pop()))
        raise OptionError(f"{text} is both wanted and to be avoided.", "Take it out of one of them.")
    accepted = torch.full(logits.shape, not ids)
    accepted[ids] = True
    accepted[against] = False
    target = int(logits.cpu().masked_fill(~accepted, float("-inf")).argmax())
    return Goal(run, place, accepted, target, tuple(dict.fromkeys(warnings)))
