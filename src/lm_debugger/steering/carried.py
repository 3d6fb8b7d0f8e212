"""Directions that are kept, as recipes carry them: put in where a recipe leaves, kept where one comes in."""

import base64
import binascii
from collections.abc import Iterable

import torch
from torch import Tensor

from lm_debugger.errors import RecipeError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionName, DirectionSummary
from lm_debugger.records.edit import Edit
from lm_debugger.records.recipe import CarriedDirection, Recipe
from lm_debugger.steering import kept


def carried(model: LoadedModel, edits: Iterable[Edit]) -> tuple[CarriedDirection, ...]:
    """The kept directions that edits name, at each layer where they use them.

    Raises:
        DirectionError: if one is not kept.
    """
    wanted = sorted({(name, layer) for edit in edits for name, layer in _named(edit)})
    return tuple(
        CarriedDirection(name=name, layer=layer, numbers=_text(kept.read(model, name, [layer])[0]))
        for name, layer in wanted
    )


def take(model: LoadedModel, recipe: Recipe) -> None:
    """Keep the directions that a recipe carries, for this model. What is kept already must be the same.

    Raises:
        RecipeError: if one cannot be read, or another is kept under its name.
        DirectionError: if it cannot be kept.
    """
    found: dict[str, dict[int, Tensor]] = {}
    for each in recipe.directions:
        found.setdefault(each.name, {})[each.layer] = _numbers(model, each)
    merged = {name: _merged(model, name, vectors) for name, vectors in found.items()}  # all, before any is kept
    for name, every in merged.items():
        if every:
            about = DirectionSummary(
                name=name,
                model=model.name,
                fingerprint=model.fingerprint,
                made=f"the recipe {recipe.name}",
                layers=tuple(sorted(every)),
                hidden=model.anatomy.hidden_size,
            )
            kept.write(model, about, every)


def _merged(model: LoadedModel, name: str, vectors: dict[int, Tensor]) -> dict[int, Tensor]:
    """What is kept under a name and what a recipe adds to it; nothing if it adds nothing."""
    before = next((each for each in kept.listing(model.fingerprint).directions if each.name == name), None)
    if before is None:
        return vectors
    mine = dict(zip(before.layers, kept.read(model, name, before.layers), strict=True))
    for layer, vector in vectors.items():
        if layer in mine and not torch.equal(mine[layer], vector):
            raise RecipeError(
                f"The recipe carries a direction {name!r}, and another one is kept under that name.",
                f"Remove yours (lm-debugger direction remove {name}), or give the recipe's another name.",
            )
    return {} if vectors.keys() <= mine.keys() else {**mine, **vectors}


def _named(edit: Edit) -> list[tuple[str, int]]:
    name = edit.value
    if not isinstance(name, DirectionName) or name.kind != "kept":
        return []
    return [(name.terms[0].text, layer) for layer in name.layers]


def _text(vector: Tensor) -> str:
    return base64.b64encode(vector.float().contiguous().numpy().astype("<f4").tobytes()).decode()


def _numbers(model: LoadedModel, each: CarriedDirection) -> Tensor:
    what = f"The direction {each.name!r} at layer {each.layer} of the recipe"
    hidden = model.anatomy.hidden_size
    try:
        content = base64.b64decode(each.numbers, validate=True)
    except (binascii.Error, ValueError):
        raise RecipeError(f"{what} cannot be read.", "Take the recipe anew from where it was made.") from None
    if each.layer >= model.layers or len(content) != 4 * hidden:
        raise RecipeError(f"{what} is not of this model's shape.", f"It has {model.layers} layers, {hidden} wide.")
    vector = torch.frombuffer(bytearray(content), dtype=torch.float32)
    if not bool(vector.isfinite().all()) or not float(vector.norm()):
        raise RecipeError(f"{what} is no direction.", "It must be finite, and not 0.")
    return vector
