"""`careloop scenario`: whole cases driven through the public doors of a running clinic with the simulators."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.up import HomeOption
from infra.settings import Environment, Settings, load

if TYPE_CHECKING:
    from infra.scenario.told import Told

AT_ONCE = 4
commands = typer.Typer()


@commands.command("scenario")
def scenario_command(
    name: Annotated[str, typer.Argument(help="which: referral")],
    count: Annotated[int, typer.Option(min=1, help="how many cases")] = 1,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="for a program to read")] = False,
) -> None:
    """Drive whole cases and print what happened. Exit code 1 when one did not close."""
    settings = load(home)
    if settings.env is Environment.PRODUCTION or not settings.simulators:
        sys.exit("careloop: scenarios need the simulators; they never run in production.")
    if not settings.public_url:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`.")
    drive = _scenarios().get(name) or sys.exit(f"careloop: there is no scenario {name}: {', '.join(_scenarios())}.")
    with ThreadPoolExecutor(min(count, AT_ONCE)) as pool:
        told = list(pool.map(lambda _: drive(settings), range(count)))
    print(json.dumps([asdict(one) for one in told])) if as_json else _print(told)
    sys.exit(0 if all(one.closed for one in told) else 1)


def _scenarios() -> dict[str, Callable[[Settings], "Told"]]:
    from infra.scenario import referral

    return {"referral": referral.drive}


def _print(told: "list[Told]") -> None:
    for one in told:
        print(f"{one.case or 'no case'}: {'closed' if one.closed else 'not closed. ' + one.problem}")
        for step in one.steps:
            print(f"  {step.at}  {step.name}")
