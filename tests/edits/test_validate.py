"""Edits and names against a model's shape; overlaps against a brute force over positions."""

from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lm_debugger.edits.grammar import parse, parse_all
from lm_debugger.edits.validate import check, check_name
from lm_debugger.errors import EditError, ValueNameError
from lm_debugger.records.edit import Edit
from lm_debugger.records.names import Extent, ValueName


@dataclass(frozen=True)
class Shape:
    """A model's shape written down: for each layer the dense width, the number of experts and their width."""

    table: tuple[tuple[int, int, int], ...]

    @property
    def layers(self) -> int:
        return len(self.table)

    def extents(self, layer: int) -> tuple[Extent, ...]:
        dense, experts, width = self.table[layer]
        return Extent("D", (dense,)), Extent("ED", (experts, width))


# dense, dense, a mixture of experts, a mixture with shared weights, no feed-forward
SHAPE = Shape(((64, 0, 0), (64, 0, 0), (0, 8, 16), (32, 8, 16), (0, 0, 0)))


@pytest.mark.parametrize("name", ["L0D0", "L1D63", "L2E0D0", "L2E7D15", "L3D31", "L3E7D15"])
def test_existing_names_pass(name: str) -> None:
    check_name(ValueName.parse(name), SHAPE)
    check([parse(f"{name}=off")], SHAPE, prompt_length=3, length=3)


@pytest.mark.parametrize(
    ("name", "what", "cure"),
    [
        ("L99D1", "no layer 99", "layers 0 to 4"),
        ("L5D1", "no layer 5", "layers 0 to 4"),
        ("L0D64", "no dimension 64", "dimensions 0 to 63"),
        ("L0E1D3", "layer 0 has no experts", "L0D3 (dimensions 0 to 63)"),
        ("L2D45", "layer 2 is a mixture of experts", "L2E0D15 (experts 0 to 7, dimensions 0 to 15)"),
        ("L2E8D1", "no expert 8", "experts 0 to 7"),
        ("L2E7D16", "no dimension 16", "dimensions 0 to 15"),
        ("L3D32", "no dimension 32", "dimensions 0 to 31, or an expert's vector such as L3E0D15"),
        ("L4D1", "layer 4 has no feed-forward", "0-3"),
        ("L4E1D1", "layer 4 has no feed-forward", "0-3"),
    ],
)
def test_names_that_do_not_exist(name: str, what: str, cure: str) -> None:
    with pytest.raises(ValueNameError) as of_name:
        check_name(ValueName.parse(name), SHAPE)
    with pytest.raises(EditError) as of_edit:
        check([parse(f"{name}=off@last")], SHAPE, prompt_length=3, length=3)
    for error in (of_name.value, of_edit.value):
        assert name in error.what
        assert what in error.what
        assert cure in error.cure
    assert f"{name}=off@last" in of_edit.value.what


def test_a_position_beyond_the_text() -> None:
    check([parse("L0D0=off@3,5-7")], SHAPE, prompt_length=4, length=8)
    with pytest.raises(EditError, match=r"no position 7, the text has 7 tokens. Use positions 0 to 6"):
        check([parse("L0D0=off@3,5-7")], SHAPE, prompt_length=4, length=7)


def test_named_scopes_need_no_length() -> None:
    for scope in ("all", "prompt", "generated", "last"):
        check([parse(f"L0D0=off@{scope}")], SHAPE, prompt_length=1, length=1)


def test_an_overlap_names_both_edits_and_the_position() -> None:
    with pytest.raises(EditError) as caught:
        check(parse_all(["L0D0=off@last", "L0D1=off", "L0D0=on@0-2"]), SHAPE, prompt_length=3, length=3)
    assert "'L0D0=on@0-2' and 'L0D0=off@last'" in caught.value.what
    assert "position 2" in caught.value.what


def test_the_same_edit_twice_is_refused() -> None:
    with pytest.raises(EditError, match="both edit L0D0"):
        check(parse_all(["L0D0=off", "L0D0=off"]), SHAPE, prompt_length=3, length=3)


LENGTH = 12
EDITS = st.builds(
    "L0D{}=off@{}".format,
    st.integers(0, 1),
    st.sampled_from(["all", "prompt", "generated", "last"])
    | st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=2).map(
        lambda ranges: ",".join(f"{first}-{first + more}" for first, more in ranges)
    ),
).map(parse)


def positions(edit: Edit, prompt_length: int) -> set[int]:
    """Every position below LENGTH that the edit touches, one by one."""
    return {
        position
        for position in range(LENGTH)
        for interval in edit.scope.intervals(prompt_length)
        if position >= interval.start and (interval.stop is None or position < interval.stop)
    }


@given(st.lists(EDITS, max_size=5), st.integers(1, LENGTH - 1))
def test_overlaps_equal_brute_force(edits: list[Edit], prompt_length: int) -> None:
    meet = any(
        first.value == second.value and positions(first, prompt_length) & positions(second, prompt_length)
        for at, first in enumerate(edits)
        for second in edits[at + 1 :]
    )
    with pytest.raises(EditError) if meet else nullcontext():
        check(edits, SHAPE, prompt_length=prompt_length, length=LENGTH)
