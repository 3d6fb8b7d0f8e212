"""`lm-debugger search`: the value vectors of the whole network that write some words, or a residual stream."""

from typing import Annotated, Literal

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load, load_weights
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar
from lm_debugger.errors import OptionError


def search(
    query: Annotated[
        str,
        typer.Argument(
            metavar="KEYWORDS",
            help='Keywords with commas between: "teacher, school", teach*, "\\"New York\\"", "/^ un.*able$/".',
        ),
    ] = "",
    model: options.Model = options.DEMO,
    unwanted: Annotated[
        str, typer.Option("--without", metavar="KEYWORDS", help="Keywords that count against a vector.")
    ] = "",
    match: Annotated[
        Literal["all", "any"], typer.Option("--match", help="The mean over the keywords, or the strongest alone.")
    ] = "all",
    like: Annotated[
        str | None, typer.Option("--like", metavar="VALUE", help="Search for vectors like this one, not for words.")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option("--prompt", metavar="TEXT", help="Search for what writes this prompt's residual stream."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="TEXT", help="With --prompt: for what tells it apart from this prompt."),
    ] = None,
    position: Annotated[
        int, typer.Option("--position", "-p", help="With --prompt: where to read; negative ones count from the end.")
    ] = -1,
    layer: Annotated[int | None, typer.Option("--layer", help="With --prompt: the stream after this layer.")] = None,
    layers: Annotated[str | None, typer.Option("--layers", metavar="A-B", help="Only vectors of these layers.")] = None,
    sign: Annotated[
        Literal["+", "-", "both"], typer.Option("--sign", help="Only with a coefficient of this sign.")
    ] = "both",
    expert: Annotated[int | None, typer.Option("--expert", help="Only vectors of the experts of this index.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many vectors to list.")] = 20,
    lens: options.Lens = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    from_disk: options.FromDisk = False,
    json: options.Json = False,
) -> None:
    """Search every value vector of the network for words.

    Each keyword is matched against the vocabulary (any case, with or without a leading space); a vector's z says by how
    many standard deviations it promotes the strongest match, on average over the keywords. With sign -, a negative
    coefficient (=on-) does it. Also: vectors like another one (--like), those that write a residual stream (--prompt).
    """
    kinds = [bool(query.strip() or unwanted.strip()), like is not None, prompt is not None]
    if sum(kinds) != 1:
        raise OptionError(
            "Nothing to search for is given." if not any(kinds) else "Several things to search for are given.",
            'Give one of: keywords such as "teacher, school", --like VALUE, --prompt TEXT.',
        )
    if against is not None and prompt is None:
        raise OptionError("--against needs a prompt to tell apart.", "Add --prompt TEXT.")
    if from_disk and prompt is not None:
        raise OptionError("A prompt needs the model loaded.", "Leave --from-disk out.")

    from lm_debugger.records.names import read_unit
    from lm_debugger.records.search import Filter, Query

    liked = None if like is None else read_unit(like)
    sought = Query(keywords=query, unwanted=unwanted, match=match, like=liked)
    among = Filter(layers=options.read_layers(layers), sign=sign, expert=expert, limit=limit)
    with progress_bar() as progress:
        if prompt is None:
            weights = load_weights(
                model, from_disk=from_disk, device=device, dtype=dtype, trust_remote_code=trust_remote_code,
                progress=progress,
            )  # fmt: skip
            found = weights.find_values(sought, among, lens=lens, progress=progress)
        else:
            text, other = options.read_prompt(prompt), None if against is None else options.read_prompt(against)
            debugger = load(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code, progress=progress)
            here = debugger.place(text, position, lens=lens)
            there = None if other is None else debugger.place(other)
            found = debugger.find_writers(here, among, layer=layer, against=there, progress=progress)
    if json:
        print_record(found)
        return

    from lm_debugger.show.search import search as document

    print_answer(document(found))
