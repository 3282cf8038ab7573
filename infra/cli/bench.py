"""`careloop bench`: how fast it is, each figure beside its limit or a peer measured in the same run."""

import sys
from typing import Annotated

import typer
from rich.console import Console

commands = typer.Typer()

WIDTH = 130  # where the output is no terminal


@commands.command()
def bench(
    only: Annotated[str, typer.Option(help="run this one; large ones run only this way")] = "",
    show_list: Annotated[bool, typer.Option("--list", help="show what there is, and run nothing")] = False,
) -> None:
    """Measure on a clinic made for it. The figures go to bench-results/latest.json too."""
    # Here, so that the other commands answer at once: these bring the engine's and the store's clients.
    from infra.bench.all import BENCHMARKS
    from infra.bench.runner import RESULTS, Unknown, chosen, listing, run

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if show_list:
        console.print(listing(BENCHMARKS))
        return
    try:
        run(chosen(BENCHMARKS, only), RESULTS, console)
    except Unknown as why:
        sys.exit(f"careloop: {why}")
