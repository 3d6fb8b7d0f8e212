"""The tree of a session: every position, one token after another, named by its content. Knows no model.

A position is a run: a prompt, a seed, and token after token with the edits that were in force when each was predicted.
Its id is a hash of that, so that the same step taken again leads to the same position.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lm_debugger.errors import OptionError
from lm_debugger.records import limits
from lm_debugger.records.edit import Edit
from lm_debugger.records.generation import Sampling
from lm_debugger.records.watch import WatchValue

_DIGITS = 20  # of an id: 80 bits

Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class Node:
    """A position. See `records.session.NodeView`.

    Args:
        edits: in force in the step that predicted the token.
        step: id of that step: positions that differ in their token alone share it. "" for the prompt.
        values: of the watches that were followed when it was made.
    """

    id: str
    parent: str | None
    depth: int
    token: int | None
    forced: bool
    edits: Edits
    step: str
    logprob: float | None = None
    finished: bool = False
    values: Mapping[str, WatchValue] = field(default_factory=dict, compare=False)


def step_id(parent: str, edits: Edits) -> str:
    """The step that runs a position under edits."""
    return _hash("step", parent, [edit.model_dump(mode="json") for edit in edits])


def root_of(fingerprint: str, ids: Sequence[int], sampling: Sampling) -> Node:
    """The prompt's position."""
    name = _hash("prompt", fingerprint, list(ids), sampling.model_dump(mode="json"))
    return Node(name, None, 0, None, forced=False, edits=(), step="")


def child_of(parent: Node, edits: Edits, token: int, *, forced: bool, logprob: float | None, finished: bool) -> Node:
    """The position that a token leads to."""
    step = step_id(parent.id, edits)
    name = _hash("token", step, token, forced)
    return Node(name, parent.id, parent.depth + 1, token, forced, edits, step, logprob, finished)


def _hash(*content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGITS]


class Tree:
    """The positions of one session.

    Args:
        root: the prompt's.
    """

    def __init__(self, root: Node) -> None:
        self.root = root
        self._nodes: dict[str, Node] = {root.id: root}
        self._names: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:  # parents come before their children
        return iter(self._nodes.values())

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def add(self, node: Node, values: Mapping[str, WatchValue] | None = None) -> Node:
        """Have a position, which its parent must be in; the one that is there already stays, with newer values.

        Args:
            node: the position.
            values: of watches, in the step that chose its token.

        Raises:
            OptionError: if the tree is full.
        """
        if node.id not in self._nodes and len(self._nodes) >= limits.SESSION_NODES:
            raise OptionError(f"The session has {limits.SESSION_NODES:,} positions already.", "Delete a branch.")
        known = self._nodes.get(node.id, node)
        node = replace(node, values={**known.values, **node.values, **(values or {})})
        self._nodes[node.id] = node
        return node

    def path(self, node: Node) -> list[Node]:
        """The positions from the prompt to one."""
        found = [node]
        while found[-1].parent is not None:
            found.append(self._nodes[found[-1].parent])
        return found[::-1]

    def children(self, node: Node) -> list[Node]:
        """The positions one token later, the oldest first."""
        return [each for each in self._nodes.values() if each.parent == node.id]

    def leaves(self) -> list[Node]:
        """The ends of all branches."""
        parents = {node.parent for node in self._nodes.values()}
        return [node for node in self._nodes.values() if node.id not in parents]

    def find(self, wanted: str) -> Node:
        """A position by its id, the beginning of its id (4 characters or more), or its name; `prompt` is the first.

        Raises:
            OptionError: if there is none, or several.
        """
        named = [name for name, called in self._names.items() if called == wanted]
        if wanted in self._nodes:
            named = [wanted]
        elif not named and len(wanted) >= 4:
            named = [name for name in self._nodes if name.startswith(wanted)]
        if not named and wanted == "prompt":
            return self.root
        if not named:
            raise OptionError(f"There is no position {wanted[:40]!r}.", "The session's tree lists those there are.")
        if len(named) > 1:
            raise OptionError(f"{wanted[:40]!r} is the beginning of several positions.", "Write more of its id.")
        return self._nodes[named[0]]

    def name(self, node: Node, name: str) -> None:
        """Call a position something; "" takes the name away.

        Raises:
            OptionError: if another position has the name.
        """
        if name and any(called == name and other != node.id for other, called in self._names.items()):
            raise OptionError(f"Another position is called {name!r}.", "Choose another name.")
        if name:
            self._names[node.id] = name
        else:
            self._names.pop(node.id, None)

    def name_of(self, node: Node) -> str:
        """What a position is called, or ""."""
        return self._names.get(node.id, "")

    def delete(self, node: Node) -> list[Node]:
        """Forget a position and what came from it; what was forgotten.

        Raises:
            OptionError: if it is the prompt.
        """
        if node.parent is None:
            raise OptionError("The prompt cannot be deleted.", "Delete the session instead.")
        gone = {node.id}
        for each in self._nodes.values():  # parents come before their children
            if each.parent in gone:
                gone.add(each.id)
        found = [each for each in self._nodes.values() if each.id in gone]
        for each in found:
            del self._nodes[each.id]
            self._names.pop(each.id, None)
        return found
