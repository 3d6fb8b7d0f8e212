"""Opens a model for debugging: load it, examine it (or recall the proof), join the parts into a `Debugger`.

Weights that are too large to load are opened where they lie, to be searched.
"""

import os
import time

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from lm_debugger.anatomy.fingerprint import fingerprint
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.debugger.session import Debugger
from lm_debugger.debugger.weights import Weights
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.ondisk.streamed import open_streamed
from lm_debugger.progress import Progress, silent
from lm_debugger.proof.report import examine_network, refusal
from lm_debugger.records.base import Record
from lm_debugger.records.examination import Examination
from lm_debugger.source.load import check_network, check_tokenizer, load_network
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.store import cache

KIND, VERSION = "anatomy", 2

Reference = str | os.PathLike[str] | torch.nn.Module


class _Proof(Record):
    """What the cache keeps of an examination that succeeded. Other versions of the code may differ in what they do."""

    examination: Examination
    anatomy: Anatomy
    versions: str = f"transformers {transformers.__version__}, torch {torch.__version__}"


def load(
    model: Reference,
    tokenizer: PreTrainedTokenizerBase | None = None,
    *,
    device: str | None = None,
    dtype: str | torch.dtype | None = None,
    device_map: str | dict[str, object] | None = None,
    trust_remote_code: bool = False,
    revision: str | None = None,
    progress: Progress = silent,
) -> Debugger:
    """Open a model for debugging.

    Args:
        model: `demo`, a hub id, a folder (also of an adapter), a GGUF file, or a model in memory.
        tokenizer: the tokenizer of a model in memory.
        device: `cpu`, `cuda`, `cuda:1` or `mps`; by default the best there is.
        dtype: such as `float32` or `bfloat16`; by default the checkpoint's.
        device_map: passed on to transformers.
        trust_remote_code: run code that comes with the model. Off unless you trust its author.
        revision: branch, tag or commit on the hub.
        progress: told of downloads and examination.

    Raises:
        ModelNotFoundError, ModelLoadError, DownloadError: if the model cannot be loaded.
        UnsupportedModelError: if its anatomy cannot be proved; `examine` reports the details.
        NumericalError: if its weights are not finite.
    """
    name, network, words = _network(
        model, tokenizer, device=device, dtype=dtype, device_map=device_map,
        trust_remote_code=trust_remote_code, revision=revision, progress=progress,
    )  # fmt: skip
    loaded = _joined(name, network, words, progress)

    def reopen(old: LoadedModel) -> LoadedModel:
        return _joined(old.name, network, words, progress)

    return Debugger(loaded, reopen, progress)


def _joined(name: str, network: PreTrainedModel, words: PreTrainedTokenizerBase, progress: Progress) -> LoadedModel:
    """The network with its proof, its engine and its vocabulary."""
    report, anatomy = _prove(name, network, progress)
    if anatomy is None:
        raise refusal(report)
    embedded = getattr(network.get_input_embeddings(), "num_embeddings", anatomy.readout.vocabulary)
    return LoadedModel(name, network, Vocabulary(words, embedded), anatomy, report)


def open_weights(
    folder: str | os.PathLike[str], *, trust_remote_code: bool = False, progress: Progress = silent
) -> Weights:
    """Open the weights in a folder of safetensors files without loading the model: to search them, and no more.

    Its first layers are loaded, enough to have one of every kind, and proved as `load` would; all others are read from
    disk when they are needed. A search then takes a pass over the files.

    Args:
        folder: a folder with config.json, a tokenizer and safetensors files, or `demo`.
        trust_remote_code: run code that comes with the model. Off unless you trust its author.
        progress: told of the steps, and of later searches.

    Raises:
        ModelNotFoundError, ModelLoadError, UnsupportedModelError, NumericalError.
    """
    return Weights(open_streamed(folder, trust_remote_code=trust_remote_code, progress=progress), progress)


def examine(
    model: Reference,
    *,
    device: str | None = None,
    dtype: str | torch.dtype | None = None,
    device_map: str | dict[str, object] | None = None,
    trust_remote_code: bool = False,
    revision: str | None = None,
    progress: Progress = silent,
) -> Examination:
    """Report whether a model is supported and how that was proved. Arguments as for `load`.

    Returns:
        A report with `.supported`, `.checks`, `.failures`. A model that is not supported raises nothing.
    """
    if isinstance(model, str | os.PathLike):
        name, network, _ = _network(
            model, None, device=device, dtype=dtype, device_map=device_map,
            trust_remote_code=trust_remote_code, revision=revision, progress=progress,
        )  # fmt: skip
    else:
        network = check_network(model)
        name = type(network).__name__
    return _prove(name, network, progress)[0]


def _network(
    model: Reference,
    tokenizer: PreTrainedTokenizerBase | None,
    *,
    device: str | None,
    dtype: str | torch.dtype | None,
    device_map: str | dict[str, object] | None,
    trust_remote_code: bool,
    revision: str | None,
    progress: Progress,
) -> tuple[str, PreTrainedModel, PreTrainedTokenizerBase]:
    if isinstance(model, str | os.PathLike):
        network, own = load_network(
            model, device=device, dtype=dtype, device_map=device_map,
            trust_remote_code=trust_remote_code, revision=revision, progress=progress,
        )  # fmt: skip
        return os.fspath(model), network, tokenizer or own
    network = check_network(model)
    return type(network).__name__, network, check_tokenizer(tokenizer)


def _prove(name: str, network: PreTrainedModel, progress: Progress) -> tuple[Examination, Anatomy | None]:
    """Examine, or recall the proof of this very model on this kind of device."""
    start = time.perf_counter()
    identity = fingerprint(network)
    key = f"{identity}-{network.device.type}"
    kept = _recall(key)
    if kept is not None:
        seconds = {**kept.examination.seconds, "recall": time.perf_counter() - start}
        report = kept.examination.model_copy(update={"cached": True, "model": name, "seconds": seconds})
        return report, kept.anatomy
    report, anatomy = examine_network(network, name=name, fingerprint=identity, progress=progress)
    if anatomy is not None:
        cache.write(KIND, key, VERSION, {}, _Proof(examination=report, anatomy=anatomy).model_dump_json())
    return report, anatomy


def _recall(key: str) -> _Proof | None:
    entry = cache.read(KIND, key, VERSION)
    if entry is None:
        return None
    proof = _Proof.model_validate_json(entry.text)
    return proof if proof.versions == _Proof.model_fields["versions"].default else None
