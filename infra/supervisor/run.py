"""Runs a clinic in this process: lock, strays, plan, supervisor, and what is said when it is ready."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from infra.seed.people import Person
from infra.settings import Settings
from infra.supervisor import report
from infra.supervisor.clinic import Programs, clinic
from infra.supervisor.home import AlreadyRunning, Home
from infra.supervisor.journal import Journal
from infra.supervisor.ports import PortTaken
from infra.supervisor.processes import identify, stop_strays
from infra.supervisor.service import Plan, StartRefused
from infra.supervisor.supervisor import Supervisor

PRINTED_WIDTH = 110  # where the output is no terminal


def run(settings: Settings, programs: Programs) -> int:
    """Runs a clinic in this process; the exit code. Reasons not to start go to the standard error."""
    began, home = time.monotonic(), Home(settings.home)
    try:
        with home.locked():
            asyncio.run(_supervise(settings, programs, home, began))
    except (AlreadyRunning, StartRefused, PortTaken) as why:
        print(f"careloop: {why}", file=sys.stderr)
        return 1
    return 0


async def _supervise(settings: Settings, programs: Programs, home: Home, began: float) -> None:
    who = identify(os.getpid())
    if who is None:
        raise StartRefused("/proc is not mounted, so that children cannot be told apart.")
    journal = Journal(home.logs)
    try:
        report.publish(home, who, report.Report(ready=False, ready_s=None, services=()))
        stop_strays(home.processes, lambda line: journal.say("careloop", line))
        plan = clinic(settings, home, programs)
        await Supervisor(home, plan, journal, who, began).run(lambda: _welcome(plan))
        journal.say("careloop", "everything has stopped; nothing is lost, `careloop up` goes on from here")
    finally:
        journal.close()


def _welcome(plan: Plan) -> None:
    console = Console(width=None if sys.stdout.isatty() else PRINTED_WIDTH)
    console.print(f"\nCareloop is ready: {plan.address}", highlight=False, style="bold")
    if plan.people:
        console.print(_people(plan.people))
    console.print("Stop with Ctrl-C here, or with `careloop down` in another terminal.")


def _people(people: Sequence[Person]) -> Table:
    table = Table("Sign in as", "Who", "What to try", title="People of the demo clinics")
    clinic_before = None
    for each in people:
        if each.clinic != clinic_before:
            table.add_section()
            table.add_row(f"[bold]{each.clinic.name}", "", "")
            clinic_before = each.clinic
        table.add_row(each.subject, f"{each.name}, {each.title}", each.to_try)
    table.columns[0].no_wrap = True
    return table
