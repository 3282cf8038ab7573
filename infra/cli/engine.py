"""`careloop engine prepare`: our namespace in an engine of somebody else, before the first process starts."""

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.up import HomeOption
from infra.settings import load

if TYPE_CHECKING:
    from infra.supervisor.temporal import Engine

app = typer.Typer(help="The workflow engine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Commands on the engine."""


@app.command("prepare")
def prepare_command(
    patience: Annotated[float, typer.Option(help="seconds to wait for the engine")] = 60.0, home: HomeOption = None
) -> None:
    """Make the namespace with 30 days' retention where it is missing, and wait until it takes workflows."""
    from infra.supervisor.temporal import Engine

    settings = load(home)
    if not settings.temporal_address:
        sys.exit("careloop: name the engine in CARELOOP_TEMPORAL_ADDRESS; our own one needs no preparing.")
    missing = asyncio.run(_await(Engine(settings.temporal_address, settings.temporal_namespace), patience))
    if missing:
        sys.exit(f"careloop: {missing}")
    print(f"{settings.temporal_address} serves the namespace {settings.temporal_namespace}.")


async def _await(engine: "Engine", patience: float) -> str:
    deadline = time.monotonic() + patience
    while (missing := await engine.missing()) and time.monotonic() < deadline:
        await asyncio.sleep(1)
    return missing
