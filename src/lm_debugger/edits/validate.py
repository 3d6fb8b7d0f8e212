"""Check edits and names of units against a model's shape, before anything runs. Knows nothing of torch.

What is refused: a layer, expert or dimension that the model does not have; an explicit position beyond the text;
two edits of one coefficient at one position, whose order would decide the result.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

from lm_debugger.errors import EditError, ValueNameError
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.edit import Edit, Interval, ScopeKind
from lm_debugger.records.names import Extent, UnitName, unit_name


class ModelShape(Protocol):
    """How many units a model has, and where."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    def extents(self, layer: int) -> tuple[Extent, ...]:
        """How many units of each kind the layer has."""


def check(edits: Sequence[Edit], shape: ModelShape, *, prompt_length: int, length: int) -> None:
    """Raise unless every edit can be applied and no two meet.

    Args:
        edits: the edits to be applied together.
        shape: the model's.
        prompt_length: number of tokens in the prompt.
        length: number of tokens in the whole run, generated ones included.

    Raises:
        EditError: naming the edit, what is wrong with it, and what would be valid.
    """
    for edit in edits:
        problem = _problem(edit.value, shape)
        if problem is not None:
            what, cure = problem
            raise EditError(f"Edit '{edit}': {what}", cure)
        _check_positions(edit, length)
    _check_overlaps(edits, prompt_length)


def check_name(name: UnitName, shape: ModelShape) -> None:
    """Raise unless the model has the unit.

    Raises:
        ValueNameError: naming what does not exist and what would be valid.
    """
    problem = _problem(name, shape)
    if problem is not None:
        raise ValueNameError(*problem)


# For a letter of a name, what it numbers.
_NOUNS = {"D": "dimension", "E": "expert", "H": "head"}


def _problem(name: UnitName, shape: ModelShape) -> tuple[str, str] | None:
    """Why the model has no such unit, and the cure; None if it has it."""
    layer = name.layer
    last = name.last if isinstance(name, DirectionName) else layer
    if last >= shape.layers:
        return f"{name} does not exist: the model has no layer {last}.", f"Use layers {_span(shape.layers)}."
    if isinstance(name, DirectionName):
        return None
    here = {extent.letters: extent for extent in shape.extents(layer) if extent.units}
    own = here.get(name.letters)
    # Kinds whose names end alike are alternatives: a vector may be an expert's.
    others = [extent for letters, extent in here.items() if letters[-1] == name.letters[-1] and extent is not own]
    if own is None:
        return _absent(name, shape, others)
    for depth, (letter, number, size) in enumerate(zip(own.letters, name.numbers, own.sizes, strict=True)):
        if number < size:
            continue
        noun = _noun(letter)
        outer = f"the {_noun(own.letters[depth - 1])}s of layer {layer} have" if depth else f"layer {layer} has"
        cure = f"Use {noun}s {_span(size)}"
        # With shared weights beside experts, an expert's vector may have been meant.
        cure += f", or an expert's vector such as {_example(name, others[0])}." if others and not depth else "."
        return f"{name} does not exist: {outer} no {noun} {number}.", cure
    return None


def _absent(name: UnitName, shape: ModelShape, others: list[Extent]) -> tuple[str, str]:
    """The same for a kind of which the layer has no units."""
    layer, last = name.layer, name.letters[-1]
    if not others:
        having = [at for at in range(shape.layers) if any(e.letters[-1] == last and e.units for e in shape.extents(at))]
        what, units = ("no feed-forward", "value vectors") if last == "D" else (f"no {_noun(last)}s", f"{_noun(last)}s")
        cure = f"Layers with {units}: {_ranges(having)}." if having else "No layer of this model has any."
        return f"{name} does not exist: layer {layer} has {what}.", cure
    other = others[0]
    example = _example(name, other)
    extra = [letter for letter in other.letters if letter not in name.letters]
    if extra:
        spans = ", ".join(f"{_noun(k)}s {_span(size)}" for k, size in zip(other.letters, other.sizes, strict=True))
        return (
            f"{name} does not exist: layer {layer} is a mixture of {_noun(extra[0])}s.",
            f"Name the {_noun(extra[0])} too, such as {example} ({spans}).",
        )
    surplus = next(letter for letter in name.letters if letter not in other.letters)
    return (
        f"{name} does not exist: layer {layer} has no {_noun(surplus)}s.",
        f"Write it without one, such as {example} ({_noun(other.letters[-1])}s {_span(other.sizes[-1])}).",
    )


def _noun(letter: str) -> str:
    return _NOUNS.get(letter, letter)


def _example(name: UnitName, extent: Extent) -> UnitName:
    """A name that the extent holds, as close to the one given as can be."""
    given = dict(zip(name.letters, name.numbers, strict=True))
    numbers = (min(given.get(k, 0), size - 1) for k, size in zip(extent.letters, extent.sizes, strict=True))
    return unit_name(name.layer, extent.letters, tuple(numbers))


def _check_positions(edit: Edit, length: int) -> None:
    """Raise if the edit names a position beyond the run."""
    if edit.scope.kind is not ScopeKind.POSITIONS:
        return
    last = max(last for _, last in edit.scope.positions)
    if last >= length:
        tokens = "1 token" if length == 1 else f"{length} tokens"
        raise EditError(
            f"Edit '{edit}': there is no position {last}, the text has {tokens}.", f"Use positions {_span(length)}."
        )


def _check_overlaps(edits: Sequence[Edit], prompt_length: int) -> None:
    """Raise if two edits of one coefficient share a position.

    An edit's own intervals are disjoint, so once all of a coefficient's are sorted by their start, any overlap
    shows between two neighbours.
    """
    touched: dict[UnitName, list[tuple[Interval, Edit]]] = {}
    for edit in edits:
        for interval in edit.scope.intervals(prompt_length):
            if interval.stop is None or interval.start < interval.stop:
                touched.setdefault(edit.value, []).append((interval, edit))
    for value, places in touched.items():
        places.sort(key=lambda place: place[0].start)
        for (interval, edit), (next_interval, next_edit) in pairwise(places):
            if interval.overlaps(next_interval):
                raise EditError(
                    f"'{edit}' and '{next_edit}' both edit {value} at position {next_interval.start}.",
                    "Keep one of them, or give them scopes that do not meet, such as @prompt and @generated.",
                )


def _span(count: int) -> str:
    """The valid indices of `count` things: `0 to 11`."""
    return "0 to " + str(count - 1) if count > 1 else "0 only"


def _ranges(layers: Iterable[int]) -> str:
    """Ascending numbers, runs joined: `0-3, 8, 10-11`."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][1] + 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
