"""The array cache: what it gives back, and that nothing which happens to a file can do harm."""

import multiprocessing
import os
import signal
import time
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lm_debugger.store import cache

ARRAYS = {
    "long": torch.arange(5),
    "half": torch.tensor(3.5, dtype=torch.bfloat16),
    "empty": torch.empty(0, 3),
    "yes": torch.tensor([[True], [False]]),
    "turned": torch.arange(6.0).view(2, 3).T,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "_warned", set())
    return tmp_path


def path(folder: Path) -> Path:
    return folder / "ranges" / "abc.safetensors"


def test_gives_back_what_was_written() -> None:
    cache.write("ranges", "abc", 1, ARRAYS, '{"tokens": 7, "é": "\\n"}')
    entry = cache.read("ranges", "abc", 1)
    assert entry is not None
    assert entry.text == '{"tokens": 7, "é": "\\n"}'
    assert entry.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert entry.arrays[name].dtype == array.dtype
        assert torch.equal(entry.arrays[name], array)


def test_another_version_fingerprint_or_kind_is_missing(folder: Path) -> None:
    cache.write("ranges", "abc", 1, ARRAYS)
    assert cache.read("ranges", "abc", 2) is None
    assert cache.read("ranges", "abd", 1) is None
    assert cache.read("other", "abc", 1) is None
    path(folder).rename(folder / "ranges" / "abd.safetensors")  # a copied file does not pass for another model's
    assert cache.read("ranges", "abd", 1) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_is_missing_and_then_replaced(data: st.DataObject) -> None:
    cache.write("ranges", "abc", 1, ARRAYS, "text")
    file = path(cache.folder())
    good = file.read_bytes()
    if data.draw(st.booleans()):
        file.write_bytes(good[: data.draw(st.integers(0, len(good) - 1))])
    else:
        place = data.draw(st.integers(0, len(good) - 1))
        file.write_bytes(good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :])
    entry = cache.read("ranges", "abc", 1)
    assert entry is None or entry.text == "text"  # a space of the header's padding may change
    if entry is not None:
        assert all(torch.equal(entry.arrays[name], array) for name, array in ARRAYS.items())
    cache.write("ranges", "abc", 1, ARRAYS, "again")
    again = cache.read("ranges", "abc", 1)
    assert again is not None
    assert again.text == "again"


def test_a_result_outlives_its_file(folder: Path) -> None:
    cache.write("ranges", "abc", 1, {"a": torch.ones(100_000)})
    entry = cache.read("ranges", "abc", 1)
    assert entry is not None
    os.truncate(path(folder), 0)
    assert entry.arrays["a"].sum() == 100_000


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\0"])
def test_names_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="file"):
        cache.read(name, "abc", 1)
    with pytest.raises(ValueError, match="file"):
        cache.write("ranges", name, 1, {})


def test_a_folder_that_cannot_be_written_costs_one_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("no folder")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(folder / "file"))
    with pytest.warns(UserWarning, match="cannot be kept"):
        cache.write("ranges", "abc", 1, ARRAYS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.write("ranges", "abc", 1, ARRAYS)
    assert cache.read("ranges", "abc", 1) is None


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write("ranges", "abc", 1, ARRAYS, "old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.warns(UserWarning, match="No space left"):
        cache.write("ranges", "abc", 1, ARRAYS, "new")
    entry = cache.read("ranges", "abc", 1)
    assert entry is not None
    assert entry.text == "old"
    assert [file.name for file in path(folder).parent.iterdir()] == ["abc.safetensors"]


def _write_forever(folder: str, number: int) -> None:
    os.environ[cache.FOLDER_VARIABLE] = folder
    torch.set_num_threads(1)
    while True:
        cache.write("ranges", "abc", 1, {"a": torch.full((50_000,), number)}, str(number))


def test_writers_at_once_and_a_killed_one_leave_a_whole_file(folder: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_forever, args=(str(folder), number), daemon=True) for number in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    end = time.monotonic() + 60
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        while len(seen) < 2 and time.monotonic() < end:
            entry = cache.read("ranges", "abc", 1)
            if entry is None:
                assert not path(folder).exists() or not seen, "a whole file was replaced by half a file"
                continue
            assert (entry.arrays["a"] == int(entry.text)).all()
            seen.add(entry.text)
    for writer in writers:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    assert seen == {"1", "2"}
    assert cache.read("ranges", "abc", 1) is not None


def test_leftovers_of_killed_writers_go_after_a_day(folder: Path) -> None:
    cache.write("ranges", "abc", 1, ARRAYS)
    old, young = path(folder).parent / ".old.tmp", path(folder).parent / ".young.tmp"
    old.write_text("half")
    young.write_text("half")
    os.utime(old, (time.time() - 100_000,) * 2)
    cache.write("ranges", "abc", 1, ARRAYS)
    assert not old.exists()
    assert young.exists()


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.FOLDER_VARIABLE)
    assert cache.folder().name == "lm-debugger"
