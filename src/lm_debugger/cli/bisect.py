"""`lm-debugger bisect`: where two runs part."""

from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError
from lm_debugger.records import limits

if TYPE_CHECKING:
    from lm_debugger import Debugger


def bisect(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    source: Annotated[
        str | None, typer.Option("--with", metavar="PROMPT", help="The prompt whose run is taken over.")
    ] = None,
    source_edits: Annotated[
        list[str] | None,
        typer.Option("--with-set", metavar="EDIT", help="Edit the run of --with. Can be given more than once."),
    ] = None,
    other: Annotated[
        str | None, typer.Option("--other", metavar="MODEL", help="Another model of the same shape, instead.")
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", "-n", metavar="N", help="Most tokens that two models write.")
    ] = limits.BISECT_TOKENS,
    edits: options.Edits = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Find the layer, the part and the units at which taking over another run's activations flips the answer.

    The other run is that of another prompt (--with), of another model (--other: a fine-tune, another number format),
    or, with neither, of PROMPT with the edits of --set. Every step is proved by a forward.
    """
    from lm_debugger.edits.grammar import parse_all

    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    second = None if source is None else options.read_prompt(source)
    if source is not None and other is not None:
        raise OptionError("Both --with and --other are given.", "Give one of them.")
    if source is None and other is None and not interventions:
        raise OptionError("There is no other run.", "Give --with PROMPT, --other MODEL, or --set EDIT.")
    with progress_bar() as progress:

        def opened(name: str) -> "Debugger":
            return load(name, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)

        debugger = opened(model)
        found = debugger.bisect(
            text, second, other=None if other is None else opened(other), position=position,
            interventions=interventions, source_interventions=parse_all(source_edits or ()),
            max_new_tokens=max_new_tokens, progress=progress,
        )  # fmt: skip
    if json:
        print_record(found)
        return

    from lm_debugger.show.bisect import bisect as document

    print_answer(document(found))
