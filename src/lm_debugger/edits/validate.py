"""Check edits and value names against a model's shape, before anything runs. Knows nothing of torch.

What is refused: a layer, expert or dimension that the model does not have; an explicit position beyond the text;
two edits of one coefficient at one position, whose order would decide the result.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

from lm_debugger.errors import EditError, ValueNameError
from lm_debugger.records.edit import Edit, Interval, ScopeKind
from lm_debugger.records.names import ValueName


class ModelShape(Protocol):
    """How many value vectors a model has, and where."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    def dense_width(self, layer: int) -> int:
        """Number of value vectors in the layer's dense feed-forward weights, 0 if it has none."""

    def experts(self, layer: int) -> tuple[int, int]:
        """Number of experts in the layer and of value vectors in each, (0, 0) if it has none."""


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


def check_name(name: ValueName, shape: ModelShape) -> None:
    """Raise unless the model has the value vector.

    Raises:
        ValueNameError: naming what does not exist and what would be valid.
    """
    problem = _problem(name, shape)
    if problem is not None:
        raise ValueNameError(*problem)


def _problem(name: ValueName, shape: ModelShape) -> tuple[str, str] | None:
    """Why the model has no such value vector, and the cure; None if it has it."""
    layer = name.layer
    if layer >= shape.layers:
        return f"{name} does not exist: the model has no layer {layer}.", f"Use layers {_span(shape.layers)}."
    dense, (experts, width) = shape.dense_width(layer), shape.experts(layer)
    if not dense and not experts:
        others = [at for at in range(shape.layers) if shape.dense_width(at) or shape.experts(at)[0]]
        cure = f"Layers with value vectors: {_ranges(others)}." if others else "No layer of this model has any."
        return f"{name} does not exist: layer {layer} has no feed-forward.", cure
    if name.expert is None:
        return _dense_problem(name, dense, experts, width)
    return _expert_problem(name, dense, experts, width)


def _dense_problem(name: ValueName, dense: int, experts: int, width: int) -> tuple[str, str] | None:
    """The same for a name without an expert, in a layer with value vectors."""
    layer, dimension = name.layer, name.dimension
    example = f"L{layer}E0D{min(dimension, max(width - 1, 0))}"
    if not dense:
        return (
            f"{name} does not exist: layer {layer} is a mixture of experts.",
            f"Name the expert too, such as {example} (experts {_span(experts)}, dimensions {_span(width)}).",
        )
    if dimension < dense:
        return None
    # With shared weights beside experts, an expert's vector may have been meant.
    cure = f"Use dimensions {_span(dense)}" + (f", or an expert's vector such as {example}." if experts else ".")
    return f"{name} does not exist: layer {layer} has no dimension {dimension}.", cure


def _expert_problem(name: ValueName, dense: int, experts: int, width: int) -> tuple[str, str] | None:
    """The same for a name with an expert, in a layer with value vectors."""
    layer, dimension = name.layer, name.dimension
    if not experts:
        return (
            f"{name} does not exist: layer {layer} has no experts.",
            f"Write it without one, such as L{layer}D{min(dimension, dense - 1)} (dimensions {_span(dense)}).",
        )
    if name.expert is not None and name.expert >= experts:
        return f"{name} does not exist: layer {layer} has no expert {name.expert}.", f"Use experts {_span(experts)}."
    if dimension >= width:
        return (
            f"{name} does not exist: the experts of layer {layer} have no dimension {dimension}.",
            f"Use dimensions {_span(width)}.",
        )
    return None


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
    touched: dict[ValueName, list[tuple[Interval, Edit]]] = {}
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
