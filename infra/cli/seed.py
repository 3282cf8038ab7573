"""`careloop seed`: the demo clinics into the store of a running clinic. Development only."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from infra.settings import Environment, Settings, load

if TYPE_CHECKING:
    from infra.bootstrap import Parts
    from infra.seed.seed import Report

POOL = 8

commands = typer.Typer()


@commands.command("seed")
def seed_command() -> None:
    """Fill the store of a running clinic with the demo clinics. A second time changes nothing."""
    settings = load()
    if settings.env is Environment.PRODUCTION:
        sys.exit("careloop: production is never filled with demo clinics. Start a development home instead.")
    if not settings.database_url or not settings.temporal_address:
        sys.exit(f"careloop: no clinic runs in {settings.home}. Start it with `careloop up`, then seed again.")
    report = seed_now(settings)
    print(f"{report.records} records and {report.referrals} referrals are new.")
    if report.unsettled:
        sys.exit(
            f"careloop: the engine has not taken {len(report.unsettled)} of them yet. They are kept and handed over "
            "again by themselves; `careloop status` shows whether the worker runs."
        )


def seed_if_empty(settings: Settings) -> "Report | None":
    """Seeds a development store that holds nothing but the demo, needing the engine and a worker; else None.

    One that was begun is finished, and partners and people follow simulators that have moved to other ports.
    """
    if settings.env is Environment.PRODUCTION or not settings.seed:
        return None
    # Here, so that the other commands answer at once: these bring the engine's and the store's clients.
    from infra.bootstrap import build
    from infra.seed.seed import only_demo

    parts = build(settings, POOL)
    try:
        return _seed(settings, parts) if only_demo(parts) else None
    finally:
        parts.sessions.engine.dispose()


def seed_now(settings: Settings) -> "Report":
    """Seeds whatever the store holds; leaves with the reason where running processes lack the clinics' keys."""
    from infra.bootstrap import build
    from infra.seed.keys import give_keys

    if lacking := give_keys(settings):
        sys.exit(
            f"careloop: the processes that run were started without keys of {', '.join(lacking)}. The keys are made; "
            "stop with `careloop down`, start with `careloop up`, then seed again."
        )
    parts = build(settings, POOL)
    try:
        return _seed(settings, parts)
    finally:
        parts.sessions.engine.dispose()


def _seed(settings: Settings, parts: "Parts") -> "Report":
    from infra.bootstrap import connect_engine
    from infra.seed.seed import seed
    from web.client import Engine

    return seed(parts, Engine(lambda: connect_engine(settings, parts.ring)), datetime.now(UTC))
