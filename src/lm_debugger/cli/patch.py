"""`lm-debugger patch`: parts of a run replaced by those of another."""

from typing import Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.saving import Save, check_ending, save_answer
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def patch(
    prompt: options.Prompt,
    source: Annotated[str, typer.Option("--from", metavar="PROMPT", help="The prompt whose run the parts come from.")],
    model: options.Model = options.DEMO,
    part: Annotated[
        Literal["residual", "attention", "ffn", "heads"], typer.Option("--part", help="What is replaced.")
    ] = "residual",
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="TOKEN", help="The token to follow, such as ' doctor'.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", "-a", metavar="TOKEN", help="A token to compare with; without both, the other run's top one."
        ),
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    edits: options.Edits = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    save: Save = None,
    json: options.Json = False,
) -> None:
    """Show where the difference between two prompts lies: replace one activation at a time and read the prediction.

    For each layer and position the residual stream, what attention gives or what the feed-forward gives is taken from
    the other prompt's run; or each head at all positions. Prompts of different lengths are aligned where they differ.
    """
    from lm_debugger.edits.grammar import parse_all

    text, other, interventions = options.read_prompt(prompt), options.read_prompt(source), parse_all(edits or ())
    check_ending(save)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.patch(text, other, part, target, against, position, interventions, progress=progress)

    from lm_debugger.show.patch import patch as document

    if save is not None:
        save_answer(save, found, document(found))
    if json:
        print_record(found)
    else:
        print_answer(document(found))
