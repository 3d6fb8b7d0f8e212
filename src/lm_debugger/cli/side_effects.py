"""`lm-debugger side-effects`: what edits do to texts that they are not meant for."""

from pathlib import Path
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def side_effects(
    model: options.Model = options.DEMO,
    edits: options.Edits = None,
    held: Annotated[
        Path | None,
        typer.Option("--held", metavar="FILE", help="The texts, one on every line; else some that the model writes."),
    ] = None,
    continuations: Annotated[
        int, typer.Option("--continuations", metavar="N", help="How many texts are gone on from, with and without.")
    ] = 3,
    seed: Annotated[int, typer.Option("--seed", help="Of the model's own texts, random edits and sampling.")] = 0,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Measure what the edits of --set do to other texts, beside random edits of equal size.

    How far the predictions along the texts move, at how many positions another token comes out on top, and how well the
    texts are predicted; the worst text first.
    """
    from lm_debugger.edits.grammar import parse_all

    interventions, texts = parse_all(edits or ()), None if held is None else options.read_lines(held)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.side_effects(interventions, texts, continuations=continuations, seed=seed, progress=progress)
    if json:
        print_record(found)
        return

    from lm_debugger.show.effects import side_effects as document

    print_answer(document(found))
