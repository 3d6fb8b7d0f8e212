"""How a session moves in its tree of runs: back, to any position, by a name. Nothing runs for it."""

from lm_debugger.debugger.stepping.standing import Standing, at_least_one
from lm_debugger.errors import OptionError
from lm_debugger.records import limits
from lm_debugger.records.session import SessionView, Stop


class Travelling(Standing):
    """A part of `Session`: its tree."""

    def back(self, count: int = 1) -> SessionView:
        """Undo steps: the position so many tokens earlier; in a frame, so many parts, and then out of it.

        The edits are those of the step that is undone. Nothing is run, nothing is lost.

        Raises:
            OptionError: if there is nothing before.
        """
        at_least_one(count)
        with self._verb(None):
            for _ in range(count):
                if self._frame is not None:
                    earlier = self._frame.earlier(self._frame.place)
                    if earlier is None:
                        self._frame = None
                    else:
                        self._frame.place = earlier
                    continue
                if self._at.parent is None:
                    raise OptionError("This is the prompt: there is nothing before it.", "Go on with a step.")
                self._edits, self._at = self._at.edits, self.tree[self._at.parent]
            self._stop = Stop(kind="moved")
            return self.view()

    def goto(self, wanted: str) -> SessionView:
        """Go to a position of the tree, by its id, the beginning of its id, or its name.

        Raises:
            OptionError: if there is none, or several.
        """
        with self._verb(None):
            node = self.tree.find(wanted)
            self._frame = None
            if node.id != self._at.id:
                self._edits = node.edits if node.parent is not None else self._edits
            self._at = node
            self._stop = Stop(kind="moved")
            return self.view()

    def name(self, name: str, wanted: str | None = None) -> SessionView:
        """Call a position something (None: the one where it is); "" takes the name away.

        Raises:
            OptionError: if there is no such position, the name is too long, or another has it.
        """
        name = name.strip()
        if len(name) > limits.NAME or "\n" in name or "\x00" in name:
            raise OptionError(f"A name has at most {limits.NAME} characters and one line.", "Choose a shorter one.")
        with self._verb(None):
            self.tree.name(self._at if wanted is None else self.tree.find(wanted), name)
            return self.view()

    def delete(self, wanted: str) -> SessionView:
        """Forget a position and what came from it. Where the session is there, it goes to the position before.

        Raises:
            OptionError: if there is no such position, or it is the prompt.
        """
        with self._verb(None):
            node = self.tree.find(wanted)
            gone = self.tree.delete(node)
            for each in gone:
                if not any(other.step == each.step for other in self.tree):
                    self._walk.held.drop(each.step)
            if any(each.id == self._at.id for each in gone):
                self._frame = None
                self._edits, self._at = node.edits, self.tree[node.parent or ""]
                self._stop = Stop(kind="moved")
            return self.view()
