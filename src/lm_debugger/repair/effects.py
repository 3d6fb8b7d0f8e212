"""What edits do to texts that they are not meant for, text by text, beside random edits of equal size."""

from collections.abc import Callable, Sequence
from math import exp

import torch

from lm_debugger.edits.validate import check
from lm_debugger.errors import OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import written
from lm_debugger.records.edit import Edit
from lm_debugger.records.effects import SideEffects, TextEffect
from lm_debugger.repair.controls import random_edits
from lm_debugger.repair.elsewhere import Change, Elsewhere
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Work

TEXTS, LENGTH = 24, 24  # texts that the model writes itself, and their tokens
FOREVER = 1 << 30

Continue = Callable[[Sequence[int]], tuple[str, str]]


def texts_of(model: LoadedModel, held: Sequence[Prompt] | None, seed: int, work: Work) -> list[tuple[int, ...]]:
    """The texts' token ids: those given, or some that the model writes.

    Raises:
        OptionError: if one has fewer than two tokens, or there is none.
    """
    if held is None:
        return written(model, TEXTS, LENGTH, seed, work)
    texts = [tuple(model.vocabulary.encode(text)) for text in held]
    if not texts or min(map(len, texts)) < 2:
        raise OptionError("A text has fewer than two tokens, or there is none.", "Give texts of several words.")
    return texts


@torch.no_grad()
def side_effects(
    model: LoadedModel,
    edits: Sequence[Edit],
    texts: Sequence[tuple[int, ...]],
    continued: Continue | None,
    worst: int,
    seed: int,
    work: Work,
) -> SideEffects:
    """See `Debugger.side_effects`.

    Args:
        edits: settled ones.
        continued: how the model goes on from a text without and with the edits; None to leave that out.
        worst: how many texts are continued, those with the largest divergence.
    """
    check(edits, model, prompt_length=FOREVER, length=FOREVER)
    elsewhere = Elsewhere(model, texts, (), work)
    work("Running other texts with the edits")
    changes = elsewhere.changes(edits, work)
    drawn = elsewhere.changes(random_edits(model, edits, (), seed), work)
    order = sorted(range(len(texts)), key=lambda index: -float(changes[index].kl.mean()))
    found = []
    for place, index in enumerate(order):
        change = changes[index]
        said = continued(texts[index]) if continued is not None and place < worst else (None, None)
        found.append(
            TextEffect(
                text=model.vocabulary.written(texts[index]),
                kl=float(change.kl.mean()),
                worst=int(change.kl.argmax()),
                changed=float((change.before != change.after).float().mean()),
                perplexity=exp(float(change.surprise.mean())),
                perplexity_after=exp(float(change.surprise_after.mean())),
                continuation=said[0],
                continuation_after=said[1],
            )
        )
    every, random = _joined(changes), _joined(drawn)
    return SideEffects(
        interventions=tuple(map(str, edits)),
        prompts=len(texts),
        kl=float(every.kl.mean()),
        changed=float((every.before != every.after).float().mean()),
        perplexity=exp(float(every.surprise.mean())),
        perplexity_after=exp(float(every.surprise_after.mean())),
        random_kl=float(random.kl.mean()),
        random_changed=float((random.before != random.after).float().mean()),
        texts=tuple(found),
    )


def _joined(changes: Sequence[Change]) -> Change:
    return Change(*(torch.cat(column) for column in zip(*changes, strict=True)))
