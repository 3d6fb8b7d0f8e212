"""Runs a text again with changes, many at once: what lies below the lowest change is not computed again.

The changes are sorted by the lowest layer that they touch; those of one forward begin there, on the stream that the
kept run has, where the model allows it (`model.resuming`).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lm_debugger.attribution.direct import passed
from lm_debugger.engine.sites import Capture, Pass, Site, Write
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.resuming import entrance
from lm_debugger.runs.kept import KeptRun
from lm_debugger.work import Work

TOKENS = 512  # that run in one forward: more rows at once are no faster, and need memory
APART = 128  # tokens from which rows that begin at other layers go into a forward of their own

Changes = tuple[Write, ...]


class Again:
    """One kept run, run again.

    Args:
        run: with its own edits, which stay in force.
        work: may stop it.

    Attributes:
        texts: how many texts were run so far.
    """

    def __init__(self, run: KeptRun, work: Work) -> None:
        self.run = run
        self.texts = 0
        self._work = work
        self._plain = passed(run)

    @torch.no_grad()
    def residuals(self, changes: Sequence[Changes], position: int, step: str) -> Tensor:
        """The last residual stream at a position under each change (changes, hidden); without writes the run's."""
        run = self.run
        last = run.model.anatomy.layers[-1].after
        found = run.last_residual[position].expand(len(changes), -1).clone()
        for index, capture in self.captures(changes, [last], step):
            found[index] = capture[last][position]
        return found

    def captures(self, changes: Sequence[Changes], taps: Sequence[Site], step: str) -> Iterator[tuple[int, Capture]]:
        """What is left at some sites, none below a change, under each change with its index; nothing without writes."""
        run = self.run
        order = sorted(
            ((lowest(run.model, writes), index) for index, writes in enumerate(changes) if writes), reverse=True
        )
        done = 0
        for members in self._batches(order):
            self._work(step, done, len(order))
            layer = members[-1][0]
            passes = [Pass(run.ids, (*self._plain.writes, *changes[index])) for _, index in members]
            resume = run.model.resume(layer, self._entering(layer)) if layer else None
            captures = run.model.engine.observe(passes, taps, resume=resume, work=self._work)
            done += len(members)
            self.texts += len(members)
            yield from zip((index for _, index in members), captures, strict=True)

    def _entering(self, layer: int) -> Tensor:
        return self.run.layer(layer).raw(entrance(self.run.model.anatomy, layer))

    def _batches(self, order: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
        """Pairs of layer and index, the highest layers first, cut into forwards."""
        length = len(self.run)
        most, apart = max(1, TOKENS // length), max(1, APART // length)
        batches: list[list[tuple[int, int]]] = []
        for each in order:
            last = batches[-1] if batches else None
            if last is None or len(last) >= most or (len(last) >= apart and each[0] < last[0][0]):
                batches.append([each])
            else:
                last.append(each)
        return batches


def lowest(model: LoadedModel, writes: Sequence[Write]) -> int:
    """The lowest layer that writes touch; 0 where that is not inside a layer."""
    paths = [layer.path for layer in model.anatomy.layers]

    def layer(path: str) -> int:
        return next((i for i, each in enumerate(paths) if path == each or path.startswith(f"{each}.")), 0)

    return min((layer(path) for path in {write.site.path for write in writes}), default=len(paths) - 1)
