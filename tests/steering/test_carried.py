"""Recipes carry the directions that are kept by name: they come in elsewhere with their numbers, or are refused."""

import base64
from pathlib import Path

import pytest
import torch

from lm_debugger.edits import recipe as files
from lm_debugger.errors import LMDebuggerError, RecipeError
from lm_debugger.records.recipe import CarriedDirection
from tests.tiny import debugger, prompt

IDS = prompt(6)
EDIT = "L0-1R(way)+=3"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lm_debugger.steering.kept.data_folder", lambda: tmp_path / "data")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    tiny = debugger("llama")
    tiny.keep_direction("way", start=[prompt(3)], to=[prompt(5), prompt(4)])
    tiny.save_recipe(tmp_path / "way.txt", "way", [EDIT, "L0R(random 1)+=1"])
    return tmp_path / "way.txt"


def test_a_direction_goes_where_the_recipe_goes(saved: Path) -> None:
    tiny = debugger("llama")
    before = tiny.trace(IDS, [EDIT]).logits(-1)
    tiny.remove_direction("way")
    edits = tiny.recipe(saved)
    assert torch.equal(tiny.trace(IDS, [EDIT]).logits(-1), before)
    assert [str(edit) for edit in edits] == ["L0-1R(way)+=3.0", "L0R(random 1)+=1.0"]
    assert tiny.directions().directions[0].layers == (0, 1)
    assert tiny.recipe(saved) == edits  # what is kept already is the same


def test_layers_are_added_to_those_that_are_kept(saved: Path) -> None:
    tiny = debugger("llama")
    whole = files.read_file(saved)
    tiny.remove_direction("way")
    for each in whole.directions:
        tiny.recipe(whole.model_copy(update={"directions": (each,)}))
    assert tiny.pack_recipe(whole) == whole


def test_another_direction_of_its_name_stays(saved: Path) -> None:
    tiny = debugger("llama")
    tiny.keep_direction("way", words=tiny.model.vocabulary.text(9))
    mine = tiny.trace(IDS, [EDIT]).logits(-1)
    with pytest.raises(RecipeError, match="another one is kept"):
        tiny.recipe(saved)
    assert torch.equal(tiny.trace(IDS, [EDIT]).logits(-1), mine)


def test_the_file_reads_back(saved: Path) -> None:
    recipe = files.read_file(saved)
    assert [(each.name, each.layer) for each in recipe.directions] == [("way", 0), ("way", 1)]
    assert files.read(files.write(recipe)) == recipe


@pytest.mark.parametrize(
    "line",
    ["", "way", "way 0", "way 0 ???", "../way 0 AAAA", "WAY 0 AAAA", "from 0 AAAA", "way x AAAA", "way 0 AAAA AAAA"],
)
def test_what_is_no_direction_is_refused(saved: Path, line: str) -> None:
    text = saved.read_text().replace("# fingerprint", f"# direction: {line}\n# fingerprint")
    with pytest.raises(RecipeError, match="Line 4"):
        files.read(text)


@pytest.mark.parametrize(
    ("layer", "numbers"),
    [
        (0, "AAA"),
        (0, "AAAA"),
        (7, None),
        (0, [0.0]),
        (0, [float("nan")]),
    ],
)
def test_numbers_that_are_not_the_models_are_refused(
    saved: Path, layer: int, numbers: str | list[float] | None
) -> None:
    tiny = debugger("llama")
    hidden = tiny.model.anatomy.hidden_size
    if not isinstance(numbers, str):
        vector = torch.ones(hidden) if numbers is None else torch.tensor(numbers * hidden)
        numbers = base64.b64encode(vector.numpy().tobytes()).decode()
    recipe = files.read_file(saved)
    bad = CarriedDirection(name="other", layer=layer, numbers=numbers)
    with pytest.raises(LMDebuggerError, match="'other' at layer"):
        tiny.recipe(recipe.model_copy(update={"directions": (bad,)}))
    assert [each.name for each in tiny.directions().directions] == ["way"]
