"""The referrals beside the twelve: in every stage, most on time, some due today, some overdue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from functools import partial
from random import Random  # noqa: TID251  drawn by lot, always the same lot
from typing import Any
from zoneinfo import ZoneInfo

from infra.seed.cast import Demo, read_facts
from infra.seed.facts import Partner, Patient, Referral
from infra.seed.ids import organization_id, task_id
from infra.seed.noise import lot
from infra.seed.noise_past import Telling, past_of
from infra.seed.people import Person
from rules.access import Role
from rules.calendar import Calendar, due
from rules.referral.history import progress_after
from rules.referral.vocabulary import ENDED, Priority, Progress, Stage
from rules.referral.waits import waiting

FIRST_NUMBER, NUMBER_STEP = 20205, 14
OLDEST, FARTHEST = 40, 21  # days back, and ahead for a visit
OVERDUE_AT_MOST = timedelta(days=10)
SOON = timedelta(minutes=15)
PRIORITIES = ((Priority.ROUTINE, 74), (Priority.URGENT, 22), (Priority.STAT, 4))


class Standing(IntEnum):
    """How a case stands when the clinic opens, in the order of the numbers in `noise.toml`."""

    ON_TIME = 0
    TODAY = 1
    OVERDUE = 2


@dataclass(frozen=True)
class Plan:
    """What is wanted of one referral."""

    stage: Stage
    standing: Standing
    service: dict[str, Any]
    partner: Partner
    patient: Patient


def generated_referrals(demo: Demo, patients: Sequence[Patient], now: datetime) -> tuple[Referral, ...]:
    """About sixty, the same plans each time, with dates that fit `now`."""
    return tuple(one for tenant in demo.clinics for one in _of(tenant, demo, patients, now))


def _of(tenant: str, demo: Demo, patients: Sequence[Patient], now: datetime) -> Iterator[Referral]:
    chance = lot("referrals", tenant)
    taken = {one.number for one in demo.referrals if one.tenant == tenant}
    free = (number for number in range(FIRST_NUMBER, 10**6, NUMBER_STEP) if f"R-{number}" not in taken)
    of_clinic = [one for one in patients if one.tenant == tenant]
    for plan, number in zip(_plans(tenant, demo, of_clinic, chance), free, strict=False):
        yield _referral(plan, demo, f"R-{number}", now, lot("referral", tenant, str(number)))


def _plans(tenant: str, demo: Demo, patients: list[Patient], chance: Random) -> Iterator[Plan]:
    facts = read_facts("noise.toml")
    left = iter(chance.sample(patients, len(patients)))
    for words, counts in facts["stages"][tenant].items():
        for standing, count in zip(Standing, counts, strict=True):
            for _ in range(count):
                service, partner = _asked(facts["services"][tenant], demo, Stage(words), chance)
                yield Plan(Stage(words), standing, service, partner, next(left))
    late = facts["late_report"]
    slow = demo.partners[late["to"][0]]
    if tenant in slow.known_to:
        for _ in range(late["cases"]):
            patient = next(one for one in left if one.site == late["site"])
            yield Plan(Stage.SEEN, Standing.OVERDUE, late, slow, patient)


def _asked(services: list[dict[str, Any]], demo: Demo, stage: Stage, chance: Random) -> tuple[dict[str, Any], Partner]:
    """A service with one of its partners; only on paper does a referral stay unconfirmed for long."""
    found = [(one, demo.partners[key]) for one in services for key in one["to"]]
    if stage is Stage.SENT:
        found = [(one, partner) for one, partner in found if partner.by_hand]
    return chance.choice(found)


def _referral(plan: Plan, demo: Demo, number: str, now: datetime, chance: Random) -> Referral:
    tenant = plan.patient.tenant
    calendar = demo.clinics[tenant].sites[plan.patient.site].calendar
    priority, anchor = _anchor(plan, calendar, now, chance)
    requester, coordinator = _staff(demo, plan.patient, chance)
    telling = Telling(plan.partner, requester.name, coordinator.name, calendar, now)
    opened_at, past = past_of(plan.stage, anchor, telling, chance)
    to = organization_id(tenant, plan.partner.key)
    progress = progress_after(past, priority, opened_at, to, partial(task_id, tenant, number))
    return Referral(
        key=number,
        tenant=tenant,
        number=number,
        patient=plan.patient.key,
        to=plan.partner.key,
        service=plan.service["name"],
        priority=priority,
        question=chance.choice(plan.service["questions"]),
        diagnoses=(chance.choice(plan.service["diagnoses"]),),
        site=plan.patient.site,
        requester=requester,
        opened_by=chance.choice((requester, coordinator)),
        opened_at=opened_at,
        past=past,
        progress=replace(progress, by_hand=plan.partner.by_hand),
    )


def _staff(demo: Demo, patient: Patient, chance: Random) -> tuple[Person, Person]:
    """Who asks and who coordinates, at the patient's site; nobody who is away."""
    here = [
        one
        for one in demo.staff.people
        if one.clinic.tenant == patient.tenant and patient.site in one.sites and one.away is None
    ]
    requesters = [one for one in here if one.npi and Role.CLINICIAN in one.roles]
    coordinators = [one for one in here if {Role.REFERRAL_COORDINATOR, Role.INTAKE} & set(one.roles)]
    return chance.choice(requesters), chance.choice(coordinators)


def _anchor(plan: Plan, calendar: Calendar, now: datetime, chance: Random) -> tuple[Priority, datetime]:
    """Since when the case stands where it stands (of a booked one: the visit), so that it stands as wanted.

    What cannot be had today (nothing falls due on a Sunday) stands on time instead.
    """
    first = chance.choices([one for one, _ in PRIORITIES], [weight for _, weight in PRIORITIES])[0]
    instants = _open_instants(plan.stage, calendar, now, chance)
    wanted = (plan.standing, *(other for other in Standing if other is not plan.standing))
    for standing in wanted:
        for priority in (first, *(one for one, _ in PRIORITIES if one is not first)):
            for at in instants:
                if plan.stage in ENDED or _standing(plan, priority, at, calendar, now) is standing:
                    return priority, at
    raise ValueError(f"no date puts a referral into {plan.stage}")


def _open_instants(stage: Stage, calendar: Calendar, now: datetime, chance: Random) -> list[datetime]:
    """Moments of open hours in no order: past ones, for a visit to come also later ones."""
    zone = ZoneInfo(calendar.zone)
    today = now.astimezone(zone).date()
    found = []
    for days in range(-OLDEST, FARTHEST if stage is Stage.SCHEDULED else 1):
        day = today + timedelta(days=days)
        for hour in range(calendar.opens.hour, calendar.closes.hour) if calendar.is_open_on(day) else ():
            local = datetime.combine(day, time(hour, chance.randrange(5, 59)), tzinfo=zone)
            found.append(local.astimezone(UTC))
    past = [at for at in found if at < now or stage is Stage.SCHEDULED]
    return chance.sample(past, len(past))


def _standing(plan: Plan, priority: Priority, at: datetime, calendar: Calendar, now: datetime) -> Standing | None:
    """How the case would stand; None when it would fall due within minutes or be absurdly late."""
    progress = Progress(
        stage=plan.stage,
        priority=priority,
        since=at,
        by_hand=plan.partner.by_hand,
        visit_at=at if plan.stage is Stage.SCHEDULED else None,
        tries=(at,) if plan.stage is Stage.OUTREACH else (),
    )
    wait = waiting(progress)
    assert wait is not None
    due_at = due(calendar, wait.start, wait.clock, person=wait.person)
    if due_at <= now:
        return Standing.OVERDUE if due_at > now - OVERDUE_AT_MOST else None
    if due_at < now + SOON:
        return None
    local = ZoneInfo(calendar.zone)
    today = due_at.astimezone(local).date() == now.astimezone(local).date()
    return Standing.TODAY if today else Standing.ON_TIME
