"""The run without edits beside a run with some: the same tokens, whatever they are, run by the unedited model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lm_debugger.engine.engine import Command, Steps
from lm_debugger.engine.sites import Pass
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.runs.generate import greedy
from lm_debugger.work import Work


class Twin:
    """Runs what has not run yet, with a cache of its own. What differs from what it ran is run from the beginning.

    Args:
        most: tokens that a text may have in the end.
    """

    def __init__(self, model: LoadedModel, most: int, work: Work) -> None:
        self._model = model
        self._most = most
        self._work = work
        self._ids: tuple[int, ...] = ()
        self._steps: Steps | None = None
        self._logits: Tensor | None = None

    @torch.no_grad()
    def logits(self, ids: Sequence[int]) -> Tensor:
        """The unedited model's logits after a text: (vocabulary,), float32.

        Raises:
            CancelledError: if the work is to stop.
        """
        ids = tuple(ids)
        if self._logits is not None and ids == self._ids:
            return self._logits
        steps, ran = self._steps, len(self._ids)
        self._steps = None  # until it is known that nothing stopped a forward midway
        if steps is None or ids[:ran] != self._ids:
            limit = max(1, self._most - len(ids) + 1)
            steps = self._model.engine.steps([Pass(ids)], greedy, limit=limit, endless=True, work=self._work)
            logits = next(iter(steps)).logits[0]
        else:
            logits = self._logits if self._logits is not None else torch.empty(0)
            for token in ids[ran:]:  # one by one: some types cannot take several at once under a cache
                logits = steps.send(Command(tokens=(token,))).logits[0]
        self._steps, self._ids, self._logits = steps, ids, logits
        return logits
