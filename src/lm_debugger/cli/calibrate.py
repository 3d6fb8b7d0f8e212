"""`lm-debugger calibrate`: measure the range of every coefficient, which gives `=on` its meaning."""

from pathlib import Path
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def calibrate(
    model: options.Model = options.DEMO,
    text: Annotated[
        Path | None,
        typer.Option(
            "--text",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Measure over this text; without it, over text that the model generates.",
        ),
    ] = None,
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="How many tokens to measure over.")] = 4096,
    force: Annotated[bool, typer.Option("--force", help="Measure again even if the ranges are in the cache.")] = False,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Measure the range of every coefficient.

    =on sets a coefficient to its own 99.9 % quantile, =on- to its 0.1 % quantile. The ranges are kept for the model.
    """
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        summary = debugger.calibrate(text, tokens=tokens, force=force, progress=progress)
    if json:
        print_record(summary)
        return

    from lm_debugger.show.calibration import calibration

    print_answer(calibration(summary))
