"""Prints the measurements as a table, line by line as they are made."""

from itertools import chain

from rich.console import Console

from benchmarks import attribution, engine, lenses, repair, search, service, start, stepping, streamed


def main() -> None:
    """Measure and print."""
    console = Console()
    for result in chain(
        start.results(),
        engine.results(),
        attribution.results(),
        stepping.results(),
        repair.results(),
        search.results(),
        lenses.results(),
        service.results(),
        streamed.results(),
    ):
        mark = {None: " ", True: "[green]✓[/]", False: "[red]✗[/]"}[result.met]
        line = f"{mark} {result.what:<60} [bold]{result.figure:>9}[/]  {result.target:<9} [dim]{result.detail}[/]"
        console.print(line, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()
