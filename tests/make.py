"""One builder per record: a valid row with as little said as possible, in a clinic of the cast."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from activities.records.absence import Absence
from activities.records.account import Account
from activities.records.allergy import AllergyIntolerance
from activities.records.base import Base, new_id
from activities.records.condition import Condition
from activities.records.coverage import Coverage, set_member
from activities.records.decision import Decision
from activities.records.location import Location
from activities.records.medication_statement import MedicationStatement
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.patient_telecom import PatientTelecom
from activities.records.pool_member import PoolMember
from activities.records.service_request import ReferralContent
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from activities.records.values import dump
from infra.bootstrap import Parts
from rules.referral.vocabulary import Facts, Priority, Step
from workflows.contracts import referral

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LARKMOOR, HERONFIELD = Context("larkmoor", "system"), Context("heronfield", "system")


def clinics(parts: Parts) -> None:
    with parts.sessions.platform() as session:
        for tenant, name, zone in (
            ("larkmoor", "Larkmoor Family Medicine", "America/Boise"),
            ("heronfield", "Heronfield Specialty Associates", "America/Los_Angeles"),
        ):
            session.add(Tenant(id=tenant, name=name, zone=zone))
    for context, name, npi in (
        (LARKMOOR, "Larkmoor Family Medicine", "2000001018"),
        (HERONFIELD, "Heronfield Specialty Associates", "2000001026"),
    ):
        organization(parts, context, name=name, npi=npi, partner=False)


def organization(parts: Parts, context: Context = LARKMOOR, **fields: object) -> UUID:
    values = {"name": "Quillon Digestive Health", "transport": Transport.PAPER} | fields
    row = Organization(id=new_id(), tenant=context.tenant, **values)
    with parts.sessions.begin(context) as session:
        session.add(row)
    return row.id


def patient(parts: Parts, context: Context = LARKMOOR, **fields: object) -> UUID:
    values: dict[str, object] = {
        "mrn": f"LM-{new_id().hex[-6:]}",
        "family": "Vailgood",
        "given": "Terrence",
        "birth_date": date(1964, 9, 30),
        "sex": "male",
    }
    row = Patient(id=new_id(), tenant=context.tenant, **(values | fields))
    with parts.sessions.begin(context) as session:
        session.add(row)
    return row.id


def allergy(parts: Parts, patient_id: UUID, context: Context = LARKMOOR, **fields: object) -> UUID:
    """Without a substance: she was asked and knows of none."""
    values = {"none_known": "substance" not in fields, "recorded_on": NOW.date()} | fields
    return _of_patient(parts, AllergyIntolerance, patient_id, context, values)


def condition(parts: Parts, patient_id: UUID, context: Context = LARKMOOR, **fields: object) -> UUID:
    values = {"code": "I10", "text": "Essential hypertension", "recorded_on": NOW.date()} | fields
    return _of_patient(parts, Condition, patient_id, context, values)


def medication(parts: Parts, patient_id: UUID, context: Context = LARKMOOR, **fields: object) -> UUID:
    values = {"medication": "lisinopril 20 mg", "dosage": "once a day", "recorded_on": NOW.date()} | fields
    return _of_patient(parts, MedicationStatement, patient_id, context, values)


def telecom(parts: Parts, patient_id: UUID, context: Context = LARKMOOR, **fields: object) -> UUID:
    values = {"system": "phone", "value": "+12085550115"} | fields
    return _of_patient(parts, PatientTelecom, patient_id, context, values)


def coverage(parts: Parts, patient_id: UUID, context: Context = LARKMOOR, member: str = "", **fields: object) -> UUID:
    row = Coverage(id=new_id(), tenant=context.tenant, patient_id=patient_id, **({"payer": "Coppergate PPO"} | fields))
    set_member(parts.ring, row, member)
    with parts.sessions.begin(context) as session:
        session.add(row)
    return row.id


def _of_patient(
    parts: Parts, kind: Callable[..., Base], patient_id: UUID, context: Context, values: dict[str, object]
) -> UUID:
    identity = new_id()
    row = kind(id=identity, tenant=context.tenant, patient_id=patient_id, **values)
    with parts.sessions.begin(context) as session:
        session.add(row)
    return identity


def content(patient_id: UUID, performer_id: UUID, **fields: object) -> ReferralContent:
    values: dict[str, object] = {
        "patient_id": str(patient_id),
        "performer_id": str(performer_id),
        "service": "Gastroenterology",
        "priority": Priority.ROUTINE,
        "question": "Please see for reflux.",
        "requester": "Oyelaran, Ifeoma",
        "requester_npi": "2000001034",
    }
    return ReferralContent(**(values | fields))  # type: ignore[arg-type]


def decision(parts: Parts, case: UUID, step: Step, facts: Facts, context: Context = LARKMOOR, by: str = "staff") -> str:
    """A committed decision about a referral; its id is the key of the step."""
    identity = new_id()
    row = Decision(
        id=identity,
        tenant=context.tenant,
        workflow_id=referral.workflow_id(context.tenant, str(case)),
        case_id=case,
        name=step,
        arguments=parts.ring.seal(context.tenant, dump(facts), f"decision:{identity}"),
        actor=context.actor,
        by=by,
        made_at=NOW,
    )
    with parts.sessions.begin(context) as session:
        session.add(row)
    return str(identity)


def opening(parts: Parts, said: ReferralContent, context: Context = LARKMOOR) -> str:
    """A committed decision that opens a referral; its id is the referral's id too."""
    identity = new_id()
    row = Decision(
        id=identity,
        tenant=context.tenant,
        workflow_id=referral.workflow_id(context.tenant, str(identity)),
        case_id=identity,
        name=Step.OPENING,
        arguments=parts.ring.seal(context.tenant, dump(said), f"decision:{identity}"),
        actor=context.actor,
        by="staff",
        made_at=NOW,
    )
    with parts.sessions.begin(context) as session:
        session.add(row)
    return str(identity)


def account(parts: Parts, name: str, *roles: str, context: Context = LARKMOOR, **fields: object) -> UUID:
    """Somebody of the clinic; `active=False` for one who has left."""
    values: dict[str, object] = {
        "id": new_id(),
        "tenant": context.tenant,
        "issuer": "http://127.0.0.1:4444",
        "subject": f"{name}-{new_id().hex[-6:]}",
        "name": name,
        "email": f"{name}@larkmoor.example",
        "roles": list(roles),
        "sites": [],
    }
    row = Account(**(values | fields))
    with parts.sessions.begin(context) as session:
        session.add(row)
    return row.id


def away(parts: Parts, who: UUID, surrogate: UUID | None = None, context: Context = LARKMOOR, days: int = 5) -> None:
    """Absent since yesterday, for some days to come."""
    row = Absence(
        tenant=context.tenant,
        account_id=who,
        starts_at=NOW - timedelta(days=1),
        ends_at=NOW + timedelta(days=days),
        surrogate_id=surrogate,
    )
    with parts.sessions.begin(context) as session:
        session.add(row)


def member(parts: Parts, pool: str, who: UUID, *, leads: bool = False, position: int = 0) -> None:
    """Covers or leads a pool since yesterday."""
    row = PoolMember(
        tenant=LARKMOOR.tenant,
        pool=pool,
        account_id=who,
        leads=leads,
        position=position,
        active_from=NOW - timedelta(days=1),
    )
    with parts.sessions.begin(LARKMOOR) as session:
        session.add(row)


def location(parts: Parts, site: str, zone: str, context: Context = LARKMOOR, **fields: object) -> UUID:
    values: dict[str, object] = {"id": new_id(), "tenant": context.tenant, "site": site, "name": site, "zone": zone}
    row = Location(**(values | fields))
    with parts.sessions.begin(context) as session:
        session.add(row)
    return row.id
