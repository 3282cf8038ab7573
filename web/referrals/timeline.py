"""What happened in a case, from four sources: its steps, its messages, changes of its records, and who looked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activities.records.case_event import CaseEvent
from activities.records.message_log import Direction, MessageLog
from activities.records.queries.case import Case
from activities.records.queries.case_trail import Look, RecordChange
from rules.referral.vocabulary import Step
from web.operations.words import STATES, kind_words
from web.present import Tone, clock_words, day_heading, moment_words
from web.referrals.present import RawDetail, Source, TimelineDay, TimelineEntry
from web.referrals.sides import past, theirs
from web.referrals.words import ICONS, SYSTEM_WORDS, TONES, said

PAGE = 100
SAME = timedelta(seconds=2)  # a claim and the step it came with are one deed
FIELDS = {
    "service": "service", "question": "question", "diagnoses": "diagnoses", "requester": "referring clinician",
    "site": "site", "family": "family name", "given": "given name", "birth_date": "birth date", "phone": "phone",
    "language": "language", "interpreter": "interpreter", "alerts": "alerts",
    "value": "phone or e-mail", "sms_ok": "texts allowed", "wrong": "wrong number", "substance": "allergy",
    "reaction": "allergic reaction", "severity": "severity of an allergy", "clinical_status": "status of an allergy",
    "payer": "payer", "plan": "plan", "rank": "order of coverages", "status": "status of a coverage",
}  # fmt: skip


@dataclass(frozen=True)
class Trail:
    """Everything there is to tell; `names` are those of its actors, `raw` lets messages be opened as they came."""

    case: Case
    changes: list[RecordChange]
    looks: list[Look]
    names: Mapping[str, str]
    raw: bool = True


@dataclass(frozen=True)
class Told:
    """The entries by day, newest first, and how many there are in all."""

    days: tuple[TimelineDay, ...]
    count: int

    @property
    def more(self) -> bool:
        """Not all of them are shown."""
        return self.count > sum(len(day.entries) for day in self.days)


def timeline(trail: Trail, now: datetime, zone: ZoneInfo, show: Source | None, everything: bool) -> Told:
    """Up to 100 entries of one source or all, unless `everything` is asked for."""
    words = Words(trail.names, now, zone, trail.raw)
    told = [entry for source, entry in _entries(trail, words) if show in (None, source)]
    told.sort(key=lambda entry: entry.at, reverse=True)
    days: dict[str, list[TimelineEntry]] = {}
    for entry in told if everything else told[:PAGE]:
        heading = day_heading(entry.at.astimezone(zone).date(), now.astimezone(zone).date())
        days.setdefault(heading, []).append(entry)
    return Told(tuple(TimelineDay(heading, tuple(entries)) for heading, entries in days.items()), len(told))


def _entries(trail: Trail, words: "Words") -> Iterable[tuple[Source, TimelineEntry]]:
    case, told = trail.case, set()
    for event in case.events:
        message = _message_of(case, event)
        if message:
            told.add(message.id)
        yield Source.MESSAGE if message else Source.STEP, words.event(case, event, message)
    for message in case.messages.values():
        if message.id not in told:
            yield Source.MESSAGE, words.message(case, message)
    for change in trail.changes:
        yield Source.RECORD, words.change(change)
    for look in trail.looks:
        yield Source.LOOK, words.look(look)


def _message_of(case: Case, event: CaseEvent) -> MessageLog | None:
    """The message an event came from, or the one that was delivered: its step key names it."""
    return next((one for one in case.messages.values() if str(one.id) in event.step_key), None)


class Words:
    """Entries in words, for one reader's day and zone."""

    def __init__(self, names: Mapping[str, str], now: datetime, zone: ZoneInfo, raw: bool) -> None:
        self._names, self._now, self._zone, self._raw = names, now, zone, raw

    def event(self, case: Case, event: CaseEvent, message: MessageLog | None) -> TimelineEntry:
        step = Step(event.step)
        system = step in SYSTEM_WORDS
        partner = message is not None and message.direction == Direction.IN
        done = SYSTEM_WORDS[step] if system else past(step, case.request.direction)
        who = self._who(event.actor)
        for_them = not system and not partner and theirs(step, case.request.direction) and who != case.partner.name
        lead = "" if system else case.partner.name if partner or for_them else who
        return TimelineEntry(
            at=event.at,
            clock=clock_words(event.at, self._zone),
            icon=ICONS[step],
            words=done + said(event, self._now, self._zone),
            lead=lead,
            note="by Careloop" if system else f"recorded by {who}" if for_them else "",
            tone=TONES.get(step, Tone.NEUTRAL),
            detail=_raw(message) if message and self._raw else None,
        )

    def message(self, case: Case, message: MessageLog) -> TimelineEntry:
        sent = message.direction == Direction.OUT
        state = next((tag for known, tag in STATES.items() if known == message.state))
        way = f"{kind_words(message.kind)} to {case.partner.name}" if sent else f"{kind_words(message.kind)} received"
        return TimelineEntry(
            at=message.received_at,
            clock=clock_words(message.received_at, self._zone),
            icon="file-export" if sent else "file-import",
            words=f"{way}: {state.word.lower()}",
            note=message.detail,
            tone=state.tone,
            detail=_raw(message) if self._raw else None,
        )

    def change(self, change: RecordChange) -> TimelineEntry:
        who = self._who(change.actor) if change.actor else ""
        words = self._task(change) if change.record == "task" else self._field(change)
        return TimelineEntry(
            at=change.at,
            clock=clock_words(change.at, self._zone),
            icon="hand-stop" if change.record == "task" else "pencil",
            words=words if who else words[:1].upper() + words[1:],
            lead=who,
        )

    def look(self, look: Look) -> TimelineEntry:
        note = f"{look.times} times within the hour" if look.times > 1 else ""
        return TimelineEntry(
            look.at, clock_words(look.at, self._zone), "eye", "opened this case", self._who(look.actor), note
        )

    def _task(self, change: RecordChange) -> str:
        if change.field == "snoozed_until":
            until = moment_words(change.after, self._now, self._zone) if change.after else ""
            return f"snoozed the task until {until}" if until else "woke the task"
        if change.after is None:
            return "gave the task back"
        if str(change.after) == change.actor:
            return "claimed the task"
        return f"handed the task to {self._who(str(change.after))}"

    def _field(self, change: RecordChange) -> str:
        return f"changed {FIELDS[change.field]}: {_value(change.before)} → {_value(change.after)}"

    def _who(self, actor: str) -> str:
        return self._names.get(actor, "Careloop" if actor.startswith("system") else actor)


def _raw(message: MessageLog) -> RawDetail:
    return RawDetail("FHIR" if message.kind.startswith("fhir") else "Message", url=f"/messages/{message.id}/raw")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value or "empty")
