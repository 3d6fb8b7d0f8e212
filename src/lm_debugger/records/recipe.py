"""Recipes: named groups of edits ("concepts") that are kept, exported and applied to the model they were made for."""

from datetime import datetime

from lm_debugger.records.base import Record


class CarriedDirection(Record):
    """A direction of the residual stream that a recipe's edits name, with its numbers: it goes where the recipe goes.

    Args:
        name: under which it is kept.
        layer: where it is used.
        numbers: (hidden,), float32, little-endian, in base64.
    """

    name: str
    layer: int
    numbers: str


class Recipe(Record):
    """A named group of edits.

    Args:
        name: what the group stands for, such as `negative sentiment`.
        fingerprint: the model that the edits were made for.
        model: that model's name, for people.
        note: a text, or "".
        interventions: the edits, in their canonical text.
        directions: those that are kept by name and that the edits name; in a file only.
    """

    name: str
    fingerprint: str
    model: str = ""
    note: str = ""
    interventions: tuple[str, ...]
    directions: tuple[CarriedDirection, ...] = ()


class SavedRecipe(Recipe):
    """A recipe in the database.

    Args:
        id: its number.
        created: when it was kept, UTC.
    """

    id: int
    created: datetime
