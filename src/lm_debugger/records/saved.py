"""What people make of a model and keep: names and notes of value vectors, and runs. Kept for each fingerprint."""

from datetime import datetime

from lm_debugger.records.base import Record
from lm_debugger.records.value import ValueView


class ValueNote(Record):
    """What a user calls a value vector, and wrote about it.

    Args:
        value: such as `L12D345`.
        name: the user's name for it, or "".
        note: the user's text, or "".
        updated: when it was last changed, UTC.
    """

    value: str
    name: str
    note: str
    updated: datetime


class NamedValue(ValueView):
    """A value vector with what users made of it.

    Args:
        name: the user's name for it, or None.
        note: the user's text, or "".
    """

    name: str | None = None
    note: str = ""


class SavedRun(Record):
    """A run that a user kept.

    Args:
        title: the user's, or "".
        created: when it was kept, UTC.
        parent: the kept run that this one came from by another prompt or other edits, or None.
        view: how the page showed it, as the query of its address without the prompt, or "".
    """

    id: int
    prompt: str
    interventions: tuple[str, ...]
    position: int
    title: str
    created: datetime
    parent: int | None = None
    view: str = ""
