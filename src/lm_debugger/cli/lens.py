"""`lm-debugger lens`: fit, compare, check and exchange the lenses that layers are read through."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_notice, print_record, progress_bar

lens = typer.Typer(
    help="Lenses, through which layers are read by what they will make the model say: fit, list, compare, exchange.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Text = Annotated[
    Path | None,
    typer.Option(
        "--text", metavar="FILE", exists=True, dir_okay=False, readable=True,
        help="Use this text; without it, text that the model writes.",
    ),
]  # fmt: skip


@lens.command()
def fit(
    kind: Annotated[
        Literal["tuned", "jacobian"],
        typer.Option("--kind", help="tuned predicts the model's output best; jacobian tells causes."),
    ],
    model: options.Model = options.DEMO,
    text: Text = None,
    prompts: Annotated[
        int | None, typer.Option("--prompts", min=1, help="How many texts; tuned 64, jacobian 48 without it.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens", min=2, help="Tokens of each; tuned 65, jacobian 64 without it.")
    ] = None,
    estimator: Annotated[
        Literal["sampled", "exact"],
        typer.Option(
            "--estimator",
            help="Of the Jacobian lens: every channel's derivative in every text (exact), or a part of them in each.",
        ),
    ] = "sampled",
    name: Annotated[str | None, typer.Option("--name", help="Keep it under this name, not under its kind.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the model's writing and of what is sampled.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Fit again even if such a lens is kept.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to a .pt or .safetensors file too.")
    ] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Fit a lens and keep it for the model.

    Interrupt it when you like: the same command goes on where it was.
    """
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.fit_lens(
            kind, name=name, text=text, prompts=prompts, tokens=tokens, estimator=estimator, seed=seed, force=force,
            progress=progress,
        )  # fmt: skip
        if output is not None:
            debugger.export_lens(found.lens.name, output)
    if json:
        print_record(found)
        return

    from lm_debugger.show.lens import fitted

    print_answer(fitted(found))


@lens.command(name="list")
def list_(
    model: options.OneModel = None, trust_remote_code: options.TrustRemoteCode = False, json: options.Json = False
) -> None:
    """List the lenses that are kept, of all models or of one."""
    from lm_debugger.debugger.kept import lenses

    with progress_bar() as progress:
        found = (
            load(model, device=None, dtype=None, trust_remote_code=trust_remote_code, progress=progress).lenses()
            if model is not None
            else lenses()
        )
    if json:
        print_record(found)
        return

    from lm_debugger.show.lens import listing

    print_answer(listing(found))


@lens.command()
def compare(
    model: options.Model = options.DEMO,
    text: Text = None,
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="How many positions to read.")] = 256,
    pushes: Annotated[
        int, typer.Option("--pushes", min=0, help="Pushes of each layer's stream; 0 leaves causes out.")
    ] = 8,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Compare the logit, tuned and Jacobian lens, layer by layer, on text that they were not fitted on.

    KL: how far the lens is from the model's output, in nats. Rank: of the token that the model says, under the lens.
    Causal: how well the lens predicts what a small push of the stream does to the logits, as a correlation.
    """
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.compare_lenses(text=text, tokens=tokens, pushes=pushes, progress=progress)
    if json:
        print_record(found)
        return

    from lm_debugger.show.document import warnings
    from lm_debugger.show.lens import comparison

    print_answer(comparison(found))
    print_notice(warnings(found.warnings))


@lens.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A lens file: .pt or .safetensors.")],
    model: options.Model = options.DEMO,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Tell whether a lens file is the model's.

    By its shape, by its fingerprint where it has one, and by trial: it must predict the effect of small pushes better
    than the logit lens. The exit status is 0 if it is, 2 if not.
    """
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.check_lens(file, progress=progress)
    if json:
        print_record(found)
    else:
        from lm_debugger.show.lens import checked

        print_answer(checked(found))
    if not found.belongs:
        raise typer.Exit(2)


@lens.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A lens file: .pt or .safetensors.")],
    name: Annotated[str, typer.Option("--name", help="Keep it under this name.")],
    model: options.Model = options.DEMO,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Keep the lens of a file for the model, if it is the model's."""
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.add_lens(file, name, progress=progress)
    if json:
        print_record(found)
        return

    from lm_debugger.show.lens import checked

    print_answer(checked(found))


@lens.command()
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A lens that is kept.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pt (as jacobian-lens has it) or .safetensors.")],
    model: options.Model = options.DEMO,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Write a lens to a file."""
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        about = debugger.export_lens(name, file)
    if json:
        print_record(about)
        return
    typer.echo(f"{about.name} written to {file}")
