"""The one naming authority for units: `L12D345` and `L12E3D45` name value vectors, `L12H3` a head.

A name is the layer and then one or more letters with their numbers. The letters tell the kind: a new kind of unit
registers the class of its names with `naming`. A layer that has both experts and dense (shared) feed-forward weights
names the dense ones without `E`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.records import limits

_LAYERS = re.compile(r"\s*(\d{1,9})\s*(?:[-–]\s*(\d{1,9}))?\s*", re.ASCII)
_UNIT = re.compile(r"L(\d{1,9})((?:[A-Z]\d{1,9}){1,4})", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"([A-Z])(\d{1,9})", re.ASCII)


class UnitName(Protocol):
    """Names one unit of a model. `str` gives its text; equal names are equal and have equal hashes."""

    @property
    def layer(self) -> int:
        """Index of the layer, from 0."""

    @property
    def letters(self) -> str:
        """The letters after the layer, which tell the kind of unit: `D`, `ED`, `H`."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers after the letters."""


_kinds: dict[str, tuple[Callable[..., UnitName], str]] = {}


def naming(letters: str, make: Callable[..., UnitName], example: str) -> None:
    """Have names with these letters made by `make(layer, *numbers)`; the example shows users how one looks."""
    _kinds[letters] = make, example


def unit_name(layer: int, letters: str, numbers: tuple[int, ...]) -> UnitName:
    """The name of a unit whose kind is known."""
    return _kinds[letters][0](layer, *numbers)


def read_unit(text: str) -> UnitName:
    """Read the name of any unit (case does not matter).

    Raises:
        ValueNameError: if the text is no such name.
    """
    match = _UNIT.fullmatch(text.strip()) if len(text) <= limits.UNIT_NAME else None
    if match is not None:
        parts = _PART.findall(match[2].upper())
        letters = "".join(letter for letter, _ in parts)
        if letters in _kinds:
            return unit_name(int(match[1]), letters, tuple(int(number) for _, number in parts))
    examples = ", ".join(example for _, example in _kinds.values())
    raise ValueNameError(f"{_shown(text)!r} does not name a value vector or a head.", f"Write it as one of {examples}.")


def _shown(text: str) -> str:
    return text if len(text) <= limits.UNIT_NAME else f"{text[:40]}…"


def numbered(name: UnitName, letter: str) -> int | None:
    """The number after a letter of a name, such as that of the expert; None if the name has no such letter."""
    return dict(zip(name.letters, name.numbers, strict=True)).get(letter)


class ValueName(NamedTuple):
    """Names one value vector: a column of a feed-forward down projection.

    Args:
        layer: index of the layer, from 0.
        dimension: index of the coefficient within the feed-forward (or within the expert), from 0.
        expert: index of the expert, or None for dense feed-forward weights.
    """

    layer: int
    dimension: int
    expert: int | None = None

    @property
    def letters(self) -> str:
        """See `UnitName`."""
        return "D" if self.expert is None else "ED"

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `UnitName`."""
        return (self.dimension,) if self.expert is None else (self.expert, self.dimension)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `L12D345` or `L12E3D45` (case does not matter).

        Raises:
            ValueNameError: if the text is not such a name.
        """
        try:
            found = read_unit(text)
        except ValueNameError:
            found = None
        if not isinstance(found, cls):
            raise ValueNameError(
                f"{_shown(text)!r} does not name a value vector.",
                "Write the layer and the dimension as in L12D345, or L12E3D45 for an expert's.",
            )
        return found

    def __str__(self) -> str:
        expert = "" if self.expert is None else f"E{self.expert}"
        return f"L{self.layer}{expert}D{self.dimension}"


@dataclass(frozen=True, slots=True, order=True)
class HeadName:
    """Names one attention head.

    Args:
        layer: index of the layer, from 0.
        head: index of the head in the layer, from 0.
    """

    layer: int
    head: int

    @property
    def letters(self) -> str:
        """See `UnitName`."""
        return "H"

    @property
    def numbers(self) -> tuple[int, ...]:
        """See `UnitName`."""
        return (self.head,)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `L12H3` (case does not matter).

        Raises:
            ValueNameError: if the text is not such a name.
        """
        try:
            found = read_unit(text)
        except ValueNameError:
            found = None
        if not isinstance(found, cls):
            raise ValueNameError(f"{text!r} does not name a head.", "Write the layer and the head as in L12H3.")
        return found

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}"


naming("D", ValueName, "L12D345")
naming("ED", lambda layer, expert, dimension: ValueName(layer, dimension, expert), "L12E3D45")
naming("H", HeadName, "L12H3")


class Extent(NamedTuple):
    """How many units of one kind a layer has: for each letter of their names a count.

    Args:
        letters: of their names.
        sizes: such as (1536,) for `D`, (32, 768) for `ED`.
    """

    letters: str
    sizes: tuple[int, ...]

    @property
    def units(self) -> int:
        """How many units there are."""
        units = 1
        for size in self.sizes:
            units *= size
        return units

    def name(self, layer: int, index: int) -> UnitName:
        """The name of the unit that is number `index`, counted with the last letter fastest."""
        numbers: list[int] = []
        for size in reversed(self.sizes):
            index, number = divmod(index, size)
            numbers.insert(0, number)
        return unit_name(layer, self.letters, tuple(numbers))

    def number(self, name: UnitName) -> int:
        """The number of a unit, counted with the last letter fastest."""
        found = 0
        for size, number in zip(self.sizes, name.numbers, strict=True):
            found = found * size + number
        return found

    def holds(self, name: UnitName) -> bool:
        """Whether the layer has the unit."""
        return name.letters == self.letters and all(n < size for n, size in zip(name.numbers, self.sizes, strict=True))


def read_layers(text: str) -> range:
    """Read a range of layers, `12-14` or `12`; both ends belong to it.

    Raises:
        OptionError: if the text is no such range.
    """
    match = _LAYERS.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is not a range of layers.", "Write it as in 12-14.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise OptionError(f"The range of layers {text!r} runs backwards.", f"Write {last}-{first}.")
    return range(first, last + 1)
