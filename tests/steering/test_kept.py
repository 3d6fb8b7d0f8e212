"""Directions that are kept: made, named in edits, read from files, refused where they are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from lm_debugger.errors import DirectionError, EditError, OptionError
from lm_debugger.records.direction import read_direction
from lm_debugger.work import UNWATCHED
from tests.tiny import debugger, prompt

IDS = prompt(6)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lm_debugger.steering.kept.data_folder", lambda: tmp_path / "data")


def test_one_of_prompts_is_the_difference_in_means() -> None:
    tiny = debugger("llama")
    starts, ends = ([prompt(length) for length in lengths] for lengths in ((3, 5), (4, 6, 8)))
    tiny.keep_direction("way", start=starts, to=ends)
    means = [
        torch.stack([tiny.trace(each).layer(1).after[-1] for each in prompts]).mean(0) for prompts in (starts, ends)
    ]
    expected = torch.nn.functional.normalize(means[1] - means[0], dim=0)
    found = tiny._directions.along(read_direction("L1R(way)"), UNWATCHED).vectors[1][0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert [each.name for each in tiny.directions().directions] == ["way"]


def test_one_that_is_kept_again_is_used_at_once() -> None:
    tiny = debugger("llama")
    word, other = (tiny.model.vocabulary.text(token) for token in (9, 11))
    tiny.keep_direction("way", words=word)
    before = tiny.trace(IDS, ["L0R(way)+=3"]).logits(-1)
    torch.testing.assert_close(before, tiny.trace(IDS, [f"L0R({json.dumps(word)})+=3"]).logits(-1))
    tiny.keep_direction("way", words=other)
    after = tiny.trace(IDS, ["L0R(way)+=3"]).logits(-1)
    assert not torch.allclose(before, after)
    tiny.remove_direction("way")
    with pytest.raises(DirectionError, match="no direction 'way'"):
        tiny.trace(IDS, ["L0R(way)+=3"])


def test_files_of_all_kinds_are_read(tmp_path: Path) -> None:
    tiny = debugger("llama")
    hidden, layers = tiny.model.anatomy.hidden_size, tiny.model.layers
    one, each = torch.randn(hidden), torch.randn(layers, hidden)
    np.save(tmp_path / "a.npy", one.numpy())
    torch.save(each, tmp_path / "b.pt")
    safetensors.torch.save_file({f"layer.{at}": each[at].clone() for at in range(layers)}, tmp_path / "c.safetensors")
    (tmp_path / "d.json").write_text(json.dumps(one.tolist()))
    for name, expected in (("a.npy", one), ("b.pt", each[1]), ("c.safetensors", each[1]), ("d.json", one)):
        tiny.keep_direction("file", file=tmp_path / name)
        found = tiny._directions.along(read_direction("L1R(file)"), UNWATCHED).vectors[1][0]
        torch.testing.assert_close(found, torch.nn.functional.normalize(expected, dim=0), rtol=1e-5, atol=1e-6)


class _Evil:
    def __reduce__(self) -> Any:
        return (print, ("never",))


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    tiny = debugger("llama")
    hidden = tiny.model.anatomy.hidden_size
    torch.save(_Evil(), tmp_path / "evil.pt")
    np.save(tmp_path / "pickled.npy", np.array([object()]), allow_pickle=True)
    np.save(tmp_path / "short.npy", np.ones(3))
    np.save(tmp_path / "nan.npy", np.full(hidden, np.nan))
    np.save(tmp_path / "zero.npy", np.zeros(hidden))
    (tmp_path / "text.json").write_text('{"a": [')
    (tmp_path / "words.json").write_text('["a", "b"]')
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "other.bin").write_bytes(b"x")
    (tmp_path / "folder.npy").mkdir()
    for file in sorted(tmp_path.iterdir()):
        if file.name != "data":
            with pytest.raises(DirectionError):
                tiny.keep_direction("file", file=file)
    assert tiny.directions().directions == ()


@pytest.mark.parametrize(
    ("made", "error"),
    [
        ({}, OptionError),
        ({"start": "a"}, OptionError),
        ({"words": "a", "file": "x.npy"}, OptionError),
        ({"words": "a", "minus": "a"}, EditError),
        ({"start": [3, 4], "to": [3, 4]}, EditError),
        ({"words": "a", "layer": 99}, OptionError),
    ],
)
def test_what_makes_no_direction_is_an_error(made: dict[str, Any], error: type[Exception]) -> None:
    tiny = debugger("llama")
    word = tiny.model.vocabulary.text(9)
    with pytest.raises(error):
        tiny.keep_direction("way", **{key: word if each == "a" else each for key, each in made.items()})


@pytest.mark.parametrize("name", ["", "From", "from", "a b", "../x", "x" * 41, "L1"])
def test_names_that_none_can_have(name: str) -> None:
    tiny = debugger("llama")
    with pytest.raises(OptionError):
        tiny.keep_direction(name, words=tiny.model.vocabulary.text(9))


def test_what_cannot_be_done_along_a_direction_is_said() -> None:
    tiny = debugger("llama")
    for edit in (
        "L0R(random 1)=on",
        "L0R(random 1 <> random 2)=off",
        "L99R(random 1)+=1",
        "L0R(random 1 <> random 1)=on",
    ):
        with pytest.raises(EditError):
            tiny.trace(IDS, [edit])


def test_directions_are_swept_and_have_controls() -> None:
    tiny = debugger("llama")
    found = tiny.sweep(IDS, "L0R(random 3)", 9, points=3)
    assert [point.edit for point in found.points] == [f"L0R(random 3)+={k}" for k in (-2.0, 0.0, 2.0)]
    assert found.points[0].kl > 1e-4
    effects = tiny.side_effects(["L0R(random 3)+=2", "L0R(random 4 <> random 5)=on"], continuations=0)
    assert effects.kl > 0
    assert effects.random_kl > 0
