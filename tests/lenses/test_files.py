"""Lens files: the reference's is read and written as an independent reader has it; hostile ones are refused."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import LensError, OptionError
from lm_debugger.lenses.lens import FittedLens
from tests import zoo
from tests.tiny import debugger, prompt, shared, tokenizer

LENGTH = 22


@pytest.fixture
def fitted(empty_cache: Path) -> Debugger:
    tiny = debugger("llama")
    tiny.fit_lens("jacobian", prompts=6, tokens=LENGTH, estimator="exact")
    return tiny


def reference(path: Path) -> tuple[dict[int, Tensor], int]:
    """A reader of the reference's kind, by itself: what `JacobianLens.load` of jacobian-lens takes."""
    found = torch.load(path, map_location="cpu", weights_only=True)
    matrices = {layer: matrix.float() for layer, matrix in found["J"].items()}
    assert list(matrices) == found["source_layers"]
    assert isinstance(found["n_prompts"], int)
    assert all(matrix.shape == (found["d_model"], found["d_model"]) for matrix in matrices.values())
    return matrices, found["n_prompts"]


def payload(tiny: Debugger, **changes: Any) -> dict[str, Any]:
    hidden, layers = tiny.model.anatomy.hidden_size, tiny.model.layers
    matrices = {layer: torch.eye(hidden, dtype=torch.float16) for layer in range(layers - 1)}
    plain = {"J": matrices, "n_prompts": 7, "source_layers": list(matrices), "d_model": hidden}
    return {**plain, **changes}


def test_an_independent_reader_reads_what_was_written(fitted: Debugger, tmp_path: Path) -> None:
    path = tmp_path / "lens.pt"
    fitted.export_lens("jacobian", path)
    matrices, prompts = reference(path)
    assert prompts == 6
    lens = fitted.lens("jacobian")
    assert isinstance(lens, FittedLens)
    for layer, matrix in matrices.items():
        torch.testing.assert_close(matrix, lens.matrices[layer], rtol=1e-3, atol=1e-4)
    trace = fitted.trace(prompt(6), lens="jacobian")
    for layer, matrix in matrices.items():  # unembed(J·h), by what that reader has
        logits = fitted.model.readout.logits((matrix @ trace.layer(layer, -1).after[0])[None])[0]
        shown = trace.view(top_k=3).layers[layer].after
        torch.testing.assert_close(torch.tensor([t.logit for t in shown]), logits.topk(3).values, rtol=5e-3, atol=5e-3)


def test_what_was_written_is_read_back(fitted: Debugger, tmp_path: Path) -> None:
    fitted.fit_lens("tuned", prompts=8, tokens=LENGTH)
    for name, suffix in (("jacobian", "pt"), ("jacobian", "safetensors"), ("tuned", "safetensors")):
        path = tmp_path / f"{name}.{suffix}"
        fitted.export_lens(name, path)
        one, other = fitted.trace(prompt(6), lens=name).view(), fitted.trace(prompt(6), lens=path).view()
        assert other.lens == path.name
        for mine, theirs in zip(one.layers, other.layers, strict=True):
            for a, b in zip(mine.after, theirs.after, strict=True):
                assert a.logit == pytest.approx(b.logit, abs=5e-3)
    with pytest.raises(LensError, match="offsets"):
        fitted.export_lens("tuned", tmp_path / "tuned.pt")
    with pytest.raises(LensError, match="suffix"):
        fitted.export_lens("jacobian", tmp_path / "lens.bin")
    with pytest.raises(LensError, match="nothing to write"):
        fitted.export_lens("logit", tmp_path / "lens.pt")
    with pytest.raises(LensError, match="cannot be written"):
        fitted.export_lens("jacobian", tmp_path / "none" / "lens.pt")


def test_a_file_without_a_fingerprint_is_read_too(tmp_path: Path) -> None:
    tiny = shared("llama")
    path = tmp_path / "plain.pt"
    torch.save(payload(tiny), path)
    one, other = tiny.trace(prompt(6), lens=path).view(), tiny.trace(prompt(6)).view()
    assert one.lens == "plain.pt"
    for mine, theirs in zip(one.layers, other.layers, strict=True):  # J = I is the logit lens
        assert [t.id for t in mine.after] == [t.id for t in theirs.after]


class Bomb:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, ("import pathlib, os; pathlib.Path(os.environ['LM_DEBUGGER_CACHE'], 'ran').touch()",)


def _code(tiny: Debugger, path: Path) -> None:
    torch.save(payload(tiny, J={0: Bomb()}), path)


def _plain_pickle(tiny: Debugger, path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))


def _packed(tiny: Debugger, path: Path) -> None:
    """Zeros pack a thousandfold: what is unpacked would fill the memory."""
    torch.save(payload(tiny), path)
    with zipfile.ZipFile(path) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _legacy(tiny: Debugger, path: Path) -> None:
    torch.save(payload(tiny), path, _use_new_zipfile_serialization=False)


def _text(tiny: Debugger, path: Path) -> None:
    path.write_text("J")


def _cut(tiny: Debugger, path: Path) -> None:
    torch.save(payload(tiny), path)
    path.write_bytes(path.read_bytes()[:-200])


def _script(tiny: Debugger, path: Path) -> None:
    class Small(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    torch.jit.script(Small()).save(str(path))


def _changed(**changes: Any) -> Callable[[Debugger, Path], None]:
    return lambda tiny, path: torch.save(payload(tiny, **changes), path)


def _matrix(made: Callable[[int], Any], layer: Any = 0) -> Callable[[Debugger, Path], None]:
    def write(tiny: Debugger, path: Path) -> None:
        hidden = tiny.model.anatomy.hidden_size
        torch.save(payload(tiny, J={layer: made(hidden)}, source_layers=[layer]), path)

    return write


BAD: dict[str, tuple[Callable[[Debugger, Path], None], str]] = {
    "code": (_code, "more than plain numbers"),
    "plain pickle": (_plain_pickle, "not a file of torch.save"),
    "packed": (_packed, "packed"),
    "legacy": (_legacy, "not a file of torch.save"),
    "text": (_text, "not a file of torch.save"),
    "cut": (_cut, "not a file of torch.save"),
    "script": (_script, "packed"),
    "no dict": (lambda _, path: torch.save([1], path), "no J"),
    "no J": (_changed(J=None), "no J"),
    "no layer": (_changed(J={}, source_layers=[]), "no layer"),
    "other width said": (_changed(d_model=999), "width 999"),
    "a tensor for a width": (_changed(d_model=torch.ones(3)), "width"),
    "other layers named": (_changed(source_layers=[0]), "other layers"),
    "nonsense named": (_changed(source_layers="ab"), "other layers"),
    "other shape": (_matrix(lambda hidden: torch.eye(hidden + 1)), "shape"),
    "no matrix": (_matrix(lambda hidden: [1.0]), "shape"),
    "whole numbers": (_matrix(lambda hidden: torch.ones(hidden, hidden, dtype=torch.int32)), "int32"),
    "sparse": (_matrix(lambda hidden: torch.eye(hidden).to_sparse()), "layer 0"),
    "nan": (_matrix(lambda hidden: torch.full((hidden, hidden), torch.nan)), "NaN"),
    "the last layer": (_matrix(torch.eye, 2), "layer 2"),
    "a layer beyond": (_matrix(torch.eye, 99), "layer 99"),
    "a negative layer": (_matrix(torch.eye, -1), "layer -1"),
    "a word for a layer": (_matrix(torch.eye, "0"), "layer '0'"),
    "other weights": (_changed(fingerprint="0123456789abcdef", model="other"), "lens of the model other"),
    "large": (_matrix(lambda hidden: torch.zeros(hidden, 1 << 16)), "larger than any lens"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_refused(bad: str, empty_cache: Path, tmp_path: Path) -> None:
    tiny = shared("llama")
    write, says = BAD[bad]
    path = tmp_path / "bad.pt"
    empty_cache.mkdir(exist_ok=True)
    write(tiny, path)
    for use in (tiny.check_lens, lambda path: tiny.trace(prompt(4), lens=path), lambda path: tiny.add_lens(path, "x")):
        with pytest.raises(LensError, match=says) as refused:
            use(path)
        assert refused.value.cure
    assert not (empty_cache / "ran").exists()
    assert not tiny.lenses().lenses


def test_our_own_file_is_checked_too(fitted: Debugger, tmp_path: Path) -> None:
    path = tmp_path / "lens.safetensors"
    for content in (b"", b"x" * 100, b"\xff" * 16):
        path.write_bytes(content)
        with pytest.raises(LensError, match="no lens"):
            fitted.check_lens(path)
    fitted.export_lens("jacobian", path)
    with pytest.raises(LensError, match="not of this one"):
        debugger("llama", seed=1).check_lens(path)
    with pytest.raises(LensError, match="width"):
        lm_debugger.load(zoo.make("llama", hidden_size=64, head_dim=16), tokenizer(96)).check_lens(path)
    with pytest.raises(LensError, match=r"not a file|cannot be read"):
        fitted.check_lens(tmp_path)
    with pytest.raises(LensError, match="no file"):
        fitted.check_lens(tmp_path / "none.pt")


def test_a_lens_is_tried_not_believed(fitted: Debugger, tmp_path: Path) -> None:
    own, noise = tmp_path / "own.pt", tmp_path / "noise.pt"
    fitted.export_lens("jacobian", own)
    hidden, generator = fitted.model.anatomy.hidden_size, torch.Generator().manual_seed(0)
    made = {layer: torch.randn(hidden, hidden, generator=generator) for layer in range(fitted.model.layers - 1)}
    torch.save(payload(fitted, J=made), noise)
    good, bad = fitted.check_lens(own), fitted.check_lens(noise)
    assert good.belongs
    assert not bad.belongs
    assert all(abs(each.causal) < 0.6 < each.logit for each in bad.layers)
    assert "no better" in bad.reason
    with pytest.raises(LensError, match="no lens of this model"):
        fitted.add_lens(noise, "noise")
    fitted.add_lens(own, "mine")
    assert {about.name for about in fitted.lenses().lenses} == {"mine", "jacobian"}
    assert fitted.trace(prompt(5), lens="mine").view().lens == "mine"
    with pytest.raises(OptionError):
        fitted.add_lens(own, "logit")
