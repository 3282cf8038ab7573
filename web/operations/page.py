"""The operations page in words, filled from the store."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from activities.records.message_log import Direction, MessageState
from activities.records.queries.operations import Backlog, Ledger, Promises, Stopped, Wait
from rules.access import Permission
from rules.referral.vocabulary import Stage
from web.access import Person
from web.operations.present import (
    Count,
    Health,
    LedgerRow,
    OperationsPage,
    Period,
    Promise,
    StoppedRow,
    WaitBar,
)
from web.operations.words import KINDS, age_words, kind_words, step_words, way_words
from web.present import Act, Tag, Tone, moment_words
from web.referrals.words import STAGE_WORDS
from web.signed_in import Clinic

S = MessageState
PERIODS = {"today": "Today", "7": "7 days", "30": "30 days"}
BEHIND = timedelta(seconds=60)  # the sweeper hands over again after 30 s
SEAL_LATE = timedelta(seconds=10)
STEPS_OF_BAR = 20
UP, OFF = Tag("Up", Tone.OK, "circle-check"), Tag("Down", Tone.DANGER, "plug-connected-x")
BEHIND_TAG = Tag("Behind", Tone.WARN, "clock-question")


@dataclass(frozen=True)
class Read:
    """What the page is made of."""

    ledgers: list[Ledger]
    stopped: list[Stopped]
    waits: list[Wait]
    backlog: Backlog
    promises: Promises
    engine: bool
    streams: str


def operations_page(read: Read, period: str, since: datetime, person: Person, now: datetime, of: Clinic,
                    notice: str = "") -> OperationsPage:  # fmt: skip
    """The whole screen."""
    rows = tuple(_ledger(one, period, now) for one in read.ledgers)
    uneven = [one.name for one in read.ledgers if not one.balances]
    tone = Tone.DANGER if uneven else Tone.OK
    words = "The ledger balances" if len(rows) == 1 else f"All {len(rows)} ledgers balance"
    return OperationsPage(
        since=f"Since {moment_words(since, now, of.zone)}",
        periods=tuple(Period(label, f"/operations?period={key}", key == period) for key, label in PERIODS.items()),
        ledgers=rows,
        sums=_sums(rows),
        balance=Tag(f"{', '.join(uneven)} does not balance" if uneven else words, tone, "scale"),
        stopped=tuple(_stopped(one, person, now, of) for one in read.stopped),
        waits=_waits(read.waits),
        health=_health(read, now),
        promises=_promises(read),
        notice=notice,
    )


def _ledger(ledger: Ledger, period: str, now: datetime) -> LedgerRow:
    def count(direction: Direction, *states: MessageState) -> Count:
        number = ledger.of(direction, *states)
        pairs = [("partner", str(ledger.partner)), ("way", direction), ("period", period)]
        pairs += [("state", one) for one in states]
        return Count(number, f"/operations/messages?{urlencode(pairs)}" if number else "")

    unknown = count(Direction.OUT, S.UNKNOWN)
    waiting = count(Direction.IN, S.WAITING)
    return LedgerRow(
        name=ledger.name,
        kind=KINDS.get(ledger.kind, ledger.kind),
        received=count(Direction.IN),
        under_way=count(Direction.IN, S.RECEIVED),
        filed=count(Direction.IN, S.FILED),
        waiting=waiting,
        rejected=count(Direction.IN, S.REJECTED),
        sent=count(Direction.OUT, S.SENT),
        unknown=unknown,
        refused=count(Direction.OUT, S.REFUSED),
        last=f"Last {age_words(now - ledger.last)}" if ledger.last else "Nothing yet",
        state=_state(unknown, waiting, ledger.last),
    )


def _state(unknown: Count, waiting: Count, last: datetime | None) -> Tag:
    if unknown.number:
        return Tag("Not answering", Tone.WARN, "help-circle")
    if waiting.number:
        return Tag("Needs a person", Tone.WARN, "hourglass")
    return UP if last else Tag("Quiet", Tone.NEUTRAL, "clock-hour-4")


def _sums(rows: Iterable[LedgerRow]) -> LedgerRow:
    def total(name: str) -> Count:
        return Count(sum(getattr(one, name).number for one in rows))

    rows = tuple(rows)
    names = ("received", "under_way", "filed", "waiting", "rejected", "sent", "unknown", "refused")
    return LedgerRow("All interfaces", "", **{name: total(name) for name in names}, last="", state=UP)


def _stopped(one: Stopped, person: Person, now: datetime, of: Clinic) -> StoppedRow:
    decision = one.what == "decision"
    what = step_words(one.kind) if decision else f"{kind_words(one.kind)} {way_words(one.what).lower()} {one.partner}"
    tries = f"tried {one.attempts} times" if one.attempts > 1 else ""
    second = " · ".join(part for part in (one.number, one.partner if decision else "", tries) if part)
    return StoppedRow(
        since=moment_words(one.since, now, of.zone),
        age=age_words(now - one.since),
        what=what,
        second=second,
        cause=one.cause or "No cause was given.",
        acts=_acts(one, decision, person),
    )


def _acts(one: Stopped, decision: bool, person: Person) -> tuple[Act, ...]:
    acts = []
    if person.may(Permission.OPERATIONS_ACT) and one.what != Direction.OUT:
        url = f"/operations/decisions/{one.id}/replay" if decision else f"/messages/{one.id}/replay"
        acts.append(Act("Retry", url, "refresh", posts=True))
    if not decision:
        acts.append(Act("Open message", f"/messages/{one.id}"))
    if one.case_id and one.number and person.may(Permission.REFERRAL_READ):
        acts.append(Act("Open case", f"/referrals/{one.case_id}"))
    return tuple(acts)


def _waits(waits: list[Wait]) -> tuple[WaitBar, ...]:
    order = {stage: number for number, stage in enumerate(Stage)}
    longest = max((one.p90 for one in waits), default=0) or 1
    return tuple(
        WaitBar(
            stage=STAGE_WORDS[Stage(one.stage)],
            url=f"/referrals?stage={one.stage}",
            count=one.count,
            late=one.late,
            words=f"{one.median:.1f} / {one.p90:.1f}",
            median=_width(one.median, longest),
            p90=_width(one.p90, longest),
        )
        for one in sorted(waits, key=lambda one: order[Stage(one.stage)])
    )


def _width(days: float, longest: float) -> int:
    return max(1, round(days / longest * STEPS_OF_BAR))


def _health(read: Read, now: datetime) -> tuple[Health, ...]:
    oldest = [one for one in (read.backlog.oldest_decision, read.backlog.oldest_message) if one]
    age = now - min(oldest) if oldest else timedelta()
    waiting = read.backlog.decisions + read.backlog.messages
    under_way = f"{waiting} under way, oldest {age_words(age)}" if waiting else "Nothing is under way"
    sealed = read.promises.sealed_at
    seal = f"Sealed {age_words(now - sealed)}" if sealed else "Not sealed yet"
    late = sealed is None or now - sealed > SEAL_LATE
    return (
        Health("Store", "Answers", UP),
        Health("Workflow engine", "Answers" if read.engine else "Does not answer", UP if read.engine else OFF),
        Health("Handover", under_way, BEHIND_TAG if age > BEHIND else UP),
        Health("Audit", seal, BEHIND_TAG if late else UP),
        Health("Live pages", read.streams, UP),
    )


def _promises(read: Read) -> tuple[Promise, ...]:
    told = read.promises
    return (
        Promise(str(told.open), "open cases", "/referrals"),
        Promise(str(told.ownerless), "open cases without a next action, owner and deadline", bad=told.ownerless > 0),
        Promise(str(told.late), "cases past their deadline", "/referrals?view=late", bad=told.late > 0),
        Promise(str(len(read.stopped)), "stopped and waiting for a person", bad=bool(read.stopped)),
        Promise(str(read.backlog.decisions + read.backlog.messages), "decisions and messages under way"),
    )
