"""What a model reference names: the demo, a folder, a GGUF file, an adapter, or a model on the Hugging Face hub.

Only finds and checks; loads no weights.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, errors, try_to_load_from_cache

from lm_debugger.errors import ModelNotFoundError
from lm_debugger.source import demo
from lm_debugger.work import Work

DEMO = "demo"

_HUB_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?", re.ASCII)
_HUB_SECONDS = 10.0
_ADAPTER = "adapter_config.json"
_TOKENIZER_FILES = frozenset(
    {
        "tokenizer.json",
        "tokenizer_config.json",
        "tokenizer.model",
        "vocab.json",
        "vocab.txt",
        "spiece.model",
        "tekken.json",
    }
)
_FORMS = "Give a hub id, a folder, a GGUF file or `demo`."


@dataclass(frozen=True)
class Source:
    """Where a model's files are.

    Args:
        reference: what the user gave; named in errors.
        location: a folder's path or a hub id, as `from_pretrained` takes it.
        gguf: name of the GGUF file in the folder, if it is one.
        dequantised: whether it is a folder that a GGUF file was converted to.
        adapter: whether the files are an adapter (PEFT), which names its base model.
        has_tokenizer: whether a tokenizer is among the files.
        on_hub: whether the location is a hub id.
        local_only: whether only files on this machine may be used.
        revision: branch, tag or commit on the hub.
    """

    reference: str
    location: str
    gguf: str | None = None
    dequantised: bool = False
    adapter: bool = False
    has_tokenizer: bool = True
    on_hub: bool = False
    local_only: bool = True
    revision: str | None = None


def find(reference: str | os.PathLike[str], *, revision: str | None, work: Work) -> Source:
    """What the reference names.

    Raises:
        ModelNotFoundError: if it names nothing that can be read.
        DownloadError: if it is `demo` and the demo model cannot be fetched.
    """
    name = os.fspath(reference)
    if name == DEMO:
        return Source(name, str(demo.folder(work)))
    path = Path(name).expanduser()
    if name and path.is_dir():
        return _in_folder(name, path)
    if path.is_file():
        if path.suffix.lower() == ".gguf":
            return _gguf(name, path)
        raise ModelNotFoundError(f"{name} is a file, but not a GGUF file.", "Give the folder that it is in.")
    if not isinstance(reference, str) or not _HUB_ID.fullmatch(name) or name.lower().endswith(".gguf"):
        raise ModelNotFoundError(f"There is no file or folder {name!r}.", _FORMS)
    return _on_hub(name, revision)


def _in_folder(name: str, path: Path) -> Source:
    if (path / _ADAPTER).is_file() and not (path / "config.json").is_file():
        return Source(name, str(path), adapter=True, has_tokenizer=_has_tokenizer(path))
    if (path / "config.json").is_file():
        return Source(name, str(path), has_tokenizer=_has_tokenizer(path))
    models = sorted(path.glob("*.gguf"))
    if len(models) == 1:
        return _gguf(name, models[0])
    if models:
        raise ModelNotFoundError(
            f"The folder {name} has {len(models)} GGUF files.", f"Give one of them, such as {models[0].name}."
        )
    raise ModelNotFoundError(
        f"The folder {name} has no config.json.", "Give the folder that save_pretrained wrote the model to."
    )


def _gguf(name: str, path: Path) -> Source:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelNotFoundError(f"{name} is not a GGUF file: it does not begin with GGUF.", "Fetch it again.")
    return Source(name, str(path.parent), gguf=path.name)


def _on_hub(name: str, revision: str | None) -> Source:
    """Ask the hub once (the loaders would repeat it for 20 s), and fall back on what was downloaded before."""
    try:
        info = HfApi().model_info(name, revision=revision, timeout=_HUB_SECONDS)
    except errors.RevisionNotFoundError as error:
        raise ModelNotFoundError(f"The hub's model {name} has no revision {revision!r}.", "Check its name.") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelNotFoundError(
            f"There is no folder, and no public model on the hub, named {name!r}.",
            f"{_FORMS} If the model is private, log in with `hf auth login`.",
        ) from error
    except Exception as error:  # no network, offline mode, a hub in trouble: each client has errors of its own
        if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
            return Source(name, name, on_hub=True, revision=revision)
        raise ModelNotFoundError(
            f"There is no folder {name!r}, and the hub cannot be reached ({_short(error)}).",
            "Check the network, give a folder or a GGUF file, or try the demo model with `demo`.",
        ) from error
    files = {file.rfilename for file in info.siblings or ()}
    adapter = _ADAPTER in files and "config.json" not in files
    known = not _TOKENIZER_FILES.isdisjoint(files)
    return Source(name, name, adapter=adapter, has_tokenizer=known, on_hub=True, local_only=False, revision=revision)


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _TOKENIZER_FILES)


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
