"""`lm-debugger generate`: continue a prompt, with edits beside the same without."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import answer_console, print_answer, print_notice, print_record, progress_bar

if TYPE_CHECKING:
    from lm_debugger.records.generation import GeneratedToken

_HALF = "\ufffd"  # what a tokenizer decodes a part of a character to


def generate(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", "-n", min=1, help="Most tokens to generate.")] = 20,
    temperature: Annotated[
        float, typer.Option("--temperature", "-t", help="0 takes the most probable token each time.")
    ] = 0.0,
    top_p: Annotated[
        float | None,
        typer.Option("--top-p", help="Sample among the most probable tokens of this total probability."),
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Sample among this many most probable tokens.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sampling.")] = 0,
    stop: Annotated[
        list[str] | None, typer.Option("--stop", metavar="TEXT", help="End before this text. Can be given repeatedly.")
    ] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Put PROMPT into the model's chat template.")] = False,
    no_baseline: Annotated[
        bool, typer.Option("--no-baseline", help="With --set, do not also generate without edits.")
    ] = False,
    edits: options.Edits = None,
    recipes: options.Recipes = None,
    recipe_strength: options.RecipeStrength = 1.0,
    lens: options.Lens = None,
    watches: options.Watches = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Continue PROMPT.

    With --set or --recipe the edits are in force at every step, and the continuation is shown beside the one
    without them. With --watch, an expression's value at every step.
    """
    from lm_debugger.edits.grammar import parse_all
    from lm_debugger.records.generation import Sampling
    from lm_debugger.watches.grammar import parse

    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    text, interventions = options.read_prompt(prompt), parse_all(edits or ())
    groups = options.read_recipes(recipes or (), recipe_strength)
    for watch in watches or ():
        parse(watch)  # an error in it is told before the model is loaded
    with ExitStack() as display:
        progress = display.enter_context(progress_bar())
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        for group in groups:
            interventions += debugger.recipe(group, recipe_strength)
        # A pipe gets the text in one piece, exactly; a terminal sees it grow, once the progress bar has gone.
        stream = _Stream(display.close) if not json and answer_console().is_terminal else None
        result = debugger.generate(
            text,
            interventions,
            max_new_tokens=max_new_tokens,
            **sampling.model_dump(),
            stop=tuple(stop or ()),
            chat=chat,
            compare=not no_baseline,
            lens=lens,
            watches=watches or (),
            on_token=stream,
            progress=progress,
        )
    if json:
        print_record(result)
        return

    from lm_debugger.records.visible import printable
    from lm_debugger.show.document import warnings
    from lm_debugger.show.generation import generation
    from lm_debugger.show.watch import series

    if stream is not None:
        stream.end(printable(result.text))
    if result.baseline is not None:
        print_answer(generation(result))
        return
    if stream is None:
        typer.echo(result.text)
    if result.watches:
        print_answer(series(result.tokens, result.watches))
    print_notice(warnings(result.warnings))


class _Stream:
    """Prints tokens as they come, in the colour of their probability.

    Args:
        start: called before anything is printed.
    """

    def __init__(self, start: Callable[[], None]) -> None:
        self.start = start
        self.console = answer_console()
        self.printed = ""

    def __call__(self, token: "GeneratedToken") -> None:
        from lm_debugger.show.generation import generated
        from lm_debugger.show.looks import piece

        self.start()
        text = piece(generated(token))
        self.printed += text.plain
        self.console.print(text, end="", soft_wrap=True)
        self.console.file.flush()

    def end(self, text: str) -> None:
        """End the line; say the text again if a character came in two halves, which no token shows alone."""
        self.console.print()
        if _HALF in self.printed and _HALF not in text:
            self.console.print(text, soft_wrap=True)
