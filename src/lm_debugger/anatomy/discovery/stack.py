"""Finds the stack of layers in a recorded forward: the numbered siblings with the most parameters."""

from collections import defaultdict

from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.errors import UnsupportedModelError


def find_layers(calls: list[Call], length: int) -> list[Call]:
    """The calls of the layers, in order.

    A layer takes a stream (1, length, hidden) and returns one of the same shape; the layers are numbered siblings
    (children of one module list), and of all such families the one with the most parameters.

    Raises:
        UnsupportedModelError: if there is no such family.
    """
    families: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        parent, _, name = call.path.rpartition(".")
        if name.isdecimal() and call.entered is not None and call.left is not None:
            families[parent].append(call)
    odd = ""
    best: list[Call] = []
    most = 0
    for parent, family in families.items():
        parameters = sum(p.numel() for module in {call.module for call in family} for p in module.parameters())
        shapes = {(tuple(call.entered.shape), tuple(call.left.shape)) for call in family}  # type: ignore[union-attr]
        if parameters <= most:
            continue
        if all(entered == left and _is_stream(left, length) for entered, left in shapes):
            best, most, odd = family, parameters, ""
        elif not best or parameters > most:
            odd = f"{parent}: {', '.join(f'{a} → {b}' for a, b in sorted(shapes)[:2])}"
            if any(_more_streams(left, length) for _, left in shapes):
                best, most = [], parameters
    if len({call.path for call in best}) < len(best):
        raise UnsupportedModelError(
            f"The model runs its layers in a loop ({len(best)} runs of {len({call.path for call in best})} layers): "
            "a layer's index does not name one place in the residual stream."
        )
    if best:
        return best
    if odd:
        raise UnsupportedModelError(
            f"The residual stream is not one vector a token: the layers in {odd}.",
            "Models with several parallel residual streams are not supported.",
        )
    raise UnsupportedModelError("No stack of layers was found: no numbered modules pass on a stream.")


def _is_stream(shape: tuple[int, ...], length: int) -> bool:
    return len(shape) == 3 and shape[:2] in ((1, length), (length, 1))


def _more_streams(shape: tuple[int, ...], length: int) -> bool:
    return len(shape) == 4 and length in shape[:3]
