"""`lm-debugger fix`: the smallest edits that make a wanted token the top one."""

from pathlib import Path
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError


def fix(
    prompt: Annotated[
        str | None, typer.Argument(metavar="[PROMPT]", help="The text, or - for standard input; none with --over.")
    ] = None,
    model: options.Model = options.DEMO,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="TOKEN",
            help="The token wanted, such as ' doctor', or #123. Given more than once: any of them.",
        ),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option("--avoid", metavar="TOKEN", help="A token not wanted, or #123. Can be given more than once."),
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    over: Annotated[
        Path | None,
        typer.Option(
            "--over", metavar="FILE",
            help='Fix several with one set of edits: a file with {"prompt": …, "target": …} on every line, or prompt '
            "and target with a tab between.",
        ),
    ] = None,
    held: Annotated[
        Path | None,
        typer.Option("--held", metavar="FILE", help="Texts that should stay as they are, one on every line."),
    ] = None,
    max_edits: Annotated[int, typer.Option("--max-edits", metavar="N", help="The most edits that it may take.")] = 5,
    budget: Annotated[int, typer.Option("--budget", metavar="N", help="Texts that may be run to find it.")] = 1500,
    side_effects: Annotated[
        bool, typer.Option("--side-effects/--no-side-effects", help="Measure what the edits do to other texts.")
    ] = True,
    edits: options.Edits = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Find the smallest set of edits that makes a token the top one after PROMPT, with the least change elsewhere.

    Edits stay within the calibrated ranges of the coefficients where that is enough. They are tried in real forwards,
    and the report is a fresh run with them. If none is found, those that come closest are shown.
    """
    from lm_debugger.edits.grammar import parse_all
    from lm_debugger.records.fix import Fixes, FixOptions

    chosen = FixOptions(max_edits=max_edits, budget=budget, side_effects=side_effects)
    interventions, stay = parse_all(edits or ()), None if held is None else options.read_lines(held)
    cases = None if over is None else options.read_cases(over)
    if (prompt is None) == (cases is None):
        raise OptionError("Give either PROMPT or --over FILE.", "See lm-debugger fix --help.")
    if cases is not None and (target or position != -1):
        raise OptionError("--target and --position are told by the file's lines.", "Leave them out.")
    text = None if prompt is None else options.read_prompt(prompt)
    wanted, unwanted = ([options.read_token(word) for word in words or ()] for words in (target, avoid))
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        together, found = None, None
        if cases is not None:
            together = debugger.fix_all(
                cases, avoid=unwanted, interventions=interventions, held=stay, options=chosen, progress=progress
            )
        elif text is not None:
            found = debugger.fix(
                text, wanted, avoid=unwanted, position=position, interventions=interventions, held=stay,
                options=chosen, progress=progress,
            )  # fmt: skip
    answer = together or found
    assert answer is not None
    if json:
        print_record(answer)
        return

    from lm_debugger.show import fix as documents

    print_answer(documents.fixes(answer) if isinstance(answer, Fixes) else documents.fix(answer))
