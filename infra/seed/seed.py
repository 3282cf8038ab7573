"""Fills a store with the demo clinics: records in transactions, referrals through their ordinary door."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from activities.records.decision import Decision
from activities.records.service_request import ReferralContent, reserve_numbers
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts, case_review
from infra.seed.cast import Demo, load
from infra.seed.facts import Patient, Referral
from infra.seed.ids import identity
from infra.seed.keys import TENANTS
from infra.seed.noise import generated_patients
from infra.seed.noise_referrals import generated_referrals
from infra.seed.records import Clinic
from rules.access import clinician
from rules.referral.vocabulary import By
from web.client import Engine
from web.decisions import Desk
from workflows.contracts.calls import BULK
from workflows.contracts.people import SYSTEM

TOGETHER = 6  # referrals opened at once
TRIES = 10


@dataclass(frozen=True)
class Report:
    """How much is new; `unsettled` are the numbers of referrals the engine has not answered for."""

    records: int
    referrals: int
    unsettled: tuple[str, ...] = ()


def seed(parts: Parts, engine: Engine, now: datetime) -> Report:
    """Writes what is missing of the demo as of `now`; a worker must be running. Nothing is sent because of it.

    The ring must hold the demo clinics' keys (`give_keys`). Repeatable: a second seeding changes nothing, one
    after a crash finishes what the first began.
    """
    demo = load(now)
    patients = generated_patients(demo)
    referrals = (*demo.referrals, *generated_referrals(demo, patients, now))
    records = sum(_write_clinic(parts, demo, tenant, (*demo.patients, *patients), now) for tenant in TENANTS)
    opened = [one for tenant in TENANTS for one in _missing(parts, tenant, referrals)]
    if opened:
        _reserve_numbers(parts, referrals)
    return Report(records, len(opened), _open_all(parts, engine, opened))


def content(referral: Referral) -> ReferralContent:
    """The opening decision's arguments: what is asked, and the past it comes with."""
    return ReferralContent(
        patient_id=str(identity(referral.tenant, "patient", referral.patient)),
        performer_id=str(identity(referral.tenant, "organization", referral.to)),
        service=referral.service,
        priority=referral.priority,
        question=referral.question,
        requester=f"{referral.requester.family}, {referral.requester.given}",
        requester_npi=referral.requester.npi or "",
        diagnoses=referral.diagnoses,
        site=referral.site,
        opened_at=referral.opened_at,
        number=referral.number,
        progress=referral.progress,
        past=referral.past,
    )


def referral_id(referral: Referral) -> UUID:
    """The case's id and that of the decision that opens it, as at the web's door."""
    return identity(referral.tenant, "referral", referral.key)


def only_demo(parts: Parts) -> bool:
    """Whether the store is empty but for the demo clinics."""
    with parts.sessions.platform() as session:
        return set(session.scalars(select(Tenant.id))) <= set(TENANTS)


def _write_clinic(parts: Parts, demo: Demo, tenant: str, patients: Iterable[Patient], now: datetime) -> int:
    with parts.sessions.begin(Context(tenant, SYSTEM)) as session:
        return Clinic(parts, session, demo, tenant, now).write(patients)


def _missing(parts: Parts, tenant: str, referrals: Iterable[Referral]) -> list[Referral]:
    """Those of a clinic whose opening is not settled."""
    with parts.sessions.begin(Context(tenant, SYSTEM)) as session:
        settled = set(session.scalars(select(Decision.id).where(Decision.outcome.is_not(None))))
    return [one for one in referrals if one.tenant == tenant and referral_id(one) not in settled]


def _reserve_numbers(parts: Parts, referrals: Sequence[Referral]) -> None:
    """Numbers given by hand are never given again by the store."""
    with parts.sessions.platform() as session:
        reserve_numbers(session, max(int(one.number.removeprefix("R-")) for one in referrals))


def _open_all(parts: Parts, engine: Engine, referrals: Sequence[Referral]) -> tuple[str, ...]:
    desk = Desk(parts.sessions, parts.ring, engine, case_review(parts))
    with ThreadPoolExecutor(TOGETHER) as pool:
        settled = pool.map(lambda one: _open(desk, one), referrals)
        return tuple(one.number for one, done in zip(referrals, settled, strict=True) if not done)


def _open(desk: Desk, referral: Referral) -> bool:
    """Whether the engine has settled it; asked several times, because a worker may just be starting."""
    opener = referral.opened_by
    context = Context(referral.tenant, str(opener.account_id))
    by = By.CLINICIAN if clinician(opener.roles) else By.STAFF
    token = referral_id(referral)
    settled = desk.open(context, token, content(referral), by, BULK)
    for _ in range(TRIES):
        if settled.outcome is not None:
            return True
        settled = desk.hand_over(context, token, BULK)
    return False
