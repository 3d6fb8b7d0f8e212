"""`lm-debugger direction`: directions of the residual stream that edits name, kept, listed, removed."""

from pathlib import Path
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError

direction = typer.Typer(
    help="Directions of the residual stream, for edits such as L12R(polite)+=1: keep, list, remove.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@direction.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What edits call it, as in L12R(NAME).")],
    model: options.Model = options.DEMO,
    word: Annotated[
        list[str] | None, typer.Option("--word", metavar="WORD", help="A word that it promotes; may be repeated.")
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option("--minus", metavar="WORD", help="A word that it suppresses; may be repeated.")
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="PROMPT", help="A prompt that it starts from, or @FILE: one a line."),
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="PROMPT", help="A prompt that it goes to, or @FILE.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Vectors: .safetensors, .npy, .pt (weights only) or .json."),
    ] = None,
    layer: Annotated[int | None, typer.Option("--layer", metavar="L", min=0, help="For this layer alone.")] = None,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Keep a direction: of words, of two sets of prompts (the mean difference at their last tokens), or of a file."""
    prompts = [[line for each in given or () for line in _lines(each)] for given in (start, to)]
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.keep_direction(
            name, words=word or (), minus=minus or (), start=prompts[0], to=prompts[1], file=file, layer=layer,
            lens=lens, progress=progress,
        )  # fmt: skip
    if json:
        print_record(found)
        return

    from lm_debugger.show.direction import kept

    print_answer(kept(found))


@direction.command(name="list")
def list_(
    model: options.OneModel = None, trust_remote_code: options.TrustRemoteCode = False, json: options.Json = False
) -> None:
    """List the directions that are kept, of all models or of one."""
    from lm_debugger.debugger.kept import directions

    with progress_bar() as progress:
        found = (
            load(model, device=None, dtype=None, trust_remote_code=trust_remote_code, progress=progress).directions()
            if model is not None
            else directions()
        )
    if json:
        print_record(found)
        return

    from lm_debugger.show.direction import listing

    print_answer(listing(found))


@direction.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it was kept.")],
    model: options.Model = options.DEMO,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Forget a direction of the model."""
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        debugger.remove_direction(name)


def _lines(given: str) -> list[str]:
    """A prompt, or those of a file."""
    if not given.startswith("@"):
        return [given]
    try:
        text = Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as failure:
        raise OptionError(
            f"{given[1:]} cannot be read: {failure}.", "Give a text file with one prompt a line."
        ) from None
    return [line for line in text.splitlines() if line.strip()]
