"""What edits do to other texts: every prediction along them with and without the edits."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.attribution.again import lowest
from lm_debugger.engine.sites import FOREVER, Capture, Pass, by_length
from lm_debugger.errors import NumericalError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.resuming import entrance
from lm_debugger.records.edit import Edit
from lm_debugger.repair.goal import divergence
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import Work

ROWS = 64  # of logits at once
KEPT = 1 << 24  # logits without the edits that are kept: 64 MB


class Change(NamedTuple):
    """What edits do to one text, at each position but the last, whose prediction nothing follows.

    Args:
        kl: divergence of the prediction from what it was, in nats: (positions,).
        before, after: the top tokens: (positions,).
        surprise, surprise_after: negative log-probability of the token that follows, in nats: (positions,).
    """

    kl: Tensor
    before: Tensor
    after: Tensor
    surprise: Tensor
    surprise_after: Tensor


class Elsewhere:
    """Texts with the predictions along them. What they are without the edits is kept.

    Args:
        model: the model.
        texts: token ids, each of two or more.
        interventions: edits in force before and after.
        work: may stop it.

    Attributes:
        forwards: texts run so far.
    """

    def __init__(
        self, model: LoadedModel, texts: Sequence[Sequence[int]], interventions: Sequence[Edit], work: Work
    ) -> None:
        self._model = model
        self.texts = tuple(tuple(text) for text in texts)
        self._interventions = tuple(interventions)
        self._last = model.anatomy.layers[-1].after
        taps = [self._last, *(entrance(model.anatomy, layer) for layer in range(model.layers))]
        self.forwards = len(self.texts)
        self._before: list[Capture] = model.engine.observe(self._passes(()), list(dict.fromkeys(taps)), work=work)
        self._streams = torch.cat([capture[self._last][:-1] for capture in self._before])
        self._logits: dict[int, Tensor] = {}  # of the first pieces: as many as there is room for

    @torch.no_grad()
    def changes(self, edits: Sequence[Edit], work: Work) -> list[Change]:
        """What edits do to each text. An edit does nothing at a position that a text does not have.

        Raises:
            EditError: if one cannot be applied.
            NumericalError: if the model computes NaN or infinity with them.
        """
        passes = self._passes(edits)
        added = compile_edits(edits, self._model, prompt_length=FOREVER, length=FOREVER)
        layer = lowest(self._model, added)
        found: dict[int, Tensor] = {}
        for members in by_length(passes):
            stream = torch.stack([self._before[index][entrance(self._model.anatomy, layer)] for index in members])
            resume = self._model.resume(layer, stream)
            group = [passes[index] for index in members]
            captures = self._model.engine.observe(group, [self._last], resume=resume, work=work)
            self.forwards += len(members)
            found |= {index: capture[self._last][:-1] for index, capture in zip(members, captures, strict=True)}
        whole = self._change(torch.cat([found[index] for index in range(len(passes))]))
        lengths = [len(text) - 1 for text in self.texts]
        return [Change(*parts) for parts in zip(*(column.split(lengths) for column in whole), strict=True)]

    def _passes(self, edits: Sequence[Edit]) -> list[Pass]:
        every = (*self._interventions, *edits)
        return [
            Pass(ids, compile_edits(every, self._model, prompt_length=len(ids), length=FOREVER)) for ids in self.texts
        ]

    def _change(self, streams: Tensor) -> Change:
        """What became of all predictions, from the last streams of all texts, one after the other."""
        following = torch.tensor([token for text in self.texts for token in text[1:]], device=streams.device)
        parts = []
        pieces = zip(self._streams.split(ROWS), streams.split(ROWS), following.split(ROWS), strict=True)
        for number, (before, after, tokens) in enumerate(pieces):
            one, other = self._plain(number, before), self._model.readout.logits(after)
            if not bool(other.isfinite().any(-1).all()):
                raise NumericalError("With the edits the model computes NaN or infinity.", "Weaken the edits.")
            surprises = [-each.log_softmax(-1).gather(1, tokens[:, None])[:, 0].cpu() for each in (one, other)]
            tops = [each.argmax(-1).cpu() for each in (one, other)]
            parts.append(Change(divergence(one, other).cpu(), *tops, *surprises))
        return Change(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _plain(self, number: int, streams: Tensor) -> Tensor:
        """The logits of a piece without the edits."""
        logits = self._logits.get(number)
        if logits is None:
            logits = self._model.readout.logits(streams)
            if (number + 1) * logits.numel() <= KEPT:
                self._logits[number] = logits
        return logits
