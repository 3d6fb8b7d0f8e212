"""Goes from one position of a tree to the next: the only part of a session that runs the model token by token.

What is kept is gone on with; what is not is run again from the nearest position that is, step by step as it was, so
that every number comes out the same. Nothing is held between two steps but the caches.
"""

import threading
from collections.abc import Sequence

import torch

from lm_debugger.debugger.stepping.course import Course
from lm_debugger.debugger.stepping.held import Held, HeldSteps
from lm_debugger.debugger.stepping.tree import Edits, Node, Tree, child_of, step_id
from lm_debugger.engine.engine import Command, Step, Steps
from lm_debugger.engine.sites import Site, Write
from lm_debugger.errors import StaleRunError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.generation import Sampling
from lm_debugger.runs.generate import Stops, chosen, continuation
from lm_debugger.runs.spec import RunSpec
from lm_debugger.work import Work

APART = 16  # tokens between two continuations that are kept on a long way


class Switch(threading.Event):
    """Stands for whichever event may stop the work that is going on: a continuation outlives the calls that use it."""

    def __init__(self) -> None:
        super().__init__()
        self.now: threading.Event | None = None

    def is_set(self) -> bool:
        """Whether the work that is going on is to stop."""
        return self.now is not None and self.now.is_set()


class Walk:
    """The continuations of one session.

    Args:
        prompt: token ids.
        most: tokens that may be generated on a branch.
    """

    def __init__(self, model: LoadedModel, tree: Tree, prompt: Sequence[int], sampling: Sampling, most: int) -> None:
        self.model = model
        self.tree = tree
        self.prompt = tuple(prompt)
        self.sampling = sampling
        self.limit = most
        self.switch = Switch()
        self.work = Work(cancel=self.switch)
        self._weights = model.engine.state()
        self._compiled: tuple[object, tuple[Write, ...]] = (None, ())
        size = torch.finfo(model.network.dtype).bits // 8
        self.held = HeldSteps(2 * model.layers * model.anatomy.hidden_size * (len(self.prompt) + most) * size)

    @property
    def most(self) -> int:
        """Tokens that a text may have in the end."""
        return len(self.prompt) + self.limit

    def course(self, node: Node, edits: Edits) -> Course:
        """The path to a position as a run, with the edits of what comes next."""
        return Course(self.prompt, self.tree.path(node), edits)

    def next(self, node: Node, edits: Edits, taps: Sequence[Site], *, keep: bool) -> tuple[Node, Held]:
        """Run a position's token (the prompt, for the prompt) and choose the next.

        Args:
            edits: in force in this step.
            taps: sites to keep of it.
            keep: whether the continuation before the step is kept too.

        Returns:
            The position that the chosen token leads to, which is in the tree then.

        Raises:
            CancelledError, NumericalError, EditError.
        """
        found = step_id(node.id, edits)
        known = self.held.get(found)
        if known is None or not _kept(known.last, taps):
            steps = self._at(node, keep=keep)
            known = Held(steps, steps.send(self.command(node, edits, taps)))
        return self.commit(node, edits, known)

    def commit(self, node: Node, edits: Edits, held: Held) -> tuple[Node, Held]:
        """Have the position in the tree that a step led to, and its continuation kept."""
        token = chosen(self.model, held.last)
        child = child_of(node, edits, token.id, forced=False, logprob=token.logprob, finished=held.last.finished)
        self.held.keep(child.step, held)
        return self.tree.add(child), held

    def command(self, node: Node, edits: Edits, taps: Sequence[Site]) -> Command:
        """What a position's continuation is told in the step that runs its token."""
        course = self.course(node, edits)
        if self._compiled[0] != course.stretches:
            self._compiled = course.stretches, course.writes(self.model, self.most)
        tokens = None if node.token is None else (node.token,)
        return Command(tokens=tokens, writes=(self._compiled[1],), taps=tuple(taps))

    def last(self, node: Node, taps: Sequence[Site]) -> Step:
        """The step that a position's token was chosen in, with sites; run again if they were not kept.

        The position is not the prompt's.
        """
        known = self.held.get(node.step)
        if known is not None and _kept(known.last, taps):
            return known.last
        parent = self.tree[node.parent or ""]
        steps = self._at(parent, keep=True)
        held = Held(steps, steps.send(self.command(parent, node.edits, taps)))
        self.held.keep(node.step, held)
        return held.last

    def fork(self, node: Node) -> Steps:
        """A continuation after a position, to be gone on with; the one that is kept stays."""
        return self._at(node, keep=True)

    def _at(self, node: Node, *, keep: bool) -> Steps:
        """A continuation in which a position's token is the next to run."""
        if node.parent is None:
            return self._begun()
        held = self.held.get(node.step)
        if held is None:
            return self._again(node, keep=keep)
        if keep:
            return held.steps.fork()
        self.held.drop(node.step)  # it is gone on with: whoever stops it midway finds none
        return held.steps

    def _begun(self) -> Steps:
        return continuation(self.model, RunSpec.of_prompt(self.prompt), self.sampling, Stops(self.limit), self.work)

    def _again(self, node: Node, *, keep: bool) -> Steps:
        """Run the path to a position again, from the nearest one that is kept."""
        path = self.tree.path(node)
        nearest = max((place for place, each in enumerate(path) if each.step in self.held), default=0)
        before = path[nearest]
        held = self.held.get(before.step)
        steps = self._begun() if held is None else held.steps.fork()
        for place, each in enumerate(path[nearest + 1 :], 1):
            step = steps.send(self.command(before, each.edits, ()))
            if not each.forced and int(step.tokens[0]) != each.token:
                raise StaleRunError(
                    "The model no longer writes the tokens of this session.",
                    "Its weights have changed: begin a new one.",
                )
            last = each is node
            if (last and keep) or (not last and place % APART == 0):
                self.held.keep(each.step, Held(steps.fork(), step))
            before = each
        return steps

    def check(self) -> None:
        """Raise StaleRunError if the model is not what it was: kept caches would be mixed with new weights."""
        if self.model.engine.state() != self._weights:
            raise StaleRunError(
                "The model's weights or hooks have changed since the session began.", "Begin a new one."
            )


def _kept(step: Step, taps: Sequence[Site]) -> bool:
    """Whether a step kept all these sites."""
    return not taps or bool(step.captures and all(site in step.captures[0].streams.tensors for site in taps))
