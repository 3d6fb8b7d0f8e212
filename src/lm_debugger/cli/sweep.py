"""`lm-debugger sweep`: a prediction over the strengths of one edit."""

from typing import Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def sweep(
    prompt: options.Prompt,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit to sweep, such as L12D345 or L12H3.")],
    model: options.Model = options.DEMO,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", metavar="TOKEN", help="The token to follow, or #123; else the top one."),
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    operation: Annotated[
        Literal["set", "add", "scale"] | None,
        typer.Option("--by", help="What the strength is. A coefficient is set and a head scaled if nothing is said."),
    ] = None,
    low: Annotated[float | None, typer.Option("--from", help="Lowest strength; else the calibrated on-.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="Highest strength; else the calibrated on.")] = None,
    points: Annotated[int, typer.Option("--points", metavar="N", help="How many strengths.")] = 11,
    edits: options.Edits = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Show what becomes of the prediction after PROMPT over the strengths of one edit."""
    from lm_debugger.edits.grammar import parse_all

    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    (wanted,) = options.read_tokens(target)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.sweep(
            text, unit, wanted, position, interventions, operation=operation, low=low, high=high, points=points,
            progress=progress,
        )  # fmt: skip
    if json:
        print_record(found)
        return

    from lm_debugger.show.effects import sweep as document

    print_answer(document(found))
