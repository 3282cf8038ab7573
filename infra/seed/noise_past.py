"""The past of a generated referral: told backwards from where it stands."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random  # noqa: TID251  drawn by lot, always the same lot
from zoneinfo import ZoneInfo

from activities.records.service_request import PastStep
from infra.seed.facts import Partner
from rules.calendar import Calendar
from rules.referral.vocabulary import Coverage, Facts, Reason, Stage, Step

TAKEN = (Step.SENDING, Step.DELIVERY)
BOOKED = (*TAKEN, Step.ACCEPTANCE, Step.APPOINTMENT)
REPORTED = (*BOOKED, Step.VISIT, Step.REPORT)
TOLD = (*REPORTED, Step.REVIEW, Step.PATIENT_NOTICE)
PATHS: dict[Stage, tuple[Step, ...]] = {
    Stage.DRAFT: (),
    Stage.COVERAGE: (Step.SENDING,),
    Stage.SENT: (Step.SENDING,),
    Stage.TRIAGE: TAKEN,
    Stage.AWAITING_INFO: (*TAKEN, Step.INFORMATION_REQUEST),
    Stage.SCHEDULING: (*TAKEN, Step.ACCEPTANCE),
    Stage.OUTREACH: (*TAKEN, Step.ACCEPTANCE, Step.ATTEMPT),
    Stage.SCHEDULED: BOOKED,
    Stage.NO_SHOW: (*BOOKED, Step.NO_SHOW),
    Stage.SEEN: (*BOOKED, Step.VISIT),
    Stage.REPORT_RECEIVED: REPORTED,
    Stage.REVIEWED: (*REPORTED, Step.REVIEW),
    Stage.PATIENT_TOLD: TOLD,
    Stage.ADVICE: (*TAKEN, Step.ADVICE),
    Stage.DECLINED: (*TAKEN, Step.DECLINE),
    Stage.REDIRECTED: (*TAKEN, Step.REDIRECTION),
    Stage.CANCEL_REQUESTED: (*TAKEN, Step.CANCELLATION),
    Stage.CANCELLED: (*TAKEN, Step.CANCELLATION, Step.CANCELLATION_CONFIRMED),
    Stage.EXPIRED: (*TAKEN, Step.ACCEPTANCE, Step.ATTEMPT, Step.EXPIRY),
    Stage.CLOSED: (*TOLD, Step.FOLLOW_UP),
}
BY_PARTNER = frozenset(
    {
        *(Step.DELIVERY, Step.INFORMATION_REQUEST, Step.ACCEPTANCE, Step.DECLINE, Step.REDIRECTION, Step.ADVICE),
        *(Step.NO_SHOW, Step.VISIT, Step.REPORT, Step.CANCELLATION_CONFIRMED),
    }
)
BY_REQUESTER = frozenset({Step.REVIEW, Step.EXPIRY})
NOTES: dict[Step, tuple[str, ...]] = {
    Step.INFORMATION_REQUEST: ("Please add the last laboratory results.", "Which drugs has the patient tried?"),
    Step.REDIRECTION: ("Better seen by our sister clinic for this question.",),
    Step.ADVICE: ("No visit needed. Repeat the test in three months.",),
    Step.REVIEW: ("Go on as advised and see again in six weeks.", "Agree with the plan. Change the dose today."),
}
REASONS: dict[Step, tuple[Reason, ...]] = {
    Step.DECLINE: (Reason.NO_CAPACITY, Reason.OUT_OF_SCOPE),
    Step.CANCELLATION: (Reason.PATIENT_DECLINED, Reason.NO_LONGER_NEEDED),
    Step.EXPIRY: (Reason.UNABLE_TO_CONTACT,),
}
CHANNELS: dict[Step, tuple[str, ...]] = {Step.ATTEMPT: ("phone", "text"), Step.PATIENT_NOTICE: ("phone", "letter")}
OUTCOMES: dict[Step, tuple[str, ...]] = {
    Step.ATTEMPT: ("no-answer", "voicemail"),
    Step.FOLLOW_UP: ("ordered", "none"),
}
VISIT_LASTS = timedelta(minutes=40)


@dataclass(frozen=True)
class Telling:
    """Who is named in a past, and in whose hours it happens."""

    partner: Partner
    requester: str
    coordinator: str
    calendar: Calendar
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.calendar.zone)

    def who(self, step: Step) -> str:
        """A partner without a connection says nothing by itself: the coordinator records it."""
        if step in BY_REQUESTER:
            return self.requester
        return self.partner.name if step in BY_PARTNER and not self.partner.by_hand else self.coordinator


def past_of(stage: Stage, anchor: datetime, telling: Telling, chance: Random) -> tuple[datetime, tuple[PastStep, ...]]:
    """When the referral was opened, and its steps; the last one at `anchor`, of a booked one the visit is then."""
    past: list[PastStep] = []
    visit = anchor
    at = _before(min(anchor, telling.now), telling, chance) if stage is Stage.SCHEDULED else anchor
    for step in reversed(PATHS[stage]):
        if step in (Step.VISIT, Step.NO_SHOW):
            visit = at - VISIT_LASTS
        past.append(_told(step, at, _facts(stage, step, visit, chance), telling))
        at = visit if step in (Step.VISIT, Step.NO_SHOW) else at
        connected = step is Step.DELIVERY and not telling.partner.by_hand
        at = at - timedelta(minutes=1) if connected else _before(at, telling, chance)
    return (at if past else anchor), tuple(reversed(past))


def _facts(stage: Stage, step: Step, visit: datetime, chance: Random) -> Facts:
    held_back = stage is Stage.COVERAGE and step is Step.SENDING
    outcome = chance.choice(OUTCOMES[step]) if step in OUTCOMES else ""
    return Facts(
        reason=chance.choice(REASONS[step]) if step in REASONS else None,
        note=chance.choice(NOTES[step]) if step in NOTES else "",
        at=visit if step in (Step.APPOINTMENT, Step.VISIT) else None,
        channel=chance.choice(CHANNELS[step]) if step in CHANNELS else "",
        outcome=Coverage.CHECK if held_back else outcome,
    )


def _told(step: Step, at: datetime, facts: Facts, telling: Telling) -> PastStep:
    named = Step.RECEIPT if step is Step.DELIVERY and telling.partner.by_hand else step
    return PastStep(named, at, telling.who(step), facts)


def _before(at: datetime, telling: Telling, chance: Random) -> datetime:
    """A moment of open hours, one to four days earlier."""
    calendar = telling.calendar
    day = at.astimezone(telling.zone).date() - timedelta(days=chance.randint(1, 4))
    while not calendar.is_open_on(day):
        day -= timedelta(days=1)
    clock = time(chance.randrange(calendar.opens.hour, calendar.closes.hour), chance.randrange(5, 59))
    return datetime.combine(day, clock, tzinfo=telling.zone).astimezone(UTC)
