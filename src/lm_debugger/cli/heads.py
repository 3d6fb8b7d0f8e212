"""`lm-debugger heads`: all attention heads of a prompt."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.saving import Save, check_ending, save_answer
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


def heads(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    edits: options.Edits = None,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    save: Save = None,
    json: options.Json = False,
) -> None:
    """Show what every attention head writes after PROMPT, and how it attends.

    The scores are mean attention weights: to the token before, to the first token, to earlier occurrences of the same
    token (duplicate), and to the tokens after them (induction). The last two need a text that repeats itself.
    """
    from lm_debugger.edits.grammar import parse_all

    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    check_ending(save)
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        found = debugger.heads(text, position, interventions, lens=lens, progress=progress)

    from lm_debugger.show.heads import heads as document

    if save is not None:
        save_answer(save, found, document(found))
    if json:
        print_record(found)
    else:
        print_answer(document(found))
