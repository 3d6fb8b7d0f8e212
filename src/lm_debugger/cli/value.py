"""`lm-debugger value`: what one value vector promotes and suppresses."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load_weights
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def value(
    name: Annotated[str, typer.Argument(metavar="VALUE", help="Its name: L12D345, or L12E3D45 for an expert's.")],
    model: options.Model = options.DEMO,
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="How many tokens to list on each side.")] = 50,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    from_disk: options.FromDisk = False,
    json: options.Json = False,
) -> None:
    """Show a value vector in vocabulary space, and the range of its coefficient."""
    from lm_debugger.records.names import ValueName

    ValueName.parse(name)  # a name that cannot be read needs no model to be refused
    with progress_bar() as progress:
        weights = load_weights(
            model, from_disk=from_disk, device=device, dtype=dtype, trust_remote_code=trust_remote_code,
            progress=progress,
        )  # fmt: skip
        view = weights.value(name, top_k=top_k, lens=lens, progress=progress)
    if json:
        print_record(view)
        return

    from lm_debugger.show.value import value as document

    print_answer(document(view))
