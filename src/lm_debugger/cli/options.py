"""The options that several commands share, and the reading of arguments that needs no model."""

import re
import sys
from enum import StrEnum
from typing import Annotated

import typer

from lm_debugger.errors import OptionError, PromptError

Prompt = Annotated[str, typer.Argument(metavar="PROMPT", help="The text to run, or - to read it from standard input.")]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        envvar="LM_DEBUGGER_MODEL",
        metavar="MODEL",
        help="A Hugging Face hub id, a folder, a GGUF file, or demo.",
        rich_help_panel="Model",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="cpu, cuda, cuda:1, mps, or auto to spread the model over what there is.",
        rich_help_panel="Model",
    ),
]


class DtypeName(StrEnum):
    """Number types that weights can have."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


Dtype = Annotated[
    DtypeName | None,
    typer.Option("--dtype", help="Number type of the weights; without it, the model's own.", rich_help_panel="Model"),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option("--trust-remote-code", help="Run Python code that comes with the model.", rich_help_panel="Model"),
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Edits = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="EDIT",
        help="Edit a coefficient: VALUE=off, =on, =on-, =layermax, =3.5, *=2 or +=1, then perhaps "
        "@prompt, @generated, @last or positions @3,5-7. Can be given more than once.",
    ),
]
DEMO = "demo"


def read_prompt(prompt: str) -> str:
    """The prompt, read from standard input for `-` without the line break that ends it.

    Raises:
        PromptError: if it is not UTF-8 text.
    """
    try:
        if prompt == "-":
            # A pipe's last line break ends the line; as part of the prompt it would change the prediction.
            return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n").removesuffix("\r")
        prompt.encode("utf-8")  # arguments that are not UTF-8 arrive with lone surrogates
    except UnicodeError:
        raise PromptError("The prompt is not UTF-8 text.", "Convert it to UTF-8.") from None
    return prompt


def read_layers(layers: str | None) -> range | None:
    """Read `12-14` or `12`; None for all.

    Raises:
        OptionError: if it is not a range of layers.
    """
    if layers is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,9})\s*(?:[-–]\s*(\d{1,9}))?\s*", layers, re.ASCII)
    if match is None:
        raise OptionError(f"--layers {layers!r} is not a range of layers.", "Write it as in --layers 12-14.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise OptionError(f"--layers {layers!r} runs backwards.", f"Write --layers {last}-{first}.")
    return range(first, last + 1)
