"""Says what it means when a model cannot be loaded: the libraries' exceptions as one sentence with a cure.

Knows the exceptions of transformers, torch, safetensors and the hub's client by type and message.
"""

from collections.abc import Iterator

import torch
from huggingface_hub import errors

from lm_debugger.errors import LMDebuggerError, ModelLoadError, ModelNotFoundError


def explain(reference: str, error: Exception) -> LMDebuggerError:
    """The error to raise in place of what a loader raised for `reference`."""
    chain = tuple(_chain(error))
    text = " ".join(str(one) for one in chain)
    lowered = text.lower()
    for what, cure, matches in (
        (
            "is gated: its owners must let you in",
            "Ask for access on its page, then log in with `hf auth login`.",
            any(isinstance(one, errors.GatedRepoError) for one in chain) or "gated repo" in lowered,
        ),
        (
            "does not fit in memory",
            "Try --dtype bfloat16, --device auto, --device cpu or a smaller model.",
            any(isinstance(one, (MemoryError, torch.OutOfMemoryError)) for one in chain)
            or "can't allocate memory" in lowered
            or "not enough memory" in lowered,
        ),
        (
            "comes with Python code of its own, which would be run",
            "Read the code; if you trust it, add --trust-remote-code.",
            "trust_remote_code" in lowered,
        ),
        (
            "is not a language model that predicts the next token",
            "Give a model that transformers loads with AutoModelForCausalLM.",
            "for this kind of automodel" in lowered,
        ),
        (
            f"is of a GGUF architecture that transformers cannot read ({_line(error)})",
            "Use the model's original weights, or update transformers.",
            ("gguf" in lowered and "not supported" in lowered) or "unknown gguf model_type" in lowered,
        ),
        (
            f"is of a kind that this version of transformers does not know ({_line(error)})",
            "Update transformers: pip install --upgrade transformers.",
            "does not recognize this architecture" in lowered or "unrecognized model" in lowered,
        ),
        (
            f"needs a package that is not installed: {_line(error)}",
            "Install it.",
            any(isinstance(one, ImportError) for one in chain),
        ),
        (
            f"has no weights that can be read ({_line(error)})",
            "Give a folder with model.safetensors, or fetch the model again.",
            "no file named" in lowered or "does not appear to have a file named" in lowered,
        ),
        (
            f"has damaged weights ({_line(error)})",
            "Fetch or save the model again.",
            any(type(one).__name__ in ("SafetensorError", "UnpicklingError") for one in chain),
        ),
    ):
        if matches:
            return ModelLoadError(f"The model {reference} {what}.", cure)
    if any(isinstance(one, errors.LocalEntryNotFoundError) for one in chain):
        return ModelNotFoundError(
            f"The model {reference} is not complete on this machine, and the hub cannot be reached.",
            "Check the network and try again.",
        )
    return ModelLoadError(f"The model {reference} could not be loaded: {type(error).__name__}: {_line(error)}.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    """The first line of an exception's message, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")
