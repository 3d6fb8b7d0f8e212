"""Which position of one text stands for which of another: alike from the start, alike to the end, and between."""

from collections.abc import Sequence
from typing import NamedTuple


class Alignment(NamedTuple):
    """For each position of one text the other's, or None; and how it was found."""

    positions: tuple[int | None, ...]
    how: str


def align(ids: Sequence[int], other: Sequence[int]) -> Alignment:
    """Align two texts at the tokens that differ.

    Texts of one length: each position with its like. Others: what is the same at the start and at the end is aligned;
    what is between, from its end.
    """
    if len(ids) == len(other):
        return Alignment(tuple(range(len(ids))), "position by position: the texts have as many tokens")
    shorter = min(len(ids), len(other))
    start = next((n for n in range(shorter) if ids[n] != other[n]), shorter)
    end = next((n for n in range(shorter - start) if ids[-1 - n] != other[-1 - n]), shorter - start)
    middle, middle_other = len(ids) - start - end, len(other) - start - end
    found: list[int | None] = list(range(start))
    found += [start + middle_other - middle + n if middle_other - middle + n >= 0 else None for n in range(middle)]
    found += [len(other) - end + n for n in range(end)]
    how = (
        f"the first {start} tokens and the last {end} are the same; of what is between, {middle} tokens here and "
        f"{middle_other} there, the last ones are aligned"
    )
    return Alignment(tuple(found), how)
