"""`lm-debugger patch`: parts of a run replaced by those of another."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.saving import Save, check_ending, save_answer
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError

if TYPE_CHECKING:
    from lm_debugger.records.patch import PatchMap
    from lm_debugger.records.path import PathMap


def patch(
    prompt: options.Prompt,
    source: Annotated[str, typer.Option("--from", metavar="PROMPT", help="The prompt whose run the parts come from.")],
    model: options.Model = options.DEMO,
    part: Annotated[
        Literal["residual", "attention", "ffn", "heads"], typer.Option("--part", help="What is replaced.")
    ] = "residual",
    receiver: Annotated[
        str | None,
        typer.Option(
            "--receiver",
            metavar="PART",
            help="Patch the path to this part alone: L12H3, L12D345, 'L12 attention', 'L12 ffn' or output.",
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--sender", metavar="PART", help="The part that it reads, as above or embedding; else all heads."),
    ] = None,
    through: Annotated[
        Literal["nothing", "ffn"], typer.Option("--through", help="What is computed anew on the path.")
    ] = "nothing",
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", metavar="TOKEN", help="The token to follow, such as ' doctor', or #123."),
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
    With --receiver one part alone reads the other run's value of --sender (or of each head), and nothing between them
    changes: path patching.
    """
    from lm_debugger.edits.grammar import parse_all
    from lm_debugger.show.patch import patch as document
    from lm_debugger.show.path import paths

    found: PatchMap | PathMap

    text, other, interventions = options.read_prompt(prompt), options.read_prompt(source), parse_all(edits or ())
    check_ending(save)
    if sender is not None and receiver is None:
        raise OptionError("A sender is given, but no receiver.", "Name the part that reads it with --receiver.")
    wanted, other_token = options.read_tokens(target, against)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        if receiver is not None:
            way = debugger.path_patch(
                text, other, receiver, sender or "heads", wanted, other_token, position, interventions, through=through,
                progress=progress,
            )  # fmt: skip
            found, drawn = way, paths(way)
        else:
            grid = debugger.patch(text, other, part, wanted, other_token, position, interventions, progress=progress)
            found, drawn = grid, document(grid)
    if save is not None:
        save_answer(save, found, drawn)
    if json:
        print_record(found)
    else:
        print_answer(drawn)
