"""Models from every kind of place, and what is said when they cannot be loaded."""

import json
import shutil
from pathlib import Path

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration

import lm_debugger
from lm_debugger.errors import LMDebuggerError, ModelLoadError, ModelNotFoundError, NumericalError
from lm_debugger.proof.finite import check_finite
from lm_debugger.source.load import check_network, check_tokenizer, load_network
from lm_debugger.source.options import LoadOptions
from lm_debugger.work import Work
from tests import zoo
from tests.source import builders
from tests.tiny import tokenizer

IDS = torch.tensor([[3, 14, 15, 9, 2, 6]])


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "model")


def save(folder: Path, model_type: str = "llama", dtype: torch.dtype = torch.float32) -> Path:
    zoo.make(model_type).to(dtype).save_pretrained(folder)
    tokenizer(96).save_pretrained(folder)
    return folder


def change(folder: Path, **settings: object) -> None:
    """Change what a folder's config.json says."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def change_weights(folder: Path, name: str, tensor: torch.Tensor | None) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    if tensor is None:
        del weights[name]
    else:
        weights[name] = tensor
    save_file(weights, path, metadata={"format": "pt"})


def test_a_folder(folder: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    network, words = load_network(folder, work=Work(lambda *step: steps.append(step)))
    plain = AutoModelForCausalLM.from_pretrained(folder)
    assert torch.equal(network(IDS).logits, plain(IDS).logits)
    assert words.encode("w3 w4") == [3, 4]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert {"Loading the tokenizer", "Loading the model", "Loading the weights"} <= {step for step, _, _ in steps}
    assert load_network(str(folder))[0].dtype == torch.float32


def test_nothing_is_drawn(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_network(folder)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("stored", "asked", "expected"),
    [
        (torch.bfloat16, None, torch.bfloat16),
        (torch.float16, None, torch.float32),  # holds every float16 exactly, and the CPU can compute it
        (torch.float16, "float16", torch.float16),
        (torch.float32, "bf16", torch.bfloat16),
        (torch.bfloat16, torch.float64, torch.float64),
        (torch.float32, "auto", torch.float32),
    ],
)
def test_dtypes(tmp_path: Path, stored: torch.dtype, asked: str | torch.dtype | None, expected: torch.dtype) -> None:
    network, _ = load_network(save(tmp_path, dtype=stored), LoadOptions(device="cpu", dtype=asked))
    assert {parameter.dtype for parameter in network.parameters()} == {expected}


def test_half_precision_is_found_where_the_configuration_is_silent(tmp_path: Path) -> None:
    change(save(tmp_path, dtype=torch.float16), dtype=None)
    assert load_network(tmp_path, LoadOptions(device="cpu"))[0].dtype == torch.float32


def test_a_gguf_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    builders.gguf_file(tmp_path / "tiny.gguf")
    capfd.readouterr()
    network, words = load_network(tmp_path / "tiny.gguf", LoadOptions(device="cpu"))
    assert capfd.readouterr() == ("", "")
    again, _ = load_network(tmp_path, LoadOptions(device="cpu"))  # the folder that it is alone in
    assert network.dtype == torch.float32
    assert torch.equal(network(IDS).logits, again(IDS).logits)
    assert words.decode(words.encode("he has a hat")) == "he has a hat"
    network.save_pretrained(tmp_path / "saved")  # plain weights: not refused as quantised
    saved = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert torch.equal(network(IDS).logits, saved(IDS).logits)


def adapter(folder: Path, base: Path, **settings: object) -> peft.PeftModel:
    """A LoRA adapter on a model's folder, with weights that are not zero."""
    torch.manual_seed(0)
    options = {"r": 4, "target_modules": ["down_proj", "q_proj"], "init_lora_weights": False} | settings
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), peft.LoraConfig(**options))
    model.save_pretrained(folder)
    return model.eval()


def test_an_adapter(folder: Path, tmp_path: Path) -> None:
    adapted = adapter(tmp_path / "adapter", folder)
    network, words = load_network(tmp_path / "adapter")
    base, _ = load_network(folder)
    assert type(network) is type(base)
    assert torch.allclose(network(IDS).logits, adapted(IDS).logits, atol=1e-5)
    assert not torch.allclose(network(IDS).logits, base(IDS).logits, atol=1e-3)
    assert words.encode("w3") == [3]


def test_an_adapter_in_memory_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    adapted = adapter(tmp_path / "adapter", folder)
    before = {name: tensor.clone() for name, tensor in adapted.state_dict().items()}
    network = check_network(adapted)
    assert torch.allclose(network(IDS).logits, adapted(IDS).logits, atol=1e-5)
    after = adapted.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_an_adapter_without_its_base(folder: Path, tmp_path: Path) -> None:
    adapter(tmp_path / "adapter", folder)
    shutil.rmtree(folder)
    with pytest.raises(ModelNotFoundError, match="no file or folder"):
        load_network(tmp_path / "adapter")


def test_an_adapter_without_peft(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter(tmp_path / "adapter", folder)
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(ModelLoadError, match="pip install peft"):
        load_network(tmp_path / "adapter")


def test_an_adapter_that_cannot_be_merged(folder: Path) -> None:
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(folder), config)
    with pytest.raises(ModelLoadError, match="cannot be merged"):
        check_network(model)


def says(error: type[LMDebuggerError], named: str, reference: Path | str, **options: object) -> None:
    with pytest.raises(error, match=named) as caught:
        load_network(reference, LoadOptions(**options))
    assert caught.value.cure or named == "could not be loaded"
    assert "\n" not in str(caught.value)


def test_references_that_name_nothing(tmp_path: Path) -> None:
    says(ModelNotFoundError, "no file or folder", tmp_path / "absent")
    says(ModelNotFoundError, "no file or folder", "./absent")
    says(ModelNotFoundError, "no file or folder", "absent.gguf")
    says(ModelNotFoundError, "no file or folder", "")
    says(ModelNotFoundError, "hub cannot be reached", "someone/absent")
    says(ModelNotFoundError, r"no config\.json", tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    says(ModelNotFoundError, "not a GGUF file", tmp_path / "notes.txt")
    (tmp_path / "fake.gguf").write_text("hello")
    says(ModelNotFoundError, "not a GGUF file", tmp_path / "fake.gguf")
    (tmp_path / "more.gguf").write_text("hello")
    says(ModelNotFoundError, "2 GGUF files", tmp_path)


def test_devices_and_dtypes_that_are_not_there(folder: Path) -> None:
    says(ModelLoadError, "no dtype", folder, dtype="int9")
    says(ModelLoadError, "no dtype", folder, dtype=torch.int8)
    says(ModelLoadError, "no device", folder, device="abacus")
    says(ModelLoadError, "cannot be loaded on", folder, device="meta")
    says(ModelLoadError, "Both a device and", folder, device="cpu", device_map="auto")
    if not torch.cuda.is_available():
        says(ModelLoadError, "sees no GPU", folder, device="cuda:1")


def test_folders_that_are_not_complete(folder: Path) -> None:
    change_weights(folder, "model.layers.0.mlp.down_proj.weight", None)
    says(ModelLoadError, r"lacks 1 of its weights, such as model\.layers\.0\.mlp\.down_proj", folder)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:5000])
    says(ModelLoadError, "damaged", folder)
    (folder / "model.safetensors").unlink()
    says(ModelLoadError, "no weights", folder)
    for path in folder.glob("token*"):
        path.unlink()
    says(ModelLoadError, "no tokenizer", folder)


def test_models_of_another_kind(folder: Path, tmp_path: Path) -> None:
    change(folder, model_type="tomorrow")
    says(ModelLoadError, "does not know", folder)
    change(folder, model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"})
    says(ModelLoadError, "--trust-remote-code", folder)
    config = T5Config(vocab_size=96, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path / "t5")
    tokenizer(96).save_pretrained(tmp_path / "t5")
    says(ModelLoadError, "predicts the next token", tmp_path / "t5")
    builders.gguf_file(tmp_path / "odd.gguf", architecture="wavtokenizer-dec")
    says(ModelLoadError, "GGUF architecture", tmp_path / "odd.gguf")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_numbers(folder: Path, bad: float) -> None:
    name = "model.layers.1.mlp.up_proj.weight"
    tensor = load_file(folder / "model.safetensors")[name]
    tensor[2, 3] = bad
    change_weights(folder, name, tensor)
    with pytest.raises(NumericalError, match=name):
        lm_debugger.load(folder, device="cpu")
    with pytest.raises(NumericalError, match=name):
        lm_debugger.load(AutoModelForCausalLM.from_pretrained(folder), tokenizer(96))


def test_weights_that_are_no_numbers_any_more_are_seen_although_the_model_was_proved(folder: Path) -> None:
    found = lm_debugger.load(folder, device="cpu")
    found.trace("w1 w2")
    found.model.network.model.layers[1].mlp.up_proj.weight[2, 3] = float("nan")
    with pytest.raises(NumericalError, match="up_proj"):
        found.trace("w1 w2")


def test_large_finite_weights_are_accepted() -> None:
    model = zoo.make("llama")
    model.lm_head.weight.data.fill_(3e38)  # their sum overflows
    check_finite(model)


def test_what_is_in_memory() -> None:
    model = zoo.make("gpt2").train()
    assert check_network(model) is model
    assert model.training
    with pytest.raises(ModelLoadError, match="Linear"):
        check_network(torch.nn.Linear(2, 2))
    words = tokenizer(96)
    assert check_tokenizer(words) is words
    with pytest.raises(ModelLoadError, match="is a NoneType"):
        check_tokenizer(None)
