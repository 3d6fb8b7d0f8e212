"""`lm-debugger flow`: how information flows to a prediction."""

from pathlib import Path
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.saving import Save, check_ending, save_answer, write_record
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
    save: Save = None,
    graph: Annotated[
        Path | None,
        typer.Option(
            "--graph",
            metavar="FILE",
            help="Also write a graph of heads and feed-forwards (JSON for Neuronpedia).",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show how information flows to the prediction after PROMPT (information-flow routes).

    From the last layer down: what each residual stream on the way came from, as parts of 1: other tokens through
    attention, the feed-forward, and the stream that went by.
    """
    from lm_debugger.edits.grammar import parse_all

    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    check_ending(save)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.flow(text, position, threshold, interventions, progress=progress)
        if graph is not None:
            drawn = debugger.attribution_graph(text, position, threshold, interventions, progress=progress)
            write_record(graph, drawn)

    from lm_debugger.show.flow import flow as document

    if save is not None:
        save_answer(save, found, document(found))
    if json:
        print_record(found)
    else:
        print_answer(document(found))
