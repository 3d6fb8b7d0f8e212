"""The options that several commands share, and the reading of arguments that needs no model."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.errors import OptionError, PromptError

if TYPE_CHECKING:
    from lm_debugger.records.fix import FixCase
    from lm_debugger.records.recipe import Recipe
from lm_debugger.records import names

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
OneModel = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="MODEL", help="Those of this model alone.", rich_help_panel="Model"),
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
FromDisk = Annotated[
    bool,
    typer.Option(
        "--from-disk",
        help="Read the weights from the folder's safetensors files as needed, without loading the model.",
        rich_help_panel="Model",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Edits = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="EDIT",
        help="Edit a coefficient: VALUE=off, =on, =on-, =on*0.5, =layermax, =3.5, *=2 or +=1, then perhaps "
        "@prompt, @generated, @last or positions @3,5-7. Can be given more than once.",
    ),
]
Recipes = Annotated[
    list[Path] | None,
    typer.Option("--recipe", metavar="FILE", help="Apply the edits of a recipe. Can be given more than once."),
]
RecipeStrength = Annotated[
    float,
    typer.Option(
        "--recipe-strength",
        metavar="S",
        min=0.0,
        help="Make the edits of the recipes stronger or weaker together: 0.5 is half as strong.",
    ),
]
Lens = Annotated[
    str | None,
    typer.Option(
        "--lens",
        metavar="NAME|FILE",
        help="Read layers through this lens: logit, one that is kept (jacobian, tuned), or a lens file.",
    ),
]
Watches = Annotated[
    list[str] | None,
    typer.Option(
        "--watch",
        "-w",
        metavar="EXPR",
        help="Follow an expression, such as 'p(\" Paris\")', 'entropy()' or L12D345. Can be given more than once.",
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


def read_recipes(paths: Sequence[Path], strength: float) -> list["Recipe"]:
    """Read recipes' files; whether they are the model's is the debugger's to tell.

    Raises:
        RecipeError: if one cannot be read.
        OptionError: if a strength is given without a recipe.
    """
    from lm_debugger.edits.recipe import read_file

    if strength != 1 and not paths:
        raise OptionError("--recipe-strength is given without a recipe.", "Add --recipe FILE.")
    return [read_file(path) for path in paths]


def read_layers(layers: str | None) -> range | None:
    """Read `12-14` or `12`; None for all.

    Raises:
        OptionError: if it is not a range of layers.
    """
    return None if layers is None else names.read_layers(layers)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty.

    Raises:
        OptionError: if it cannot be read or has none.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise OptionError(f"There is no file {path}.", "Give the path of a text file.") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise OptionError(f"{path} cannot be read as text: {failure}.", "Give the path of a UTF-8 text file.") from None
    if not lines:
        raise OptionError(f"{path} is empty.", "Write one text on every line.")
    return lines


def read_token(text: str) -> str | int:
    """A token as watches name it: #123 by its number, else by its text."""
    number = text.removeprefix("#")
    return int(number) if text != number and number.isascii() and number.isdigit() and len(number) < 10 else text


def read_tokens(*texts: str | None) -> tuple[str | int | None, ...]:
    """Several, each of which may be left out."""
    return tuple(None if text is None else read_token(text) for text in texts)


def read_cases(path: Path) -> list["FixCase"]:
    """The cases of a file: JSON objects, or prompt and target with a tab between, one on every line.

    Raises:
        OptionError: if it cannot be read, or a line is neither.
    """
    from lm_debugger.records.fix import FixCase

    found = []
    for number, line in enumerate(read_lines(path), 1):
        try:
            if line.lstrip().startswith("{"):
                found.append(FixCase.model_validate_json(line))
            else:
                prompt, target = line.split("\t")
                found.append(FixCase(prompt=prompt, target=target))
        except ValueError:
            raise OptionError(
                f"{path}, case {number}: {line[:60]!r} is no case.",
                'Write {"prompt": "The sky is", "target": " green"}, or both with a tab between.',
            ) from None
    return found
