"""What goes on paper: one frozen dataclass for each template. Instants carry the zone they are to be read in."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Language(StrEnum):
    ENGLISH = "en"
    SPANISH = "es"


@dataclass(frozen=True)
class Party:
    """A clinic, partner or person as a letterhead or an address shows it; `lines` is the postal address."""

    name: str
    lines: tuple[str, ...] = ()
    phone: str = ""
    fax: str = ""
    npi: str = ""


@dataclass(frozen=True)
class Cover:
    """A fax cover sheet. It names the referral by its number only: no patient data belong on a cover.

    `pages` counts every sheet, this one too. `message` must hold no patient data either.
    """

    sender: Party
    recipient: Party
    number: str
    pages: int
    sent_on: date
    urgency: str = ""
    attention: str = ""
    message: str = ""


@dataclass(frozen=True)
class Subject:
    """The patient of a packet. `contact` says how and when the patient is best reached."""

    name: str
    birth_date: date
    sex: str
    mrn: str
    phone: str = ""
    language: str = "English"
    interpreter: bool = False
    contact: str = ""
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class Enclosure:
    """A document that follows the packet."""

    title: str
    pages: int
    received: date | None = None


@dataclass(frozen=True)
class ReferralPacket:
    """What a specialist must know. A list that is None was not given and is left out; an empty one says "None".

    `allergies` is the exception: None is printed as "Not recorded", because silence could be read as none.
    """

    sender: Party
    recipient: Party
    number: str
    priority: str
    service: str
    question: str
    requester: Party
    requested_on: date
    patient: Subject
    diagnoses: tuple[str, ...] = ()
    problems: tuple[str, ...] | None = None
    medications: tuple[str, ...] | None = None
    allergies: tuple[str, ...] | None = None
    insurance: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


class PatientLetterKind(StrEnum):
    APPOINTMENT = "appointment"
    NOT_REACHED = "not-reached"
    PLAN = "plan"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class PatientLetter:
    """A letter to a patient, in the patient's language.

    APPOINTMENT needs `visit_at` and `specialist`; PLAN needs `plan`; `remark` is a paragraph of the writer's own.
    """

    kind: PatientLetterKind
    language: Language
    sender: Party
    recipient: Party
    number: str
    written_on: date
    signed_by: str
    signed_title: str = ""
    service: str = ""
    specialist: Party = Party("")
    visit_at: datetime | None = None
    plan: str = ""
    remark: str = ""
    interpreter: bool = False


class PartnerLetterKind(StrEnum):
    REPORT_MISSING = "report-missing"
    RECORDS_REQUEST = "records-request"
    CANCELLATION = "cancellation"
    NOT_SELECTED = "not-selected"


@dataclass(frozen=True)
class PartnerLetter:
    """A letter to the other clinic of a referral. `records` is what a RECORDS_REQUEST asks for."""

    kind: PartnerLetterKind
    sender: Party
    recipient: Party
    number: str
    service: str
    written_on: date
    signed_by: str
    signed_title: str = ""
    patient: Subject | None = None
    sent_on: date | None = None
    seen_on: date | None = None
    records: tuple[str, ...] = ()
    reason: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Report:
    """A specialist's report that was given in words; `number` is the referral's as the recipient knows it."""

    title: str
    sender: Party
    number: str
    service: str
    written_on: date
    text: str
    signed_by: str = ""
    patient: Subject | None = None


Paper = Cover | ReferralPacket | PatientLetter | PartnerLetter | Report
