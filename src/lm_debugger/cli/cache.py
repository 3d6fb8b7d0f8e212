"""`lm-debugger cache`: what is kept between runs; list it, remove it."""

from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.terminal import print_answer, print_record
from lm_debugger.errors import OptionError

cache = typer.Typer(
    help="What is kept between runs: proofs, ranges, statistics, clusters, converted models.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@cache.callback(invoke_without_command=True)
def show(context: typer.Context, json: options.Json = False) -> None:
    """List what is kept between runs: proofs, ranges, statistics, clusters, converted models.

    All of it can be made again. The folder is chosen with the variable LM_DEBUGGER_CACHE; what converted models may
    take together, in GB, with LM_DEBUGGER_CACHE_LIMIT.
    """
    if context.invoked_subcommand is not None:
        return
    from lm_debugger.debugger import kept

    found = kept.listing()
    if json:
        print_record(found)
        return
    from lm_debugger.show import cache as report

    print_answer(report.listing(found))


@cache.command()
def remove(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY", help="Keys as listed; or a kind, such as clusters; or a model's fingerprint (or its start)."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all there is.")] = False,
    json: options.Json = False,
) -> None:
    """Remove entries from the cache. What is needed again is made again."""
    if everything == bool(keys):
        raise OptionError(
            "Both keys and --all are given." if everything else "Nothing to remove is given.",
            "Give keys as `lm-debugger cache` lists them, or --all.",
        )
    from lm_debugger.debugger import kept

    gone = kept.remove_all() if everything else kept.remove(keys or ())
    if json:
        print_record(gone)
        return
    from lm_debugger.show import cache as report

    print_answer(report.removal(gone))
