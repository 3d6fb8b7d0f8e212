"""`lm-debugger trace`: how a prediction is built, layer by layer."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load
from lm_debugger.cli.terminal import answer_console, print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError


def trace(
    prompt: options.Prompt,
    model: options.Model = options.DEMO,
    position: Annotated[
        int, typer.Option("--position", "-p", help="Where to read; negative positions count from the end.")
    ] = -1,
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="How many tokens and sub-updates to list.")] = 10,
    edits: options.Edits = None,
    recipes: options.Recipes = None,
    recipe_strength: options.RecipeStrength = 1.0,
    layers: Annotated[
        str | None, typer.Option("--layers", metavar="A-B", help="Show these layers in full (in the terminal only).")
    ] = None,
    lens: options.Lens = None,
    watches: options.Watches = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    json: options.Json = False,
) -> None:
    """Show how the prediction after PROMPT is built, layer by layer.

    For each layer: the most probable tokens before the feed-forward, the value vectors that move it most
    with the tokens they promote here, and the tokens after it. With --set or --recipe, beside the same without
    edits. With --watch, an expression's value after each layer.
    """
    from lm_debugger.edits.grammar import parse_all
    from lm_debugger.watches.grammar import parse

    text, shown, interventions = options.read_prompt(prompt), options.read_layers(layers), parse_all(edits or ())
    groups = options.read_recipes(recipes or (), recipe_strength)
    for watch in watches or ():
        parse(watch)  # an error in it is told before the model is loaded
    with progress_bar() as progress:
        debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
        for group in groups:
            interventions += debugger.recipe(group, recipe_strength)
        # The display shows the strongest head of a layer; a program gets what all that are listed promote.
        spelled = top_k if json or shown is not None else 1
        found = debugger.trace(text, interventions, lens=lens, progress=progress)
        view = found.view(position=position, top_k=top_k, head_tokens=spelled, watches=watches or ())
    if json:
        print_record(view)
        return
    if shown is not None and shown.stop > view.model.layers:
        last = view.model.layers - 1
        raise OptionError(f"--layers {layers!r} goes beyond the model's last layer, {last}.", f"Use layers 0-{last}.")

    from lm_debugger.show.trace import trace as document

    print_answer(document(view, layers=shown))
    if shown is None and answer_console().is_terminal:
        answer_console().print("Full blocks of some layers: --layers A-B", style="dim")
