"""The cache is listed and removed, entry by entry, and nothing else in its folder is touched."""

import os
import time
from pathlib import Path

import pytest
import torch

from lm_debugger.errors import OptionError
from lm_debugger.store import cache, entries

PROOF = '{"examination": {"model": "my model", "fingerprint": "abcdef0123456789"}}'


@pytest.fixture(autouse=True)
def folder(empty_cache: Path) -> Path:
    return empty_cache


def fill(folder: Path) -> None:
    cache.write("anatomy", "abcdef0123456789-cpu", 1, {}, PROOF)
    for kind in ("statistics", "clusters"):
        for fingerprint in ("abcdef0123456789", "1111222233334444"):
            cache.write(kind, fingerprint, 1, {"a": torch.zeros(1000)})
    model = folder / "converted" / "deadbeef-1"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"x" * 5000)
    (model / "manifest.json").write_text("{}")
    (model / "source.json").write_text('{"file": "/models/it.gguf"}')
    (folder / "content").mkdir()
    (folder / "content" / "77.json").write_text('{"path": "/models/it.gguf"}')


def keys() -> set[str]:
    return {entry.key for entry in entries.listing().entries}


def test_nothing_is_there() -> None:
    assert entries.listing().entries == ()
    assert entries.remove_all().removed == ()


def test_every_kind_is_listed_with_model_and_size(folder: Path) -> None:
    fill(folder)
    found = {entry.key: entry for entry in entries.listing().entries}
    assert {key: entry.model for key, entry in found.items()} == {
        "anatomy/abcdef0123456789-cpu": "my model",
        "statistics/abcdef0123456789": "my model",
        "statistics/1111222233334444": "",
        "clusters/abcdef0123456789": "my model",
        "clusters/1111222233334444": "",
        "converted/deadbeef-1": "/models/it.gguf",
        "content/77": "/models/it.gguf",
    }
    assert found["converted/deadbeef-1"].bytes == 5000 + 2 + len('{"file": "/models/it.gguf"}')
    assert found["clusters/1111222233334444"].bytes == (folder / "clusters/1111222233334444.safetensors").stat().st_size
    assert entries.listing().bytes == sum(entry.bytes for entry in found.values())


def test_what_is_used_comes_first(folder: Path) -> None:
    fill(folder)
    for file in folder.rglob("*.*"):
        os.utime(file, (1000, 1000))
    assert cache.read("clusters", "abcdef0123456789", 1) is not None
    first = entries.listing().entries[0]
    assert first.key == "clusters/abcdef0123456789"
    assert time.time() - first.used.timestamp() < 60


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("statistics/abcdef0123456789", {"statistics/abcdef0123456789"}),
        ("clusters", {"clusters/abcdef0123456789", "clusters/1111222233334444"}),
        ("1111", {"statistics/1111222233334444", "clusters/1111222233334444"}),
        ("converted/deadbeef-1", {"converted/deadbeef-1"}),
        (
            "abcdef0123456789",
            {"anatomy/abcdef0123456789-cpu", "statistics/abcdef0123456789", "clusters/abcdef0123456789"},
        ),
    ],
)
def test_removing_by_key_kind_or_fingerprint(folder: Path, key: str, gone: set[str]) -> None:
    fill(folder)
    before = keys()
    removal = entries.remove([key])
    assert {entry.key for entry in removal.removed} == gone
    assert keys() == before - gone
    assert removal.bytes == sum(entry.bytes for entry in removal.removed)


@pytest.mark.parametrize("key", ["", "abc", "../anatomy", "statistics/abcdef", "nothing", "/", "*"])
def test_what_is_not_there_is_an_error_and_removes_nothing(folder: Path, key: str) -> None:
    fill(folder)
    before = keys()
    with pytest.raises(OptionError, match="holds nothing"):
        entries.remove(["clusters", key])
    assert keys() == before


def test_removing_all_leaves_what_is_not_the_caches(folder: Path) -> None:
    fill(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "other").mkdir()
    (folder / "other" / "x.safetensors").write_text("mine")
    (folder / "anatomy" / ".young.tmp").write_text("somebody writes")
    (folder / "anatomy" / ".old.tmp").write_text("nobody writes")
    os.utime(folder / "anatomy" / ".old.tmp", (1000, 1000))
    entries.remove_all()
    assert keys() == set()
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {"notes.txt", "other/x.safetensors", "anatomy/.young.tmp"}


def test_files_that_cannot_be_read_are_listed_all_the_same(folder: Path) -> None:
    for kind in ("anatomy", "calibration"):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "0000.safetensors").write_bytes(b"\xff" * 100)
    assert keys() == {"anatomy/0000", "calibration/0000"}
