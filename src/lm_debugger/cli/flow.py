"""`lm-debugger flow`: how information flows to a prediction."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def flow(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="F", help="Leave contributions below it out; above 0, at most 1.")
    ] = 0.04,
    edits: options.Edits = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Show how information flows to the prediction after PROMPT (information-flow routes).

    From the last layer down: what each residual stream on the way came from, as parts of 1: other tokens through
    attention, the feed-forward, and the stream that went by.
    """
    from lm_debugger.edits.grammar import parse_all

    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.flow(text, position, threshold, interventions, progress=progress)
    if json:
        print_record(found)
        return

    from lm_debugger.show.flow import flow as document

    print_answer(document(found))
