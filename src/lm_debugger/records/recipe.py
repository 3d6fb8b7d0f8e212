"""Recipes: named groups of edits ("concepts") that are kept, exported and applied to the model they were made for."""

from datetime import datetime

from lm_debugger.records.base import Record


class Recipe(Record):
    """A named group of edits.

    Args:
        name: what the group stands for, such as `negative sentiment`.
        fingerprint: the model that the edits were made for.
        model: that model's name, for people.
        note: a text, or "".
        interventions: the edits, in their canonical text.
    """

    name: str
    fingerprint: str
    model: str = ""
    note: str = ""
    interventions: tuple[str, ...]


class SavedRecipe(Recipe):
    """A recipe in the database.

    Args:
        id: its number.
        created: when it was kept, UTC.
    """

    id: int
    created: datetime
