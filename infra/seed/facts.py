"""The facts of the demo as values: clinics, partners, patients and referrals, their dates made instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from activities.records.organization import Transport
from activities.records.service_request import PastStep
from infra.seed.people import Person
from rules.calendar import Calendar
from rules.referral.vocabulary import Priority, Progress


@dataclass(frozen=True)
class Site:
    """Hours are wall-clock times of the site's own zone."""

    key: str
    name: str
    state: str
    address: str
    zone: str
    phone: str
    opens: str
    closes: str

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.zone, time.fromisoformat(self.opens), time.fromisoformat(self.closes))


@dataclass(frozen=True)
class Pool:
    """Who covers a pool of work, in order, and who leads it; people by their subjects."""

    tenant: str
    pool: str
    covers: tuple[str, ...]
    leads: tuple[str, ...]


@dataclass(frozen=True)
class Clinic:
    """A tenant; `texts_from` is the number its texts come from."""

    tenant: str
    name: str
    zone: str
    npi: str
    ein: str
    phone: str
    texts_from: str
    sites: Mapping[str, Site]


@dataclass(frozen=True)
class Partner:
    """An entry of the directories of the clinics in `known_to`; `address` is `ours`, `specialist` or empty."""

    key: str
    known_to: tuple[str, ...]
    name: str
    npi: str
    transport: Transport
    services: tuple[str, ...]
    address: str = ""
    phone: str = ""
    fax: str = ""

    @property
    def by_hand(self) -> bool:
        """Reached by fax, phone and letters only."""
        return self.transport is Transport.PAPER


@dataclass(frozen=True)
class Problem:
    """`code` is ICD-10-CM; `labels` are those of sensitive items."""

    code: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Medication:
    """`since` counts days from D0."""

    medication: str
    dosage: str = ""
    since: int | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phone:
    """The first of a patient is the one on her record."""

    value: str
    use: str = "mobile"
    sms_ok: bool = False
    voice_only: bool = False
    shared: bool = False
    confidential: bool = False
    wrong: bool = False


@dataclass(frozen=True)
class Contact:
    role: str
    name: str
    relation: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Patient:
    """`allergies` as `Penicillin: anaphylaxis`; `no_allergies` is the day from D0 on which none was known.

    `coverage` names the primary plan first, separated by commas. Without `phones` only `phone` is known.
    """

    key: str
    tenant: str
    mrn: str
    family: str
    given: str
    birth_date: date
    sex: str
    site: str
    phone: str
    suffix: str = ""
    language: str = "en"
    interpreter: bool = False
    allergies: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    coverage: str = ""
    no_allergies: int | None = None
    problems: tuple[Problem, ...] = ()
    medications: tuple[Medication, ...] = ()
    phones: tuple[Phone, ...] = ()
    contacts: tuple[Contact, ...] = ()
    address: tuple[str, ...] = ()
    ssn: str = ""
    vip: bool = False


@dataclass(frozen=True)
class Referral:
    """A case as it is opened: where it stands, and the past that led there.

    `patient` and `to` are keys; `to` is who was asked first.
    """

    key: str
    tenant: str
    number: str
    patient: str
    to: str
    service: str
    priority: Priority
    question: str
    diagnoses: tuple[str, ...]
    site: str
    requester: Person
    opened_by: Person
    opened_at: datetime
    past: tuple[PastStep, ...]
    progress: Progress
