"""Weights that stay on disk: the same value vectors as the loaded model's, and only as much memory as a block."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import lm_debugger
from lm_debugger.errors import (
    LMDebuggerError,
    ModelLoadError,
    ModelNotFoundError,
    NumericalError,
    UnsupportedModelError,
)
from lm_debugger.lenses.source import ValueSource
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.ondisk.files import TensorFiles
from lm_debugger.ondisk.streamed import StreamedModel, open_streamed
from lm_debugger.units.blocks import Block
from lm_debugger.work import Work
from tests import zoo
from tests.ondisk import sparse
from tests.tiny import tokenizer

# Plain; transposed on disk; norm after the feed-forward (two kinds); positions and biases; parallel; experts that
# transformers packs (with names of their own), packed on disk, with shared ones, behind a first dense layer.
TYPES = (
    "llama", "gpt2", "gemma2", "olmo2", "opt", "phi", "bert", "granite", "mixtral", "qwen3_moe", "qwen2_moe", "gpt_oss",
    "granitemoe", "deepseek_v3",
)  # fmt: skip
DOWN = "model.layers.2.mlp.down_proj.weight"  # of a layer that is not loaded


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "model")


def save(folder: Path, model_type: str = "llama", dtype: torch.dtype = torch.float32, shard: str = "50GB") -> Path:
    zoo.make(model_type).to(dtype).save_pretrained(folder, max_shard_size=shard)
    tokenizer(96).save_pretrained(folder)
    return folder


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change the tensors in a folder's one file."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def placed(block: Block) -> tuple[int, str, int]:
    """Where a block is."""
    return block.layer, str(block.name(0)), len(block)


def same(streamed: ValueSource, loaded: LoadedModel) -> None:
    """Whether all vectors are the same, bit for bit and in the same order, and come out the same from all sides."""
    expected, found = list(loaded.value_blocks()), list(streamed.value_blocks())
    assert list(map(placed, found)) == list(map(placed, expected))
    directions = loaded.readout.directions(slice(3, 6))
    assert torch.equal(streamed.readout.directions(slice(3, 6)), directions)
    for mine, theirs in zip(found, expected, strict=True):
        vectors = torch.cat(list(theirs.pieces()))
        assert torch.equal(torch.cat(list(mine.pieces())), vectors)
        assert torch.equal(mine.products(directions), theirs.products(directions))
        row = len(vectors) // 2
        assert torch.equal(streamed.vector(mine.name(row)), vectors[row])
    assert torch.equal(streamed.readout.project(vectors), loaded.readout.project(vectors))
    assert streamed.readout.vocabulary == loaded.readout.vocabulary
    assert streamed.layers == loaded.layers
    for layer in range(loaded.layers):
        assert streamed.vectors(layer) == loaded.vectors(layer)
    assert list(map(placed, streamed.value_blocks([1]))) == [placed(b) for b in expected if b.layer == 1]


@pytest.mark.parametrize("model_type", TYPES)
def test_the_vectors_are_those_of_the_loaded_model(model_type: str, tmp_path: Path) -> None:
    save(tmp_path, model_type, shard="40KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    streamed, loaded = open_streamed(tmp_path), lm_debugger.load(tmp_path).model
    same(streamed, loaded)
    assert streamed.name == str(tmp_path)
    assert streamed.value_vectors == loaded.anatomy.value_vectors
    assert streamed.vocabulary.encode("w3 w4") == [3, 4]


def test_the_demo_model(demo: lm_debugger.Debugger, demo_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_DEBUGGER_CACHE", str(demo_cache.parent.parent))
    same(open_streamed("demo"), demo.model)


@pytest.mark.parametrize(
    ("stored", "loaded_as"),
    [
        (torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.float32),  # as it is loaded on a CPU
        (torch.float32, torch.bfloat16),  # the configuration says so: loading rounds
        (torch.bfloat16, torch.float32),
    ],
)
def test_dtypes(tmp_path: Path, stored: torch.dtype, loaded_as: torch.dtype) -> None:
    save(tmp_path, "gemma2", stored)
    if stored != torch.float16:
        path = tmp_path / "config.json"
        config = json.loads(path.read_text()) | {"dtype": str(loaded_as).removeprefix("torch.")}
        path.write_text(json.dumps(config))
    loaded = lm_debugger.load(tmp_path).model
    assert loaded.network.dtype == loaded_as
    same(open_streamed(tmp_path), loaded)


def test_only_the_first_layers_are_loaded(folder: Path) -> None:
    """A weight that is not a number, of a layer beyond the first two and no value vector, is never looked at."""
    rewrite(folder, lambda weights: weights["model.layers.2.mlp.up_proj.weight"].fill_(float("nan")))
    with pytest.raises(NumericalError):
        lm_debugger.load(folder)
    assert open_streamed(folder).layers == 3
    rewrite(folder, lambda weights: weights["model.layers.1.mlp.up_proj.weight"].fill_(float("nan")))
    with pytest.raises(NumericalError, match=r"layers\.1\.mlp\.up_proj"):
        open_streamed(folder)


def test_nothing_is_drawn_and_progress_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    steps: list[str] = []
    open_streamed(folder, work=Work(lambda step, *_: steps.append(step)))
    assert capfd.readouterr() == ("", "")
    assert {"Reading the files' headers", "Loading the weights", "Finding the weights in the files"} <= set(steps)


def test_names_on_disk_do_not_matter_but_values_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors under other names are found by what they hold; where none holds the loaded weights it is an error."""
    expected = [torch.cat(list(block.pieces())) for block in open_streamed(folder).value_blocks()]
    true = TensorFiles.__init__

    def renamed(self: TensorFiles, *arguments: object) -> None:
        true(self, *arguments)  # type: ignore[arg-type]
        self.entries = {name.replace("mlp.down_proj", "feed.w2"): entry for name, entry in self.entries.items()}

    monkeypatch.setattr(TensorFiles, "__init__", renamed)
    found = [torch.cat(list(block.pieces())) for block in open_streamed(folder).value_blocks()]
    assert all(map(torch.equal, found, expected))

    def converted(self: TensorFiles, *arguments: object) -> None:
        true(self, *arguments)  # type: ignore[arg-type]
        self.entries = {name: entry for name, entry in self.entries.items() if "down_proj" not in name}

    monkeypatch.setattr(TensorFiles, "__init__", converted)
    with pytest.raises(UnsupportedModelError, match=r"No tensor on disk holds .*down_proj"):
        open_streamed(folder)


def test_norms_that_all_start_as_ones(tmp_path: Path) -> None:
    """In the first layers every norm holds the same; the one with the parameter's name is that of the later layers."""
    network = zoo.make("olmo2")
    for name, parameter in network.named_parameters():
        if "norm" in name and ".2." not in name:
            torch.nn.init.ones_(parameter)
    network.save_pretrained(tmp_path)
    tokenizer(96).save_pretrained(tmp_path)
    same(open_streamed(tmp_path), lm_debugger.load(tmp_path).model)


def test_fingerprints(tmp_path: Path) -> None:
    one, shards, other = (tmp_path / name for name in ("one", "shards", "other"))
    save(one)
    save(shards, shard="40KB")
    save(other)
    rewrite(other, lambda weights: weights[DOWN].mul_(1.01))
    first, second, third = (open_streamed(folder).fingerprint for folder in (one, shards, other))
    assert first == second != third
    assert len(first) == 16
    assert first != lm_debugger.load(one).model.fingerprint


def test_a_mapped_tensor_is_its_own(folder: Path) -> None:
    """Writing to it does not reach the file, and it outlives everything else that knows of the file."""
    before = (folder / "model.safetensors").read_bytes()
    tensor = TensorFiles(folder, "it").tensor(DOWN)
    kept = tensor.clone()
    tensor.zero_()
    assert (folder / "model.safetensors").read_bytes() == before
    assert torch.equal(TensorFiles(folder, "it").tensor(DOWN), kept)


def test_tensors_that_begin_anywhere(tmp_path: Path) -> None:
    """The format allows a tensor to begin at any byte, and to be empty."""
    content = torch.tensor([1.5, -2.25, 3.0])
    header = {
        "odd": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "it": {"dtype": "F32", "shape": [3], "data_offsets": [1, 13]},
        "none": {"dtype": "F32", "shape": [0, 2], "data_offsets": [13, 13]},
    }
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + b"\0" + content.numpy().tobytes()
    (tmp_path / "model.safetensors").write_bytes(data)
    files = TensorFiles(tmp_path, "it")
    assert torch.equal(files.tensor("it"), content)
    assert files.tensor("none").shape == (0, 2)
    assert files.entries["odd"].dtype is None


def says(error: type[LMDebuggerError], named: str, reference: Path | str) -> None:
    with pytest.raises(error, match=named) as caught:
        open_streamed(reference)
    assert caught.value.cure
    assert "\n" not in str(caught.value)


def test_references_that_are_no_folder_of_weights(folder: Path, tmp_path: Path) -> None:
    says(ModelNotFoundError, "is no folder", "someone/model")
    says(ModelNotFoundError, "is no folder", folder / "model.safetensors")
    says(ModelNotFoundError, r"no config\.json", tmp_path)
    (tmp_path / "gguf").mkdir()
    (tmp_path / "gguf" / "tiny.gguf").write_bytes(b"GGUF....")
    says(ModelLoadError, "GGUF", tmp_path / "gguf")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    says(ModelLoadError, "adapter", tmp_path / "adapter")
    (folder / "model.safetensors").unlink()
    says(ModelLoadError, "no safetensors files", folder)


def test_quantised_weights(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": {"quant_method": "fp8"}}))
    says(UnsupportedModelError, r"quantised \(fp8\)", folder)


def test_folders_that_are_not_complete(folder: Path) -> None:
    rewrite(folder, lambda weights: weights.pop(DOWN))
    says(ModelLoadError, rf"lacks 1 of its weights .*such as {DOWN}", folder)
    rewrite(folder, lambda weights: weights.update({DOWN: torch.zeros(3, 3)}))
    says(ModelLoadError, DOWN, folder)
    rewrite(folder, lambda weights: weights.update({DOWN: torch.zeros(64, 128, dtype=torch.int8)}))
    says(ModelLoadError, DOWN, folder)
    rewrite(folder, lambda weights: weights.pop("model.layers.0.mlp.up_proj.weight"))
    says(ModelLoadError, r"lacks 1 of its weights, such as model\.layers\.0\.mlp\.up_proj", folder)


def test_damaged_files(tmp_path: Path) -> None:
    save(tmp_path, shard="40KB")
    index = tmp_path / "model.safetensors.index.json"
    last = max(tmp_path.glob("*.safetensors"))
    whole = last.read_bytes()
    last.write_bytes(whole[:-100])
    says(ModelLoadError, f"damaged weights: {last.name}", tmp_path)
    last.write_bytes(b"")
    says(ModelLoadError, f"damaged weights: {last.name}", tmp_path)
    last.unlink()
    says(ModelLoadError, f"lacks its file {last.name}", tmp_path)
    last.write_bytes(whole)
    told = json.loads(index.read_text())
    told["weight_map"]["more"] = last.name
    index.write_text(json.dumps(told))
    says(ModelLoadError, f"{last.name} has no more", tmp_path)
    index.write_text("{")
    says(ModelLoadError, "cannot be read", tmp_path)
    index.write_text('{"weight_map": 3}')
    says(ModelLoadError, "cannot be read", tmp_path)


def test_layers_that_share_nothing(tmp_path: Path) -> None:
    """Dense layers before the mixtures: both kinds are loaded, however late the second begins."""
    network = zoo.make("deepseek_v3")
    kinds = [type(layer.mlp).__name__ for layer in network.model.layers]
    assert len(set(kinds)) == 2
    assert any(a == b for a, b in pairwise(kinds))  # the last layer is not loaded
    network.save_pretrained(tmp_path)
    tokenizer(96).save_pretrained(tmp_path)
    streamed = open_streamed(tmp_path)
    assert [streamed.vectors(layer)[-1].letters == "ED" for layer in range(streamed.layers)] == [
        k == kinds[-1] for k in kinds
    ]


MEASURE = """
import re, sys, torch
from lm_debugger.ondisk.streamed import open_streamed
def read(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read()).group(1)) * 1024
before = read("VmRSS")
model = open_streamed(sys.argv[1])
opened = read("VmHWM") - before
open("/proc/self/clear_refs", "w").write("5")  # resets the peak
before = read("VmRSS")
directions = torch.ones(2, 2048)
for block in model.value_blocks():
    block.products(directions)
    for vectors in block.pieces():
        pass
print(opened, read("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory(tmp_path: Path) -> None:
    """470 MB of value vectors: opening takes two layers and their float32 copy, a pass one block and its pieces."""
    sparse.make(tmp_path / "large", layers=28, width=4096, hidden=2048, vocabulary=1000)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "large")], capture_output=True, text=True, check=True
    )
    opened, searched = map(int, done.stdout.split())
    assert opened < 500e6
    assert searched < 150e6


def test_what_it_conforms_to(folder: Path) -> None:
    source: ValueSource = open_streamed(folder)
    assert isinstance(source, StreamedModel)


def test_the_proof_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second opening recalls it; first layers of other weights are proved anew."""
    expected = open_streamed(folder)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr("lm_debugger.proof.report.examine_network", refuse)
        again = open_streamed(folder)
        assert again.fingerprint == expected.fingerprint
        for mine, theirs in zip(again.value_blocks(), expected.value_blocks(), strict=True):
            assert torch.equal(mine.matrix, theirs.matrix)
        rewrite(folder, lambda weights: weights["model.layers.0.mlp.up_proj.weight"][3, 4].add_(1.0))
        with pytest.raises(AssertionError):
            open_streamed(folder)
    open_streamed(folder)
