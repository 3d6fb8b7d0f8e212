"""Recipes: a named group of edits as a text file, checked against a model, and scaled together.

    # LM-Debugger recipe
    # name: negative sentiment
    # model: demo
    # fingerprint: 0123456789abcdef
    # note: one line of the note; more lines, more notes
    # direction: polite 12 AACAPwAAAEA…
    L12D345=on
    L28D1328=on*0.5@generated

The first line and the fingerprint are needed. Fields stand before the first edit; other lines that begin with `#`, and
blank ones, say nothing. The edits are those of `edits.grammar`. A direction that is kept by name is carried with its
numbers at each layer where the edits use it: float32, little-endian, in base64.
"""

import math
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from lm_debugger.edits.grammar import parse, parse_all
from lm_debugger.edits.validate import ModelShape
from lm_debugger.edits.validate import check as check_edits
from lm_debugger.errors import EditError, OptionError, RecipeError, WrongModelError
from lm_debugger.records import limits
from lm_debugger.records.direction import check_direction_name
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.recipe import CarriedDirection, Recipe
from lm_debugger.records.visible import printable
from lm_debugger.store.files import replace

HEADER = "# LM-Debugger recipe"

_ONCE = ("name", "model", "fingerprint")
_CARRIED = re.compile(r"(?P<name>\S+) +(?P<layer>\d{1,9}) +(?P<numbers>[A-Za-z0-9+/]+={0,2})", re.ASCII)
_ANY_TEXT = 10**9 + 1  # more tokens than any position that an edit can name


class KnownModel(ModelShape, Protocol):
    """What a recipe is checked against."""

    @property
    def summary(self) -> ModelSummary:
        """The model's name, size and fingerprint."""


def read(text: str, most: int = limits.EDITS) -> Recipe:
    """Read a recipe's text.

    Args:
        most: edits that it may have.

    Raises:
        RecipeError: naming the line, what is wrong with it and the cure.
    """
    if len(text) > limits.RECIPE:
        raise RecipeError(f"The recipe has {len(text):,} characters, more than {limits.RECIPE:,}.", "Split it.")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if "\0" in text:
        raise RecipeError("The recipe is not text: it has a character U+0000.", "Save it as a text file.")
    fields: dict[str, str] = {}
    notes: list[str] = []
    directions: list[CarriedDirection] = []
    edits: list[Edit] = []
    begun = False
    for number, line in enumerate(lines, start=1):
        plain = line.strip()
        if not plain:
            continue
        if not begun:
            if plain.casefold() != HEADER.casefold():
                raise RecipeError(f"Line {number} is not a recipe's first line.", f"Begin the file with {HEADER!r}.")
            begun = True
        elif not plain.startswith("#"):
            if len(edits) == most:
                raise RecipeError(f"The recipe has more than {most:,} edits.", "Split it.")
            edits.append(_edit(number, plain))
        elif not edits:
            _field(number, line.lstrip(), fields, notes, directions)
    if not begun:
        raise RecipeError("The recipe is empty.", f"Begin it with {HEADER!r}.")
    return within_limits(_joined(fields, notes, edits).model_copy(update={"directions": tuple(directions)}))


def _joined(fields: dict[str, str], notes: list[str], edits: list[Edit]) -> Recipe:
    """The recipe of what was read; RecipeError if something that it needs is missing."""
    if not fields.get("fingerprint"):
        raise RecipeError(
            "The recipe does not say which model it is for.",
            "Add a line such as '# fingerprint: 0123456789abcdef' before the edits; `lm-debugger examine` tells it.",
        )
    if not fields.get("name"):
        raise RecipeError("The recipe has no name.", "Add a line such as '# name: sentiment' before the edits.")
    if not edits:
        raise RecipeError("The recipe has no edits.", "Add one on a line of its own, such as L12D345=on.")
    return Recipe(
        name=fields["name"],
        fingerprint=fields["fingerprint"],
        model=fields.get("model", ""),
        note="\n".join(notes),
        interventions=tuple(map(str, edits)),
    )


def within_limits(recipe: Recipe) -> Recipe:
    """The recipe, if its name and note are not too long and hold no character that a terminal would obey.

    Raises:
        RecipeError: naming what is wrong.
    """
    for field, most in (
        ("name", limits.NAME),
        ("model", limits.NOTE),
        ("fingerprint", limits.NAME),
        ("note", limits.NOTE),
    ):
        text = getattr(recipe, field)
        if len(text) > most:
            raise RecipeError(f"The recipe's {field} has {len(text):,} characters, more than {most:,}.", "Shorten it.")
        if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
            raise RecipeError(
                f"The recipe's {field} has a control character: {printable(text)[:80]!r}.", "Take it out."
            )
    return recipe


def read_file(path: str | os.PathLike[str]) -> Recipe:
    """Read a recipe's file.

    Raises:
        RecipeError: if it cannot be read; it names the file.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            text = file.read(limits.RECIPE + 1)  # no more of a device or a huge file
    except FileNotFoundError:
        raise RecipeError(f"There is no file {path}.", "Give the path of a recipe.") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path} is not UTF-8 text.", "Give the path of a recipe.") from None
    except (OSError, ValueError) as failure:
        raise RecipeError(f"{path} cannot be read: {failure}.", "Give the path of a recipe.") from None
    try:
        return read(text)
    except RecipeError as error:
        raise RecipeError(f"In {path}: {error.what}", error.cure) from None


def write(recipe: Recipe) -> str:
    """The text of a recipe, which `read` reads back.

    Raises:
        RecipeError: if its name, model or fingerprint cannot stand on a line, or it has no edits.
        EditError: if one of its edits is not an edit.
    """
    if len(recipe.interventions) > limits.EDITS:
        raise RecipeError(f"The recipe has more than {limits.EDITS:,} edits.", "Split it.")
    lines = [HEADER]
    for field in _ONCE:
        value = getattr(recipe, field).strip()
        if not value and field != "model":
            raise RecipeError(f"The recipe has no {field}.", "Give it one.")
        if any(character in value for character in "\n\r\0"):
            raise RecipeError(f"The recipe's {field} {value!r} is not one line of text.", "Use a single line.")
        if value:
            lines.append(f"# {field}: {value}")
    note = recipe.note.replace("\r\n", "\n").replace("\r", "\n")
    within_limits(recipe.model_copy(update={"note": note}))
    lines += [f"# note: {line}" for line in note.split("\n") if note]
    lines += [f"# direction: {each.name} {each.layer} {each.numbers}" for each in recipe.directions]
    edits = parse_all(recipe.interventions)
    if not edits:
        raise RecipeError(f"The recipe {recipe.name!r} has no edits.", "Add one, such as L12D345=on.")
    text = "\n".join([*lines, *map(str, edits), ""])
    if recipe.directions and len(text) > limits.RECIPE:
        raise RecipeError(
            f"With the directions that it carries the recipe has more than {limits.RECIPE:,} characters.",
            "Let its edits name kept directions at fewer layers.",
        )
    return text


def write_file(recipe: Recipe, path: str | os.PathLike[str]) -> None:
    """Write a recipe's file, in place of what was there.

    Raises:
        RecipeError: if it cannot be written (what was there stays); otherwise as `write`.
    """
    text = write(recipe)
    try:
        replace(Path(path), text)
    except (OSError, ValueError) as failure:
        raise RecipeError(f"{path} cannot be written: {failure}.", "Give the path of a file to write.") from None


def check(recipe: Recipe, model: KnownModel) -> tuple[Edit, ...]:
    """The edits of a recipe, if it is this model's.

    Raises:
        WrongModelError: if it was made for another model.
        EditError: if an edit names what the model does not have, or two edits would meet in any longer text.
    """
    summary = model.summary
    if recipe.fingerprint != summary.fingerprint:
        theirs = f"{recipe.model} ({recipe.fingerprint})" if recipe.model else recipe.fingerprint
        raise WrongModelError(
            f"The recipe {recipe.name!r} is for the model {theirs}, not for {summary.name} ({summary.fingerprint}).",
            "Load that model; a value vector's number means nothing in another one.",
        )
    edits = parse_all(recipe.interventions)
    check_edits(edits, model, prompt_length=_ANY_TEXT, length=_ANY_TEXT)
    return edits


def scaled(edits: Iterable[Edit], strength: float) -> tuple[Edit, ...]:
    """A group of edits made stronger or weaker together.

    Args:
        edits: the group.
        strength: from 0; 1 leaves the edits as they are. Numbers that are set or added, and the strengths of `on`, are
            multiplied by it; a factor `*=a` becomes 1 + (a - 1)·strength, and `off` is the factor 0.

    Raises:
        OptionError: if the strength is not a finite number from 0.
        EditError: if an edit cannot be scaled, or an amount would not be finite.
    """
    if not (math.isfinite(strength) and strength >= 0):
        raise OptionError(f"The strength is {strength}.", "It must be a number from 0, such as 0.5.")
    return parse_all(edits if strength == 1 else [_scaled(edit, strength) for edit in edits])


def _scaled(edit: Edit, strength: float) -> Edit:
    amount = edit.amount
    match edit.operation:
        case Operation.ON | Operation.ON_NEGATIVE:
            return edit.changed(amount=(1.0 if amount is None else amount) * strength)
        case Operation.SET | Operation.ADD:
            return edit.changed(amount=(amount or 0.0) * strength)
        case Operation.SCALE | Operation.OFF:
            scale = 1 + ((amount or 0.0) - 1) * strength
            return edit.changed(operation=Operation.SCALE, amount=scale)
        case Operation.LAYER_MAXIMUM:
            raise EditError(
                f"Edit '{edit}' cannot be made stronger or weaker.", f"Use strength 1, or write {edit.value}=on."
            )


def _edit(number: int, text: str) -> Edit:
    try:
        return parse(text)
    except EditError as error:
        raise RecipeError(f"Line {number}: {error.what}", error.cure) from None


def _carried(number: int, value: str) -> CarriedDirection:
    found = _CARRIED.fullmatch(value.strip())
    if found is None:
        raise RecipeError(f"Line {number} is no direction.", "Write '# direction: NAME LAYER NUMBERS', or take it out.")
    try:
        name = check_direction_name(found["name"])
    except OptionError as error:
        raise RecipeError(f"Line {number}: {error.what}", error.cure) from None
    return CarriedDirection(name=name, layer=int(found["layer"]), numbers=found["numbers"])


def _field(
    number: int, line: str, fields: dict[str, str], notes: list[str], directions: list[CarriedDirection]
) -> None:
    """Read a line `# key: value`; one with another key is a comment."""
    key, colon, value = line[1:].partition(":")
    key = key.strip().lower()
    if not colon:
        return
    if key == "note":
        notes.append(value.removeprefix(" "))
    elif key == "direction":
        directions.append(_carried(number, value))
    elif key in _ONCE:
        if key in fields:
            raise RecipeError(f"Line {number}: the {key} is given a second time.", "Keep one of them.")
        fields[key] = value.strip()
