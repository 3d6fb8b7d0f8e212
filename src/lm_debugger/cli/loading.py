"""Load the model that a command asks for, without the noise of the libraries beneath."""

import os
import warnings
from typing import TYPE_CHECKING

from lm_debugger.errors import OptionError
from lm_debugger.threads import wait_asleep
from lm_debugger.work import Progress

if TYPE_CHECKING:
    from lm_debugger import Debugger
    from lm_debugger.debugger.weights import Weights


def load(
    model: str, *, device: str | None, dtype: str | None, trust_remote_code: bool, progress: Progress
) -> "Debugger":
    """Load a model; the device `auto` spreads it over all devices."""
    silence_libraries()
    import lm_debugger

    spread = device == "auto"
    return lm_debugger.load(
        model,
        device=None if spread else device,
        dtype=dtype,
        device_map="auto" if spread else None,
        trust_remote_code=trust_remote_code,
        progress=progress,
    )


def load_weights(
    model: str,
    *,
    from_disk: bool,
    device: str | None,
    dtype: str | None,
    trust_remote_code: bool,
    progress: Progress,
) -> "Weights":
    """What is asked of the weights alone: a model that is loaded, or its folder read as needed.

    Raises:
        OptionError: if a device or dtype is chosen for weights that stay on disk.
    """
    if not from_disk:
        return load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
    if device is not None or dtype is not None:
        raise OptionError("Weights that stay on disk have no device or dtype to choose.", "Leave it out.")
    silence_libraries()
    import lm_debugger

    return lm_debugger.open_weights(model, trust_remote_code=trust_remote_code, progress=progress)


def silence_libraries() -> None:
    """Keep warnings and progress bars of transformers and others off the terminal, and idle threads off the cores.

    Call it before they are imported: they read their environment then. What a user has set stays.
    """
    wait_asleep()
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if not os.environ.get("LM_DEBUGGER_TRACEBACK"):
        warnings.simplefilter("ignore")
