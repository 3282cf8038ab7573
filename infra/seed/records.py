"""The rows that a referral needs before it can be opened: a clinic, its people, its directory, its patients."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.absence import Absence
from activities.records.account import Account, Grant, grant
from activities.records.audit_event import Action
from activities.records.base import Base
from activities.records.interface import Interface
from activities.records.location import Location
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient as PatientRow
from activities.records.pool_member import PoolMember
from activities.records.practitioner import Practitioner
from activities.records.practitioner_role import PractitionerRole
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from infra.bootstrap import Parts
from infra.seed import facts
from infra.seed.cast import Demo
from infra.seed.chart import ChartOf
from infra.seed.ids import identity
from infra.seed.people import PartnerClient, Person
from infra.settings import Settings
from rules.registration import plain_phone
from workflows.contracts.people import SYSTEM

FHIR = "fhir"
SELF = "self"
IN_FORCE_SINCE = timedelta(days=365)  # the rotation was there before any case of the demo
Row = TypeVar("Row", bound=Base)


class Clinic:
    """Writes one clinic's rows into one transaction; a row that is there already is left as it is."""

    def __init__(self, parts: Parts, session: Session, demo: Demo, tenant: str, now: datetime) -> None:
        self._settings, self._auditor, self._ring = parts.settings, parts.auditor, parts.ring
        self._session, self._demo, self._tenant, self._now = session, demo, tenant, now
        self._context = Context(tenant, SYSTEM)

    def write(self, patients: Iterable[facts.Patient]) -> int:
        """How many rows are new."""
        made = self._clinic() + self._directory()
        staff = [one for one in self._demo.staff.people if one.clinic.tenant == self._tenant]
        made += sum(self._person(one) for one in staff)
        made += sum(self._absence(one) for one in staff)
        made += sum(self._pool(one) for one in self._demo.pools if one.tenant == self._tenant)
        made += sum(self._interface(one) for one in self._demo.staff.clients if one.reaches == self._tenant)
        return made + self._patients(patients)

    def _new(self, kind: type[Row], key: UUID, make: Callable[[], Row]) -> int:
        """Adds the row unless its id is known."""
        if self._session.get(kind, key):
            return 0
        self._session.add(make())
        self._tell(Action.CREATE, kind.__name__, key)
        return 1

    def _clinic(self) -> int:
        clinic = self._demo.clinics[self._tenant]
        if not self._session.get(Tenant, self._tenant):
            self._session.add(Tenant(id=clinic.tenant, name=clinic.name, zone=clinic.zone))
            self._session.flush()
        return sum(self._site(one) for one in clinic.sites.values())

    def _site(self, site: facts.Site) -> int:
        key = identity(self._tenant, "location", site.key)
        return self._new(
            Location,
            key,
            lambda: Location(
                id=key,
                tenant=self._tenant,
                site=site.key,
                name=site.name,
                address=site.address,
                state=site.state,
                zone=site.zone,
                opens=site.calendar.opens,
                closes=site.calendar.closes,
                phone=site.phone,
            ),
        )

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
        if known is not None and known.fhir_address != row.fhir_address:
            known.fhir_address = row.fhir_address
            self._tell(Action.UPDATE, Organization.__name__, row.id)
        return self._new(Organization, row.id, lambda: row)

    def _person(self, person: Person) -> int:
        """The account; when the identity provider has moved, the same account under its new address."""
        issuer = self._settings.oidc_issuer
        known = self._session.get(Account, person.account_id)
        if known is not None:
            known.issuer = issuer
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
        return 1 + (self._practitioner(person) if person.npi else 0)

    def _practitioner(self, person: Person) -> int:
        """A clinician beside the account, and where she works."""
        key = identity(self._tenant, "practitioner", person.subject)
        own = identity(self._tenant, "organization", SELF)
        made = self._new(
            Practitioner,
            key,
            lambda: Practitioner(
                id=key,
                tenant=self._tenant,
                family=person.family,
                given=person.given,
                credentials=person.credentials,
                npi=person.npi,
                account_id=person.account_id,
            ),
        )
        self._session.flush()
        for site in person.sites:
            role = identity(self._tenant, "practitioner_role", f"{person.subject}/{site}")
            place = identity(self._tenant, "location", site)
            made += self._new(
                PractitionerRole,
                role,
                lambda role=role, place=place: PractitionerRole(  # type: ignore[misc]
                    id=role,
                    tenant=self._tenant,
                    practitioner_id=key,
                    organization_id=own,
                    location_id=place,
                    specialty=person.title,
                ),
            )
        return made

    def _absence(self, person: Person) -> int:
        """Whole days of the person's first site."""
        if person.away is None:
            return 0
        away, key = person.away, identity(self._tenant, "absence", person.subject)
        zone = ZoneInfo(self._demo.clinics[self._tenant].sites[person.sites[0]].zone)
        begins = datetime.combine(self._now.astimezone(zone).date(), time(0), tzinfo=zone)
        return self._new(
            Absence,
            key,
            lambda: Absence(
                id=key,
                tenant=self._tenant,
                account_id=person.account_id,
                starts_at=begins + timedelta(days=away.first_day),
                ends_at=begins + timedelta(days=away.last_day + 1),
                surrogate_id=self._demo.person(away.surrogate).account_id,
            ),
        )

    def _pool(self, pool: facts.Pool) -> int:
        members = [*((one, False) for one in pool.covers), *((one, True) for one in pool.leads)]
        return sum(self._member(pool, n, subject, leads) for n, (subject, leads) in enumerate(members))

    def _member(self, pool: facts.Pool, position: int, subject: str, leads: bool) -> int:
        key = identity(self._tenant, "pool", f"{pool.pool}/{subject}")
        return self._new(
            PoolMember,
            key,
            lambda: PoolMember(
                id=key,
                tenant=self._tenant,
                pool=pool.pool,
                account_id=self._demo.person(subject).account_id,
                position=position,
                leads=leads,
                active_from=self._now - IN_FORCE_SINCE,
            ),
        )

    def _interface(self, client: PartnerClient) -> int:
        key = identity(self._tenant, "interface", client.client_id)
        return self._new(
            Interface,
            key,
            lambda: Interface(
                id=key,
                tenant=self._tenant,
                kind=FHIR,
                client_id=client.client_id,
                organization_id=identity(self._tenant, "organization", client.organization),
                name=client.name,
            ),
        )

    def _patients(self, patients: Iterable[facts.Patient]) -> int:
        """With their charts."""
        patients = tuple(patients)
        known = set(self._session.scalars(select(PatientRow.id)))
        rows = [patient_row(one) for one in patients if one.tenant == self._tenant]
        fresh = [row for row in rows if row.id not in known]
        for row in fresh:
            self._session.add(row)
            self._tell(Action.CREATE, "Patient", row.id, row.id)
        self._session.flush()
        new = {row.id for row in fresh}
        for one in patients:
            if identity(one.tenant, "patient", one.key) in new:
                self._session.add_all(ChartOf(one, self._ring, self._today(one.site)).rows())
        return len(fresh)

    def _today(self, site: str) -> date:
        return self._now.astimezone(ZoneInfo(self._demo.clinics[self._tenant].sites[site].zone)).date()

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
        phone=plain_phone(patient.phone),
        language=patient.language,
        interpreter=patient.interpreter,
        site=patient.site,
        alerts=list(patient.alerts),
        vip=patient.vip,
    )
