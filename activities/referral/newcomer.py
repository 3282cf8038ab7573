"""Who a referral made to us is about and who made it: found in our record, or added and marked for a look."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.formats.fhir.coverage import CoverageContent
from activities.formats.fhir.datatypes import PersonName
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.referral_bundle import ReceivedReferral
from activities.formats.fhir.systems import NPI
from activities.records.as_fhir import system
from activities.records.audit_event import Action, Auditor
from activities.records.base import new_id
from activities.records.coverage import Coverage, set_member
from activities.records.location import Location
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.queries.match_patient import filed_to
from activities.records.ring import KeyRing
from activities.records.service_request import next_number
from activities.records.sessions import Context
from rules.registration import UNKNOWN, Identity, plain_phone

CHECK_IDENTITY = "Check identity: came with a referral"
RELATIONSHIPS = ("self", "spouse", "child", "parent", "other")
SEXES = ("female", "male", "other")


@dataclass(frozen=True)
class Found:
    """A row of ours, `made` when it was not there before."""

    row: Patient
    made: bool


@dataclass(frozen=True)
class Referrer:
    row: Organization
    made: bool


class Newcomers:
    """`base` is our FHIR address: our own record numbers are known by it."""

    def __init__(self, auditor: Auditor, ring: KeyRing, base: str) -> None:
        self._auditor, self._ring, self._base = auditor, ring, base

    def patient(self, session: Session, context: Context, received: ReceivedReferral) -> Found:
        """The one patient it files to by the filing rule, else a new one with an alert. A likeness never files."""
        said = identity(received.patient, system(self._base, context.tenant, "mrn"))
        known = filed_to(session, said)
        if known is not None:
            return Found(known, False)
        row = Patient(
            id=new_id(),
            tenant=context.tenant,
            mrn=next_number(session).replace("R-", "IN-"),
            family=said.family,
            given=said.given,
            birth_date=said.birth_date,
            sex=said.sex,
            phone=said.phone,
            language=received.patient.language.partition("-")[0] or "en",
            interpreter=received.patient.interpreter,
            site=only_site(session),
            alerts=[CHECK_IDENTITY],
        )
        session.add(row)
        session.flush()
        for covered in received.coverages:
            session.add(self._coverage(row, covered))
        self._auditor.write(session, context, Action.CREATE, "Patient", str(row.id), row.id)
        return Found(row, True)

    def _coverage(self, patient: Patient, said: CoverageContent) -> Coverage:
        """As the referrer has it; nobody here has verified it."""
        row = Coverage(
            id=new_id(),
            tenant=patient.tenant,
            patient_id=patient.id,
            payer=said.payor.display or said.plan or "Payer not named",
            plan=said.plan if said.plan and said.plan not in said.payor.display else "",
            relationship=said.relationship if said.relationship in RELATIONSHIPS else "other",
            rank=max(1, said.order),
        )
        set_member(self._ring, row, said.subscriber_id)
        return row

    def referrer(
        self, session: Session, context: Context, through: Organization, sender: OrganizationContent | None
    ) -> Referrer:
        """Who refers, by NPI; `through` is whose connection it came through, and all there is where no NPI is given."""
        npi = next((one.value for one in sender.identifiers if one.system == NPI), "") if sender else ""
        if sender is None or not npi or npi == through.npi or (not through.npi and sender.name == through.name):
            return Referrer(through, False)
        partner = Organization.partner.is_(True)
        known = session.scalar(select(Organization).where(Organization.npi == npi, partner).limit(1))
        if known is not None:
            return Referrer(known, False)
        row = Organization(
            id=new_id(),
            tenant=context.tenant,
            name=sender.name or f"NPI {npi}",
            npi=npi,
            transport=through.transport,
            fhir_address=through.fhir_address,
            repeatable=through.repeatable,
            phone=next((one.value for one in sender.telecoms if one.system == "phone"), ""),
            fax=next((one.value for one in sender.telecoms if one.system == "fax"), ""),
        )
        session.add(row)
        session.flush()
        self._auditor.write(session, context, Action.CREATE, "Organization", str(row.id))
        return Referrer(row, True)


def identity(content: PatientContent, assigner: str) -> Identity:
    """What a bundle says of who the patient is; `assigner` is the system of our own record numbers.

    The door has seen to it that name and birth date are there.
    """
    assert content.birth_date is not None
    phones = [one.value for one in content.telecoms if one.system in ("phone", "sms")]
    return Identity(
        family=content.name.family,
        given=" ".join(content.name.given),
        birth_date=content.birth_date,
        sex=content.gender if content.gender in SEXES else UNKNOWN,
        phone=plain_phone(phones[0]) if phones else "",
        mrn=next((one.value for one in content.identifiers if one.system == assigner), ""),
    )


def clinician(practitioner: PractitionerContent | None, otherwise: str) -> str:
    """The referring clinician as `Family, Given`, else as named."""
    name = practitioner.name if practitioner else PersonName("")
    return ", ".join(part for part in (name.family, " ".join(name.given)) if part) or otherwise


def only_site(session: Session) -> str:
    """The clinic's site, where it has just one."""
    count, site = session.execute(select(func.count(), func.min(Location.site))).one()
    return str(site) if count == 1 else ""
