"""`careloop verify`: are the promises kept? `careloop reconcile`: engine and store agree again."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from infra.cli.up import HomeOption

commands = typer.Typer()
JsonOption = Annotated[bool, typer.Option("--json", help="for a program to read")]


@commands.command("verify")
def verify_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check the promises on the running store. Exit code 1 and what is broken, in plain words, otherwise."""
    from infra.operate import operating
    from infra.verify.run import CHECKS, violations

    with operating(home) as clinic:
        found = violations(clinic.parts, clinic.engine)
    if as_json:
        print(json.dumps({"ok": not found, "checks": list(CHECKS), "violations": [asdict(one) for one in found]}))
    else:
        for one in found:
            print(f"{one.check:<14} {one.tenant:<12} {one.subject}: {one.words}")
        print(f"{len(found)} promises are broken." if found else f"All kept: {', '.join(CHECKS)}.")
    sys.exit(1 if found else 0)


@commands.command("reconcile")
def reconcile_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Start each open case that the engine does not run from its State. Exit code 1 when one could not be started."""
    from infra.operate import operating
    from infra.reconcile import Reconciler

    with operating(home) as clinic:
        counts = Reconciler(clinic.parts, clinic.engine).run()
    if as_json:
        print(json.dumps(asdict(counts)))
    else:
        print(f"{counts.open} cases are open: {counts.running} ran, {counts.started} were started from their State.")
        if counts.failed:
            print(f"{counts.failed} could not be started; each has a task for a person.")
    sys.exit(1 if counts.failed else 0)
