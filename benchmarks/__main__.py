"""Prints the measurements as a table, line by line as they are made."""

from rich.console import Console

from benchmarks import engine


def main() -> None:
    """Measure and print."""
    console = Console()
    for result in engine.results():
        mark = {None: " ", True: "[green]✓[/]", False: "[red]✗[/]"}[result.met]
        console.print(f"{mark} {result.what:<58} [bold]{result.figure:>16}[/]  {result.target:<9} {result.detail}")


if __name__ == "__main__":
    main()
