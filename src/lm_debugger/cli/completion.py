"""What a command line of a session may go on with: commands, and inside them watches, tokens, edits, positions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lm_debugger.cli.commands import COMMANDS, NAMES

if TYPE_CHECKING:
    from lm_debugger import Debugger
    from lm_debugger.debugger.stepping.session import Session


class CommandCompleter(Completer):
    """Completes commands and their arguments."""

    def __init__(self, debugger: "Debugger", session: "Session") -> None:
        self._debugger = debugger
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """See prompt_toolkit."""
        before = document.text_before_cursor.lstrip()
        word, space, argument = before.partition(" ")
        if not space:
            for command in COMMANDS:
                if command.names[0].startswith(word):
                    yield Completion(command.names[0], -len(word), display_meta=command.meaning)
            return
        known = NAMES.get(word)
        takes = known.takes if known is not None else ""
        if takes in ("watch", "condition", "token"):
            for found in self._debugger.suggest(argument, len(argument), units=self._units()):
                yield Completion(found.text, found.start - len(argument), display_meta=found.meaning)
        elif takes == "edit":
            part = argument.rpartition(" ")[2]
            for unit in self._units():
                if unit.startswith(part.upper()):
                    yield Completion(unit, -len(part))
        elif takes == "position":
            part = argument.rpartition(" ")[2]
            for node in self._session.tree:
                called = self._session.tree.name_of(node) or node.id[:8]
                if called.startswith(part):
                    yield Completion(called, -len(part))

    def _units(self) -> list[str]:
        """Units worth naming: those that are edited, and those of the step that was entered."""
        found = [str(edit.value) for edit in self._session.edits]
        if self._session.frame is not None:
            part = self._session.frame.view().part
            found += [each.head for each in part.heads] + [each.value for each in part.values]
        return list(dict.fromkeys(found))
