"""`lm-debugger why`: who wrote a prediction."""

from typing import Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.saving import Save, check_ending, save_answer
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def why(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="TOKEN",
            help="The token to explain, such as ' doctor', or #123; else the top one.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", "-a", metavar="TOKEN", help="A token to compare with; without both, the runner-up."),
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    layers: Annotated[str | None, typer.Option("--layers", metavar="A-B", help="List parts of these layers.")] = None,
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="How many parts to list.")] = 20,
    verify: Annotated[
        int, typer.Option("--verify", metavar="N", help="Ablate N parts one by one and measure what is lost.")
    ] = 0,
    estimate: Annotated[
        Literal["gradient", "integrated", "relevance"] | None,
        typer.Option("--estimate", help="How to estimate what is lost without a part."),
    ] = None,
    ablate: Annotated[
        Literal["zero", "mean", "resample"] | None,
        typer.Option("--ablate", help="What takes a part's place: nothing, its mean, or its value for another prompt."),
    ] = None,
    resample: Annotated[
        str | None, typer.Option("--resample", metavar="PROMPT", help="The other prompt, for --ablate resample.")
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Also tell what each listed head brought from each token.")
    ] = False,
    edits: options.Edits = None,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    save: Save = None,
    json: options.Json = False,
) -> None:
    """Show who wrote the token after PROMPT, or wrote it rather than another.

    The token's logit, or its lead over another token's, is the sum of what every part of the model adds to it directly:
    the embedding, every attention head, every value vector, every bias. The largest parts are listed; they, the rest
    and what is unexplained add up. What the difference would lose without a part, with all that later parts make of it,
    is estimated from a backward pass, and with --verify measured.
    """
    from lm_debugger.edits.grammar import parse_all

    text, among, interventions = options.read_prompt(prompt), options.read_layers(layers), parse_all(edits or ())
    other = None if resample is None else options.read_prompt(resample)
    wanted, other_token = options.read_tokens(target, against)
    check_ending(save)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.why(
            text, wanted, other_token, position, interventions, top_k=top_k, layers=among, estimate=estimate or True,
            verify=verify, ablate=ablate, resample=other, sources=sources, lens=lens, progress=progress,
        )  # fmt: skip

    from lm_debugger.show.why import why as document

    if save is not None:
        save_answer(save, found, document(found))
    if json:
        print_record(found)
    else:
        print_answer(document(found))
