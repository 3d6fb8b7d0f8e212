"""`--save` and `--graph`: answers as files."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lm_debugger.show.raster import raster
from tests.cli.runner import PROMPT, Run

SVG = "xmlns='http://www.w3.org/2000/svg' width='60' height='12'"


def test_rows_for_a_spreadsheet_add_up_as_the_answer_does(run_demo: Run, tmp_path: Path) -> None:
    path = tmp_path / "why.csv"
    ran = run_demo("why", PROMPT, "-k", "5", "--save", str(path), "--json")
    assert ran.status == 0, ran.err
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["part"] for row in found] == [*(part["part"] for part in ran.json["parts"]), "rest", "unexplained"]
    assert sum(float(row["effect"]) for row in found) == pytest.approx(ran.json["difference"], abs=1e-3)


@pytest.mark.parametrize(
    "command",
    [("heads", PROMPT), ("flow", PROMPT), ("patch", "My wife", "--from", "My aunt", "--part", "attention")],
)
def test_a_picture_a_table_and_json_of_each(run_demo: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    paths = {ending: tmp_path / f"answer{ending}" for ending in (".svg", ".csv", ".json")}
    for path in paths.values():
        ran = run_demo(*command, "--save", str(path), "--json")
        assert ran.status == 0, ran.err
    ET.fromstring(paths[".svg"].read_text())
    with paths[".csv"].open(newline="") as file:
        titles, *rows = csv.reader(file)
    assert rows
    assert all(len(row) == len(titles) for row in rows)
    assert json.loads(paths[".json"].read_text()) == ran.json


def test_a_picture_in_pixels(run_demo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "why.png"
    ran = run_demo("heads", PROMPT, "--save", str(path))
    if "no font" in ran.err:
        pytest.skip("no font of even width is installed")  # the error for that is tested below, by a name
    assert ran.status == 0, ran.err
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    few, many = (raster(f"<svg {SVG}><text y='9' style='font-family: x;'>{text}</text></svg>") for text in ("a", "aWW"))
    assert few != many  # the letters are drawn
    monkeypatch.setattr("lm_debugger.show.raster.FONTS", ("A Font That Nobody Has",))
    ran = run_demo("heads", PROMPT, "--save", str(path))
    assert ran.status == 2
    assert "no font" in ran.err


def test_a_graph_for_viewers(run_demo: Run, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    ran = run_demo("flow", PROMPT, "--graph", str(path))
    assert ran.status == 0, ran.err
    found = json.loads(path.read_text())
    assert found["metadata"]["prompt"] == PROMPT
    assert {node["feature_type"] for node in found["nodes"]} >= {"embedding", "attention head", "feed-forward", "logit"}


@pytest.mark.parametrize(
    ("path", "words"),
    [("a.docx", "ends with none of"), ("no/such/folder/a.csv", "cannot be written")],
)
def test_what_cannot_be_written_is_an_error(run_demo: Run, path: str, words: str) -> None:
    ran = run_demo("heads", PROMPT, "--save", path)
    assert ran.status == 2
    assert words in ran.err
    assert "cure: " in ran.err
