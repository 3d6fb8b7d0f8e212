"""GGUF files are converted once: the same model and tokens as before, found again by content, bounded, never half."""

import json
import os
import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lm_debugger.anatomy.fingerprint import fingerprint
from lm_debugger.errors import LMDebuggerError, ModelLoadError, OptionError
from lm_debugger.source import convert, converted
from lm_debugger.source.load import load_network
from lm_debugger.source.options import LoadOptions
from lm_debugger.store import cache, folders
from lm_debugger.work import UNWATCHED, Work
from tests.source import builders

IDS = torch.tensor([[3, 14, 15, 9, 2, 6]])
TEXTS = ["he has a hat", "  The  doctors\n\tnaïve 你好 🙂 12", "<s> a</s>he", ""]
CPU = LoadOptions(device="cpu")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(cache, "_warned", set())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    builders.gguf_file(tmp_path / "tiny.gguf")
    return tmp_path / "tiny.gguf"


def kept(empty_cache: Path) -> list[Path]:
    return sorted((empty_cache / "converted").glob("*/manifest.json"))


@pytest.mark.parametrize("kind", builders.GGUF_TOKENIZERS)
def test_the_same_model_and_tokens_as_read_directly(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tiny.gguf"
    builders.gguf_file(file, tokenizer=kind)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=file.name, dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(tmp_path, gguf_file=file.name)
    network, found = load_network(file, CPU)
    assert torch.equal(network(IDS).logits, plain(IDS).logits)
    assert found.get_vocab() == words.get_vocab()
    for text in TEXTS:
        for special in (True, False):
            ids = words(text, add_special_tokens=special).input_ids
            assert found(text, add_special_tokens=special).input_ids == ids
            assert found.decode(ids) == words.decode(ids)
    assert found.special_tokens_map == words.special_tokens_map
    assert network.generation_config.to_diff_dict() == plain.generation_config.to_diff_dict()
    monkeypatch.setenv(converted.LIMIT_VARIABLE, "0")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "empty"))
    with pytest.warns(UserWarning, match="converted again each time"):
        direct, _ = load_network(file, CPU)
    assert fingerprint(direct) == fingerprint(network)  # recipes made before stay good


def test_the_second_time_nothing_is_parsed(file: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = load_network(file, CPU)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(convert, "convert", refuse)
    monkeypatch.setattr(gguf, "GGUFReader", refuse)
    second, _ = load_network(file, CPU)
    assert torch.equal(first(IDS).logits, second(IDS).logits)
    moved = shutil.copy(file, file.with_name("other.gguf"))
    third, _ = load_network(moved, CPU)  # the same content is the same model
    assert torch.equal(first(IDS).logits, third(IDS).logits)
    assert len(kept(empty_cache)) == 1


def test_a_changed_file_is_another_model(file: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lm_debugger.store.content._YOUNG", -1.0)  # remember at once
    first, _ = load_network(file, CPU)
    of = file.stat()
    with file.open("rb+") as stream:
        stream.seek(of.st_size - 4)  # a number of the last tensor
        stream.write(np.float32(0.5).tobytes())
    os.utime(file, ns=(of.st_atime_ns, of.st_mtime_ns))  # as if nothing had happened
    second, _ = load_network(file, CPU)
    assert fingerprint(first) != fingerprint(second)
    assert len(kept(empty_cache)) == 2


def test_what_is_remembered_of_a_file_is_used(file: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_network(file, CPU)
    assert not list(empty_cache.glob("content/*"))  # too young: another change could fall on the same time
    monkeypatch.setattr("lm_debugger.store.content._YOUNG", -1.0)
    load_network(file, CPU)
    monkeypatch.setattr("lm_debugger.store.content._sha256", None)  # whoever reads the whole file fails
    load_network(file, CPU)
    (memory,) = empty_cache.glob("content/*.json")
    for text in ("", "[]", "{}", '{"stamp": 1, "sha256": 2}'):
        memory.write_text(text)
        with pytest.raises(ModelLoadError):
            load_network(file, CPU)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "manifest.json"])
def test_a_damaged_folder_is_made_again(file: Path, empty_cache: Path, name: str) -> None:
    expected = load_network(file, CPU)[0](IDS).logits  # now, because the weights are mapped from the file
    (manifest,) = kept(empty_cache)
    damaged = manifest.parent / name
    damaged.write_bytes(damaged.read_bytes()[:-1])
    again, _ = load_network(file, CPU)
    assert torch.equal(again(IDS).logits, expected)
    assert folders.intact(manifest.parent)


def test_what_was_interrupted_is_not_used(file: Path, empty_cache: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(step: str, *_: object) -> None:
        if step == "Writing the model":
            raise StoppedError

    with pytest.raises(LMDebuggerError, match="StoppedError"):
        load_network(file, CPU, work=Work(stop))
    assert kept(empty_cache) == []
    assert [path.name for path in (empty_cache / "converted").iterdir()] == ["lock"]
    load_network(file, CPU)
    assert len(kept(empty_cache)) == 1


def test_the_least_recently_used_goes(tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / f"{name}.gguf" for name in "abc"]
    for index, file in enumerate(files):
        builders.gguf_file(file, seed=index)
    load_network(files[0], CPU)
    (manifest,) = kept(empty_cache)
    room = folders.size(manifest.parent)
    monkeypatch.setenv(converted.LIMIT_VARIABLE, str(2.5 * room / 1e9))
    load_network(files[1], CPU)
    for manifest in kept(empty_cache):  # used long ago, in the order of the files
        of = json.loads((manifest.parent / converted.ABOUT).read_text())["file"]
        os.utime(manifest, (1000, 1000 + files.index(Path(of))))
    load_network(files[0], CPU)  # now the last used
    load_network(files[2], CPU)
    left = {json.loads((m.parent / converted.ABOUT).read_text())["file"] for m in kept(empty_cache)}
    assert left == {str(files[0]), str(files[2])}
    assert sum(folders.size(m.parent) for m in kept(empty_cache)) <= converted.limit()


def test_a_cache_that_cannot_be_written_costs_a_warning(
    file: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_cache.parent.joinpath("no folder").write_text("")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(empty_cache.parent / "no folder"))
    with pytest.warns(UserWarning, match="cannot be kept"):
        network, _ = load_network(file, CPU)
    assert network.dtype == torch.float32


@pytest.mark.parametrize("limit", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_none(file: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(converted.LIMIT_VARIABLE, limit)
    with pytest.raises(OptionError, match=converted.LIMIT_VARIABLE):
        converted.find(file, UNWATCHED)


@pytest.mark.parametrize("kind", builders.GGUF_TOKENIZERS)
def test_the_quick_reader_reads_what_the_library_reads(kind: str, tmp_path: Path) -> None:
    builders.gguf_file(tmp_path / "tiny.gguf", tokenizer=kind)
    true = gguf.GGUFReader(tmp_path / "tiny.gguf")
    with convert.parsed_once():
        quick = gguf.GGUFReader(tmp_path / "tiny.gguf")
        assert gguf.GGUFReader(str(tmp_path / "tiny.gguf")) is quick
    assert type(gguf.GGUFReader(tmp_path / "tiny.gguf")) is gguf.GGUFReader
    assert quick.fields.keys() == true.fields.keys()
    for name, field in true.fields.items():
        mine = quick.fields[name]
        assert mine.types == field.types
        assert len(mine.data) == len(field.data)
        for here, there in zip(mine.data, field.data, strict=True):
            assert list(mine.parts[here]) == field.parts[there].tolist()
    assert [tensor.name for tensor in quick.tensors] == [tensor.name for tensor in true.tensors]
    assert all(np.array_equal(a.data, b.data) for a, b in zip(quick.tensors, true.tensors, strict=True))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_file_that_is_cut_short(file: Path, empty_cache: Path, share: float) -> None:
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(ModelLoadError):
        load_network(file, CPU)
    assert kept(empty_cache) == []
