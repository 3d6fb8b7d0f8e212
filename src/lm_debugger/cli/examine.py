"""`lm-debugger examine`: is a model supported, and what proves it."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import silence_libraries
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import UnsupportedModelError


def examine(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A Hugging Face hub id, a folder, a GGUF file, or demo.")
    ],
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Find out whether MODEL is supported, and prove it on its weights.

    Shows the model's parts as they were found, and each invariant with the error measured on it.
    The exit status is 3 if the model is not supported.
    """
    silence_libraries()
    import lm_debugger

    spread = device == "auto"
    with progress_bar() as progress:
        report = lm_debugger.examine(
            model,
            device=None if spread else device,
            dtype=dtype,
            device_map="auto" if spread else None,
            trust_remote_code=trust_remote_code,
            progress=progress,
        )
    if json:
        print_record(report)
    else:
        from lm_debugger.show.examination import examination

        print_answer(examination(report))
    if not report.supported:
        raise typer.Exit(UnsupportedModelError.exit_code)
