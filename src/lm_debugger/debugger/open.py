"""Opens a model for debugging: load it, examine it (or recall the proof), join the parts into a `Debugger`.

Weights that are too large to load are opened where they lie, to be searched.
"""

import os

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from lm_debugger.debugger.session import Debugger
from lm_debugger.debugger.weights import Weights
from lm_debugger.engine.guard import exact
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.proof.kept import prove
from lm_debugger.records.examination import Examination
from lm_debugger.source.load import check_network, check_tokenizer, load_network
from lm_debugger.source.options import LoadOptions
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.work import Progress, Work, silent

Reference = str | os.PathLike[str] | torch.nn.Module


@exact
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
    work = Work(progress)
    options = LoadOptions(device, dtype, device_map, trust_remote_code, revision)
    name, network, words = _network(model, tokenizer, options, work)

    def reopen(old: LoadedModel) -> LoadedModel:
        return _joined(old.name, network, words, work)

    return Debugger(_joined(name, network, words, work), reopen, progress)


def _joined(name: str, network: PreTrainedModel, words: PreTrainedTokenizerBase, work: Work) -> LoadedModel:
    """The network with its proof, its engine and its vocabulary."""
    report, anatomy = prove(network, name=name, work=work)
    if anatomy is None:
        from lm_debugger.proof.report import refusal

        raise refusal(report)
    embedded = getattr(network.get_input_embeddings(), "num_embeddings", anatomy.readout.vocabulary)
    return LoadedModel(name, network, Vocabulary(words, embedded), anatomy, report)


@exact
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
    from lm_debugger.ondisk.streamed import open_streamed  # not needed by models that are loaded

    options = LoadOptions(trust_remote_code=trust_remote_code)
    return Weights(open_streamed(folder, options, Work(progress)), progress)


@exact
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
    options = LoadOptions(device, dtype, device_map, trust_remote_code, revision)
    if isinstance(model, str | os.PathLike):
        name, network, _ = _network(model, None, options, Work(progress))
    else:
        network = check_network(model)
        name = type(network).__name__
    return prove(network, name=name, work=Work(progress))[0]


def _network(
    model: Reference, tokenizer: PreTrainedTokenizerBase | None, options: LoadOptions, work: Work
) -> tuple[str, PreTrainedModel, PreTrainedTokenizerBase]:
    if isinstance(model, str | os.PathLike):
        network, own = load_network(model, options, work=work)
        return os.fspath(model), network, tokenizer or own
    network = check_network(model)
    return type(network).__name__, network, check_tokenizer(tokenizer)
