"""The rows that a referral needs before it can be opened: a clinic, its people, its directory, its patients."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.account import Grant, by_subject, grant
from activities.records.audit_event import Action
from activities.records.interface import Interface
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient as PatientRow
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts
from infra.seed import facts
from infra.seed.cast import Demo
from infra.seed.ids import identity
from infra.seed.people import Person
from infra.settings import Settings
from workflows.contracts.people import SYSTEM

FHIR = "fhir"
SELF = "self"


class Clinic:
    """Writes one clinic's rows into one transaction; a row that is there already is left as it is."""

    def __init__(self, parts: Parts, session: Session, demo: Demo, tenant: str) -> None:
        self._settings, self._auditor = parts.settings, parts.auditor
        self._session, self._demo, self._tenant = session, demo, tenant
        self._context = Context(tenant, SYSTEM)

    def write(self, patients: Iterable[facts.Patient]) -> int:
        """How many rows are new."""
        made = self._clinic() + self._directory()
        made += sum(self._person(one) for one in self._demo.staff.people if one.clinic.tenant == self._tenant)
        made += sum(self._interface(one.client_id) for one in self._demo.staff.clients if one.reaches == self._tenant)
        return made + self._patients(patients)

    def _clinic(self) -> int:
        if self._session.get(Tenant, self._tenant):
            return 0
        clinic = self._demo.clinics[self._tenant]
        self._session.add(Tenant(id=clinic.tenant, name=clinic.name, zone=clinic.zone))
        self._session.flush()
        return 1

    def _directory(self) -> int:
        clinic = self._demo.clinics[self._tenant]
        own = Organization(
            id=identity(self._tenant, "organization", SELF),
            tenant=self._tenant,
            name=clinic.name,
            npi=clinic.npi,
            partner=False,
            fhir_address="",
            phone=clinic.phone,
        )
        partners = [self._partner(one) for one in self._demo.partners.values() if self._tenant in one.known_to]
        return sum(self._organization(row) for row in (own, *partners))

    def _partner(self, partner: facts.Partner) -> Organization:
        return Organization(
            id=identity(self._tenant, "organization", partner.key),
            tenant=self._tenant,
            name=partner.name,
            npi=partner.npi,
            partner=True,
            transport=partner.transport,
            fhir_address=fhir_address(partner, self._settings),
            repeatable=partner.transport is Transport.FHIR,
            phone=partner.phone,
            fax=partner.fax,
            services=list(partner.services),
        )

    def _organization(self, row: Organization) -> int:
        """New, or with the address where the simulated partner stands this time."""
        known = self._session.get(Organization, row.id)
        if known is None:
            self._session.add(row)
            self._tell(Action.CREATE, "Organization", row.id)
            return 1
        if known.fhir_address != row.fhir_address:
            known.fhir_address = row.fhir_address
            self._tell(Action.UPDATE, "Organization", row.id)
        return 0

    def _person(self, person: Person) -> int:
        """The account, also when the identity provider has moved; one that was switched off stays off."""
        issuer = self._settings.oidc_issuer
        if by_subject(self._session, issuer, person.subject):
            return 0
        given = Grant(
            tenant=self._tenant,
            issuer=issuer,
            subject=person.subject,
            name=person.name,
            email=person.email,
            roles=person.roles,
            title=person.title,
            sites=person.sites,
            npi=person.npi or "",
        )
        grant(self._session, given, person.account_id)
        self._tell(Action.CREATE, "Account", person.account_id)
        return 1

    def _interface(self, client_id: str) -> int:
        key = identity(self._tenant, "interface", client_id)
        if self._session.get(Interface, key):
            return 0
        client = next(one for one in self._demo.staff.clients if one.client_id == client_id)
        row = Interface(
            id=key,
            tenant=self._tenant,
            kind=FHIR,
            client_id=client.client_id,
            organization_id=identity(self._tenant, "organization", client.organization),
            name=client.name,
        )
        self._session.add(row)
        self._tell(Action.CREATE, "Interface", key)
        return 1

    def _patients(self, patients: Iterable[facts.Patient]) -> int:
        known = set(self._session.scalars(select(PatientRow.id)))
        rows = [patient_row(one) for one in patients if one.tenant == self._tenant]
        fresh = [row for row in rows if row.id not in known]
        for row in fresh:
            self._session.add(row)
            self._tell(Action.CREATE, "Patient", row.id, row.id)
        return len(fresh)

    def _tell(self, action: Action, entity: str, key: UUID, patient: UUID | None = None) -> None:
        self._auditor.write(self._session, self._context, action, entity, str(key), patient, {"by": "seeding"})


def fhir_address(partner: facts.Partner, settings: Settings) -> str:
    """Where a partner's FHIR server stands on this machine."""
    match partner.address:
        case "ours":
            return f"{settings.public_url}/fhir"
        case "specialist":
            return f"http://127.0.0.1:{settings.simulator_specialist_port}"
    return ""


def patient_row(patient: facts.Patient) -> PatientRow:
    """The suffix (Jr, Sr) stands behind the family name."""
    return PatientRow(
        id=identity(patient.tenant, "patient", patient.key),
        tenant=patient.tenant,
        mrn=patient.mrn,
        family=f"{patient.family} {patient.suffix}".strip(),
        given=patient.given,
        birth_date=patient.birth_date,
        sex=patient.sex,
        phone=patient.phone,
        language=patient.language,
        interpreter=patient.interpreter,
        site=patient.site,
        allergies=list(patient.allergies),
        alerts=list(patient.alerts),
        coverage=patient.coverage,
    )
