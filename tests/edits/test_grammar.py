"""The text of an edit: what it accepts, what it refuses and how it says so."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lm_debugger.edits.grammar import parse, parse_all
from lm_debugger.errors import EditError
from lm_debugger.records import limits
from lm_debugger.records.edit import WITH_AMOUNT, WITH_STRENGTH, Edit, Operation, Scope, ScopeKind
from lm_debugger.records.names import ValueName

INDEX = st.integers(0, 10**9 - 1)


@st.composite
def position_scopes(draw: st.DrawFn) -> Scope:
    """Positions in normal form: ascending ranges that do not touch."""
    bounds = draw(
        st.lists(st.integers(0, 10**8), min_size=2, max_size=12, unique=True).filter(lambda b: len(b) % 2 == 0)
    )
    bounds.sort()
    ranges: list[tuple[int, int]] = []
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        if not ranges or first > ranges[-1][1] + 1:
            ranges.append((first, first if draw(st.booleans()) else last))
    return Scope(kind=ScopeKind.POSITIONS, positions=tuple(ranges))


SCOPES = st.one_of(
    st.sampled_from([Scope(kind=kind) for kind in ScopeKind if kind is not ScopeKind.POSITIONS]), position_scopes()
)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """Any valid edit."""
    operation = draw(st.sampled_from(Operation))
    amount = None
    if operation in WITH_AMOUNT:
        amount = draw(st.floats(-limits.AMOUNT, limits.AMOUNT))
    elif operation in WITH_STRENGTH:
        amount = draw(st.none() | st.floats(0, limits.AMOUNT).filter(lambda factor: factor != 1))
    return Edit(
        value=ValueName(draw(INDEX), draw(INDEX), draw(st.none() | INDEX)),
        operation=operation,
        amount=amount,
        scope=draw(SCOPES),
    )


@given(edits())
def test_canonical_text_reads_back(edit: Edit) -> None:
    assert parse(str(edit)) == edit
    assert str(parse(str(edit))) == str(edit)


@given(edits(), st.data())
def test_case_spaces_and_dashes_do_not_matter(edit: Edit, data: st.DataObject) -> None:
    text = str(edit)
    for part in ("*=", "+=", "=", "@", ","):
        if part in text:
            head, tail = text.split(part, 1)
            spaces = data.draw(st.text(" \t", max_size=2))
            text = f"{head}{spaces}{part}{spaces}{tail}"
            if part.endswith("="):
                break
    text = text.replace("@", " @ ").replace(",", " , ").replace("-", data.draw(st.sampled_from("-−–")))
    assert parse(data.draw(st.sampled_from([text.upper(), text.lower(), f"  {text} "]))) == edit


@given(st.text() | st.text("L12E3D45=on*onflayermx*+-@allpromptgenerated,.0 −", max_size=30))
def test_any_text_is_an_edit_or_an_edit_error(text: str) -> None:
    edit = None
    with suppress(EditError):
        edit = parse(text)
    if edit is not None:
        assert parse(str(edit)) == edit


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=8))
def test_positions_are_normalised_and_keep_every_position(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" for first, more in ranges)
    positions = parse(f"L0D0=off@{text}").scope.positions
    wanted = {position for first, more in ranges for position in range(first, first + more + 1)}
    assert {position for first, last in positions for position in range(first, last + 1)} == wanted
    assert all(positions[i][1] + 1 < positions[i + 1][0] for i in range(len(positions) - 1))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("L12D345=off", "L12D345=off"),
        ("L12D345=on", "L12D345=on"),
        ("L12D345=on-", "L12D345=on-"),
        ("L12D345=on−", "L12D345=on-"),
        ("L12D345=on*0.5", "L12D345=on*0.5"),
        ("L12D345 = ON− * .5 @ last", "L12D345=on-*0.5@last"),
        ("L12D345=on*1", "L12D345=on"),
        ("L12D345=on-*1e0", "L12D345=on-"),
        ("L12D345=on*-0", "L12D345=on*0.0"),
        ("L12D345=layermax", "L12D345=layermax"),
        ("L12D345=3.5", "L12D345=3.5"),
        ("L12D345=-.5", "L12D345=-0.5"),
        ("L12D345=−3", "L12D345=-3.0"),
        ("L12D345=+1e-3", "L12D345=0.001"),
        ("L12D345*=2", "L12D345*=2.0"),
        ("L12D345+=1", "L12D345+=1.0"),
        ("L12D345-=1", "L12D345+=-1.0"),
        ("l12e3d45 = OFF @ Generated", "L12E3D45=off@generated"),
        ("L1D2=on@all", "L1D2=on"),
        ("L1D2=on@prompt", "L1D2=on@prompt"),
        ("L1D2=on@last", "L1D2=on@last"),
        ("L1D2=on@3,5-7", "L1D2=on@3,5-7"),
        ("L1D2=on@7, 5 – 6,3,3-3", "L1D2=on@3,5-7"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        ("", "is empty", "L12D345=off"),
        ("L12D345", "'L12D345' has no operation", "L12D345=off"),
        ("L12D345@last", "has no operation", "L12D345=off"),
        ("hello", "'hello' is not an edit", "L12D345=off"),
        ("L12D345*2", "'*2'", "L12D345*=2."),
        ("L12D345:off", "':off'", "L12D345=off"),
        ("L12D345/=2", "'/='", "L12D345*=0.5"),
        ("L12D345=", "nothing after '='", "L12D345=2"),
        ("L12D345=of", "'of'", "Did you mean L12D345=off?"),
        ("L12D345=max", "'max'", "Did you mean L12D345=layermax?"),
        ("L12D345=zzz", "'zzz'", "Use =off, =on"),
        ("L12D345=nan", "not a finite number", "L12D345=2"),
        ("L12D345=-inf", "not a finite number", "L12D345=2"),
        ("L12D345*=1e999", "too large", "L12D345*=2"),
        ("L12D345=3,5", "'3,5'", "L12D345=3.5"),
        ("L12D345=1_000", "'1_000'", "Use =off"),
        ("L12D345*=off", "goes with '='", "L12D345=off"),
        ("L12D345=on*-1", "factor -1 in 'L12D345=on*-1' is negative", "L12D345=on- for"),
        ("L12D345=on-*-.5", "factor -.5", "L12D345=on for"),
        ("L12D345=on*", "nothing after '*'", "L12D345=on*0.5"),
        ("L12D345=on*x", "'x' in", "L12D345=on*2"),
        ("L12D345=on*0,5", "'0,5'", "L12D345=on*0.5"),
        ("L12D345=on-*inf", "not a finite number", "L12D345=on-*2"),
        ("L12D345=on*1e999", "too large", "L12D345=on*2"),
        ("L12D345=off*0.5", "'off' in 'L12D345=off*0.5' takes no factor", "L12D345=off"),
        ("L12D345=on+1", "'on+1'", "L12D345=on"),
        ("L12D345+=x", "'x' in", "L12D345+=2"),
        ("=off", "does not say which coefficient", "L12D345=off"),
        ("L12=off", "'L12' does not name a value vector", "L12D345"),
        ("L12D345=off@", "nothing after '@'", "@generated"),
        ("L12D345=off@generate", "'generate'", "Did you mean @generated?"),
        ("L12D345=off@first", "'first'", "@prompt"),
        ("L12D345=off@-1", "negative", "@last"),
        ("L12D345=off@7-5", "runs backwards", "5-7"),
        ("L12D345=off@3,,5", "'' in", "@3,5-7"),
        ("L12D345=off@3.5", "'3.5'", "@3,5-7"),
        ("L12D345=off@3@4", "'3@4'", "@3,5-7"),
    ],
)
def test_errors_name_the_wrong_part_and_the_cure(text: str, what: str, cure: str) -> None:
    with pytest.raises(EditError) as caught:
        parse(text)
    assert what in caught.value.what
    assert cure in caught.value.cure


def test_parse_all_takes_text_and_edits_and_normalises_both() -> None:
    scope = Scope(kind=ScopeKind.POSITIONS, positions=((5, 7), (3, 4)))
    ready = Edit(value=ValueName(1, 2), operation=Operation.OFF, scope=scope)
    assert [str(edit) for edit in parse_all(["L0D0=on", ready])] == ["L0D0=on", "L1D2=off@3-7"]
    assert parse_all("L0D0=on") == parse_all(["L0D0=on"])
    assert parse_all([]) == ()


def test_parse_all_refuses_a_ready_made_edit_that_is_not_finite() -> None:
    with pytest.raises(EditError, match="not a finite number"):
        parse_all([Edit(value=ValueName(1, 2), operation=Operation.SET, amount=math.nan)])


def test_a_ready_made_strength_of_one_is_plain_on() -> None:
    edit = Edit(value=ValueName(1, 2), operation=Operation.ON, amount=1.0)
    assert parse_all([edit]) == parse_all(["L1D2=on"])
