"""Enters a step, and enters it again with other edits: the layers below are reused where that is proved.

Whether a network's layers can be reused is tried on it, once: with the edits as they were, the step taken again from
its middle must give every number exactly, and so must the step after it.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn

from lm_debugger.debugger.stepping.frame import Frame, Place
from lm_debugger.debugger.stepping.held import Held
from lm_debugger.debugger.stepping.tree import Edits, Node
from lm_debugger.debugger.stepping.walk import Walk
from lm_debugger.engine.engine import Command, Steps
from lm_debugger.lenses.reading import Reading
from lm_debugger.runs.run import MEMORY_LIMIT, check_memory

_proved: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


class _Again(NamedTuple):
    """A step to be taken again, and its layers that are reused."""

    of: Steps
    layers: int


def entered(walk: Walk, node: Node, edits: Edits, reading: Reading) -> Frame:
    """A position's step, entered at its first part.

    Raises:
        MemoryLimitError: if too many tokens run in it to keep all that passes.
    """
    model = walk.model
    if node.parent is None:
        check_memory(model, len(walk.prompt), MEMORY_LIMIT)
    held = _taken(walk, node, edits, None)
    first = next(block for block in model.blocks)
    return _frame(walk, node, edits, held, reading, Place(first.index, "attention"), 0)


def entered_again(walk: Walk, frame: Frame, edits: Edits, reading: Reading) -> Frame:
    """The same step under other edits, at the same part."""
    layers = _first_edited(frame.edits, edits)
    reused = layers if layers and _can_reuse(walk, frame) else 0
    held = _taken(walk, frame.node, edits, _Again(frame.held.steps, reused) if reused else None)
    return _frame(walk, frame.node, edits, held, reading, frame.place, reused)


def _first_edited(before: Edits, now: Edits) -> int:
    """The first layer in which two sets of edits differ."""
    return min((edit.value.layer for edit in {*before} ^ {*now}), default=0)


def _taken(walk: Walk, node: Node, edits: Edits, again: _Again | None) -> Held:
    model = walk.model
    steps = walk.fork(node)
    paths = tuple(block.anatomy.path for block in model.blocks)
    said = walk.command(node, edits, model.sites)
    command = Command(
        tokens=said.tokens,
        writes=said.writes,
        taps=said.taps,
        record=paths if steps.can_reuse else (),
        again=None if again is None else again.of,
        unchanged=() if again is None else paths[: again.layers],
    )
    return Held(steps, steps.send(command))


def _frame(walk: Walk, node: Node, edits: Edits, held: Held, reading: Reading, place: Place, reused: int) -> Frame:
    model = walk.model
    ran = held.last.captures[0][model.anatomy.layers[-1].after].shape[0]
    ids = walk.course(node, edits).ids[-ran:]
    return Frame(model, node, edits, held, ids, reading, place, reused)


def _can_reuse(walk: Walk, frame: Frame) -> bool:
    network = walk.model.network
    if not frame.held.steps.can_reuse or walk.model.layers < 2:
        return False
    if network not in _proved:
        _proved[network] = _proof(walk, frame)
    return _proved[network]


@torch.no_grad()
def _proof(walk: Walk, frame: Frame) -> bool:
    """Whether the step taken again from its middle gives what it gave, and the step after it too."""
    try:
        again = _taken(walk, frame.node, frame.edits, _Again(frame.held.steps, walk.model.layers // 2))
        if not torch.equal(again.last.logits, frame.held.last.logits):
            return False
        token = (int(frame.held.last.tokens[0]),)
        following = [
            steps.fork().send(Command(tokens=token, taps=())).logits for steps in (frame.held.steps, again.steps)
        ]
    except (StopIteration, RuntimeError, TypeError, AttributeError, KeyError, IndexError):
        return False  # whatever a network does not bear: its steps are taken again as a whole
    return torch.equal(*following)
