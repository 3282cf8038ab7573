"""When a wait runs out and whose work it is: decided from the clinic's tables and the site's calendar."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from activities.records.calendar import calendar_of
from activities.tables.engine import Decision, Tables
from activities.tables.schema import MOST_TRIES
from activities.tables.shipped import Table
from rules.calendar import Clock, Unit, due
from rules.referral.vocabulary import Progress
from rules.referral.waits import MAX_RUNGS, Since, Waiting


@dataclass(frozen=True)
class Due:
    """An instant, and the version of the table that gave it; `at` is None when no clock runs."""

    at: datetime | None
    table: str = ""
    version: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Routed:
    """Whose work it is and how it climbs when it is late."""

    pool: str
    ladder: str
    table: str
    version: int
    hash: str


class Deadlines:
    """Answers inside the transaction that records the step."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def due(
        self, session: Session, tenant: str, site: str, wait: Waiting | None, progress: Progress, at: datetime
    ) -> Due:
        """When a referral's wait runs out; once it has, its next rung, counted from `at`, until the ladder ends."""
        if wait is None or progress.rung >= MAX_RUNGS:
            return Due(None)
        since = Since.RUNG if progress.rung else wait.since
        tries = min(max(progress.attempts, 1), MOST_TRIES)
        facts = {"since": since, "stage": progress.stage, "priority": progress.priority, "tries": str(tries)}
        start, person = (at, True) if progress.rung else (wait.start, wait.person)
        return self.span(session, tenant, site, Table.REFERRAL_CLOCK, facts, start, at, person)

    def span(
        self,
        session: Session,
        tenant: str,
        site: str,
        table: Table,
        facts: dict[str, str],
        start: datetime,
        at: datetime,
        person: bool,
    ) -> Due:
        """The end of the span that a table of clocks gives, by its version of `at`; it runs from `start`."""
        decided = self._tables.decide(session, tenant, table, facts, at)
        clock = Clock(int(str(decided.outcome["amount"])), Unit(str(decided.outcome["unit"])))
        ends = due(calendar_of(session, tenant, site), start, clock, person)
        return Due(ends, decided.table, decided.version, decided.hash)

    def route(
        self, session: Session, tenant: str, site: str, service: str, wait: Waiting, progress: Progress, at: datetime
    ) -> Routed:
        """The pool a referral's task goes to: the one the rules name, unless the clinic's table says otherwise."""
        facts = {
            "stage": str(progress.stage),
            "priority": str(progress.priority),
            "site": site,
            "service": service,
            "asked": wait.pool,
        }
        decided = self._tables.decide(session, tenant, Table.REFERRAL_ROUTING, facts, at)
        return _routed(decided)


def _routed(decided: Decision) -> Routed:
    outcome = decided.outcome
    return Routed(str(outcome["pool"]), str(outcome["ladder"]), decided.table, decided.version, decided.hash)
