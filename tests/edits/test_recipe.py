"""Recipes: the text of their files, whose they are, and making their edits stronger together."""

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from lm_debugger.edits.grammar import parse, parse_all
from lm_debugger.edits.recipe import check, read, read_file, scaled, write
from lm_debugger.errors import EditError, LMDebuggerError, OptionError, RecipeError, WrongModelError
from lm_debugger.records.recipe import Recipe
from tests.tiny import prompt, shared

from .test_grammar import edits

TEXT = """# LM-Debugger recipe
# name: negative sentiment
# model: demo
# fingerprint: 0123456789abcdef
# note: found by search
# note:   for "bad": worse
L12D345=on
L28D1328=on*0.5@generated
"""
RECIPE = Recipe(
    name="negative sentiment",
    fingerprint="0123456789abcdef",
    model="demo",
    note='found by search\n  for "bad": worse',
    interventions=("L12D345=on", "L28D1328=on*0.5@generated"),
)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80).map(str.strip)
NOTE = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"))


def test_the_text() -> None:
    assert write(RECIPE) == TEXT
    assert read(TEXT) == RECIPE


@given(LINE, LINE, LINE, NOTE, st.lists(edits(), min_size=1, max_size=5))
def test_what_is_written_reads_back(name: str, model: str, fingerprint: str, note: str, those: list[object]) -> None:
    assume(name and fingerprint)
    recipe = Recipe(name=name, fingerprint=fingerprint, model=model, note=note, interventions=tuple(map(str, those)))
    assert read(write(recipe)) == recipe
    assert read(write(recipe).replace("\n", "\r\n")) == recipe


@given(st.text() | st.text("# LM-Debuggrcip\nname:fgrtL12D3=on", max_size=80).map(lambda text: TEXT + text))
def test_any_text_is_a_recipe_or_an_error(text: str) -> None:
    recipe = None
    with suppress(RecipeError):
        recipe = read(text)
    if recipe is not None:
        assert read(write(recipe)) == recipe


def test_comments_blank_lines_and_spelling_do_not_matter() -> None:
    text = "\ufeff\r\n# lm-debugger RECIPE\r\n#NAME:a\n\n# by: me\n#\n  # fingerprint :  f  \n l1d2 = OFF \n# name: b\n"
    assert read(text) == Recipe(name="a", fingerprint="f", interventions=("L1D2=off",))


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        ("", "is empty", "# LM-Debugger recipe"),
        ("L1D2=on", "Line 1 is not a recipe's first line", "# LM-Debugger recipe"),
        ("\n# something\n", "Line 2 is not", "# LM-Debugger recipe"),
        (TEXT.replace("# fingerprint: 0123456789abcdef\n", ""), "which model", "# fingerprint:"),
        (TEXT.replace("0123456789abcdef", ""), "which model", "# fingerprint:"),
        (TEXT.replace("# name: negative sentiment\n", ""), "no name", "# name:"),
        (TEXT.replace("L12D345=on\nL28D1328=on*0.5@generated\n", ""), "no edits", "L12D345=on"),
        (TEXT.replace("L12D345=on\n", "L12D345=of\n"), "Line 7: 'of'", "L12D345=off"),
        (TEXT.replace("# note: found by search", "# name: b"), "Line 5: the name is given a second time", "one"),
        (TEXT + "\0", "U+0000", "text file"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, what: str, cure: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read(text)
    assert what in caught.value.what
    assert cure in caught.value.cure


@pytest.mark.parametrize(
    "part", [{"name": "a\nb"}, {"name": " "}, {"model": "a\rb"}, {"fingerprint": ""}, {"interventions": ()}]
)
def test_what_cannot_be_written_is_refused(part: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        write(RECIPE.model_copy(update=part))


def test_a_recipe_of_another_model_is_refused_and_both_are_named() -> None:
    model = shared("llama").model
    with pytest.raises(WrongModelError) as caught:
        check(RECIPE, model)
    for part in ("negative sentiment", "demo", "0123456789abcdef", model.summary.name, model.fingerprint):
        assert part in caught.value.what
    assert (caught.value.code, caught.value.exit_code) == ("wrong_model", 2)


@pytest.mark.parametrize(
    ("those", "says"),
    [
        (["L1D5=on", "L1D5=off@last"], "both edit L1D5"),
        (["L1D5=on@prompt", "L1D5=off@3"], "both edit L1D5"),
        (["L99D1=on"], "no layer 99"),
        (["L1E2D1=on"], "no experts"),
    ],
)
def test_edits_that_meet_or_that_the_model_does_not_have_are_refused(those: list[str], says: str) -> None:
    model = shared("llama").model
    recipe = RECIPE.model_copy(update={"fingerprint": model.fingerprint, "interventions": tuple(those)})
    with pytest.raises(EditError, match=says):
        check(recipe, model)


def test_edits_at_positions_of_longer_texts_and_apart_are_the_recipes() -> None:
    model = shared("llama").model
    those = ("L1D5=on@prompt", "L1D5=off@generated", "L2D5=3.0@100-200", "L2D5=off@last")
    recipe = RECIPE.model_copy(update={"fingerprint": model.fingerprint, "interventions": those})
    assert check(recipe, model) == parse_all(those)


@pytest.mark.parametrize(
    ("edit", "strength", "expected"),
    [
        ("L1D2=on", 0.5, "L1D2=on*0.5"),
        ("L1D2=on-*0.5@last", 3, "L1D2=on-*1.5@last"),
        ("L1D2=on*0.5", 2, "L1D2=on"),
        ("L1D2=on", 0, "L1D2=on*0.0"),
        ("L1D2=-4@3", 0.5, "L1D2=-2.0@3"),
        ("L1D2+=4", 1.5, "L1D2+=6.0"),
        ("L1D2*=3", 0.5, "L1D2*=2.0"),
        ("L1D2*=0.5", 2, "L1D2*=0.0"),
        ("L1D2=off", 0.25, "L1D2*=0.75"),
        ("L1D2=off", 2, "L1D2*=-1.0"),
        ("L1D2=off", 1, "L1D2=off"),
        ("L1D2=layermax", 1, "L1D2=layermax"),
    ],
)
def test_scaling(edit: str, strength: float, expected: str) -> None:
    assert str(scaled([parse(edit)], strength)[0]) == expected


@given(edits(), st.floats(0, 4))
def test_scaling_keeps_the_edits_place_and_one_keeps_the_edit(edit: object, strength: float) -> None:
    (same,) = scaled(parse_all([str(edit)]), 1)
    assert str(same) == str(edit)
    try:
        (found,) = scaled([same], strength)
    except EditError:
        return
    assert (found.value, found.scope) == (same.value, same.scope)
    assert parse(str(found)) == found


def test_what_cannot_be_scaled_is_refused() -> None:
    with pytest.raises(EditError, match="stronger or weaker"):
        scaled([parse("L1D2=layermax")], 0.5)
    with pytest.raises(EditError, match="too large"):
        scaled([parse("L1D2=1e30")], 100)
    for strength in (-1.0, float("nan"), float("inf")):
        with pytest.raises(OptionError, match="strength"):
            scaled([parse("L1D2=on")], strength)


def test_a_debugger_saves_and_applies_recipes(tmp_path: Path) -> None:
    debugger, ids = shared("llama"), prompt()
    path = tmp_path / "a.recipe"
    saved = debugger.save_recipe(path, " strong ", ["l1d5 = 4", "L2D3=off"], note="two\nlines")
    assert saved == read_file(path)
    assert saved.interventions == ("L1D5=4.0", "L2D3=off")
    assert saved.name == "strong"
    for given_as in (path, str(path), path.read_text(), saved):
        assert debugger.recipe(given_as) == parse_all(["L1D5=4", "L2D3=off"])
    half = debugger.recipe(path, strength=0.5)
    torch.testing.assert_close(
        debugger.trace(ids, half).last_residual, debugger.trace(ids, ["L1D5=2", "L2D3*=0.5"]).last_residual
    )
    with pytest.raises(WrongModelError):
        shared("gpt2").recipe(path)


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    debugger = shared("llama")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\0")
    (tmp_path / "bad").write_text(TEXT + "L1D2=of\n")
    for path, says in (
        (tmp_path / "none", "There is no file"),
        (tmp_path, "cannot be read"),
        (tmp_path / "bytes", "not UTF-8"),
        (tmp_path / "bad", "bad: Line 9"),
    ):
        with pytest.raises(RecipeError, match=says):
            debugger.recipe(path)
    with pytest.raises(RecipeError, match="cannot be written"):
        debugger.save_recipe(tmp_path / "no" / "folder", "a", ["L1D5=off"])
    for name, those in (("a\nb", ["L1D5=off"]), ("", ["L1D5=off"]), ("a", []), ("a", ["L99D5=off"])):
        with pytest.raises(LMDebuggerError):
            debugger.save_recipe(tmp_path / "new", name, those)
    assert not (tmp_path / "new").exists()
