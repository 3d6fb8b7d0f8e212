"""`lm-debugger head`: what one attention head copies and suppresses."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def head(
    name: Annotated[str, typer.Argument(metavar="HEAD", help="Its name: L12H3.")],
    model: options.Model = options.DEMO,
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="How many pairs of tokens to list on each side.")] = 20,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Show what an attention head copies and suppresses when it attends to a token, by its weights."""
    from lm_debugger.records.names import HeadName

    HeadName.parse(name)  # a name that cannot be read needs no model to be refused
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        view = debugger.head(name, top_k=top_k, lens=lens, progress=progress)
    if json:
        print_record(view)
        return

    from lm_debugger.show.head import head as document

    print_answer(document(view))
