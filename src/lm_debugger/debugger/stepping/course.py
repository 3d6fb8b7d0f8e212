"""A path of the tree as a run: its tokens, and each step's edits at the positions that the step ran.

Edits that change on the way hold from the first position on that had not run when they were changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lm_debugger.debugger.stepping.tree import Edits, Node
from lm_debugger.engine.sites import FOREVER, Write
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.edit import Edit, Scope, ScopeKind
from lm_debugger.runs.spec import RunSpec
from lm_debugger.units.compile import compile_edits


class Stretch(NamedTuple):
    """Positions start ≤ position < stop that ran under some edits."""

    edits: Edits
    start: int
    stop: int


class Course:
    """A path, and the edits of the step that comes next.

    Args:
        prompt: token ids.
        path: positions from the prompt on.
        edits: of what comes next.
    """

    def __init__(self, prompt: Sequence[int], path: Sequence[Node], edits: Edits) -> None:
        self.ids = (*prompt, *(node.token for node in path[1:] if node.token is not None))
        self.prompt_length = len(prompt)
        self.stretches = _stretches(self.prompt_length, [*(node.edits for node in path[1:]), edits])

    def writes(self, model: LoadedModel, most: int) -> tuple[Write, ...]:
        """What the edits write, each where it holds.

        Args:
            most: tokens that the text may have in the end.

        Raises:
            EditError: if an edit cannot be applied.
        """
        found: list[Write] = []
        for edits, start, stop in self.stretches:
            for write in compile_edits(edits, model, prompt_length=self.prompt_length, length=most):
                first, last = max(write.start, start), min(write.stop, stop)
                if first < last:
                    found.append(
                        Write(
                            write.site, write.first, write.count, write.scale, write.shift, write.maximum, first, last
                        )
                    )
        return tuple(found)

    @property
    def edited(self) -> bool:
        """Whether any edit was ever in force."""
        return any(stretch.edits for stretch in self.stretches)

    def spec(self) -> RunSpec:
        """The whole as a run, what comes next included: where edits changed, they have explicit positions."""
        if len(self.stretches) == 1:
            return RunSpec(ids=self.ids, prompt_length=self.prompt_length, edits=self.stretches[0].edits)
        places: dict[Edit, list[tuple[int, int]]] = {}
        for edits, start, stop in self.stretches:
            for edit in edits:
                for interval in edit.scope.intervals(self.prompt_length):
                    end = len(self.ids) if interval.stop is None else interval.stop
                    first, last = max(interval.start, start), min(end, stop, len(self.ids)) - 1
                    if first <= last:
                        places.setdefault(edit.model_copy(update={"scope": Scope()}), []).append((first, last))
        found = [
            edit.model_copy(update={"scope": Scope(kind=ScopeKind.POSITIONS, positions=tuple(where))})
            for edit, where in places.items()
        ]
        return RunSpec(ids=self.ids, prompt_length=self.prompt_length, edits=tuple(found))


def _stretches(prompt_length: int, steps: Sequence[Edits]) -> tuple[Stretch, ...]:
    """The first step runs the prompt, each later one a token."""
    found: list[Stretch] = []
    for number, edits in enumerate(steps):
        start = 0 if number == 0 else prompt_length + number - 1
        if found and found[-1].edits == edits:
            continue
        if found:
            found[-1] = found[-1]._replace(stop=start)
        found.append(Stretch(edits, start, FOREVER))
    return tuple(found)
