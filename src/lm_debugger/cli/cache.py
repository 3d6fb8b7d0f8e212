"""`lm-debugger cache`: what is kept between runs; list it, remove it."""

from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.terminal import print_answer, print_record
from lm_debugger.errors import OptionError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lm_debugger.records.cache import CacheEntry

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
    print_answer(_table(found.entries))
    print_answer(f"{_size(found.bytes)} in {found.folder}")


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
    for entry in gone.removed:
        print_answer(f"removed {entry.key}")
    print_answer(f"{_size(gone.bytes)} freed")


def _table(entries: "tuple[CacheEntry, ...]") -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column, justify in (("KEY", "left"), ("MODEL", "left"), ("SIZE", "right"), ("LAST USED", "left")):
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column == "KEY")  # type: ignore[arg-type]
    for entry in entries:
        when = entry.used.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(entry.key, entry.model or "–", _size(entry.bytes), when)
    return table


def _size(count: int) -> str:
    """Bytes for people."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
