"""Runs a clinic in this process: lock, strays, plan, supervisor, and what is said when it is ready."""

import asyncio
import os
import sys
import time

from rich.console import Console
from rich.table import Table

from infra.settings import Settings
from infra.supervisor import report
from infra.supervisor.clinic import Programs, clinic
from infra.supervisor.home import AlreadyRunning, Home
from infra.supervisor.journal import Journal
from infra.supervisor.ports import PortTaken
from infra.supervisor.processes import identify, stop_strays
from infra.supervisor.service import Plan, StartRefused
from infra.supervisor.supervisor import Supervisor


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
    print(flush=True)
    Console().print(f"Careloop is ready: {plan.address}", highlight=False, style="bold")
    if plan.people:
        table = Table("Sign in as", "Name", "Title", "Clinic", "What to try")
        for each in plan.people:
            table.add_row(each.subject, each.name, each.title, each.clinic.name, each.to_try)
        Console().print(table)
    print("Stop with Ctrl-C here, or with `careloop down` in another terminal.", flush=True)
