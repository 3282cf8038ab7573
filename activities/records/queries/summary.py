"""What every page about a patient shows and every packet draws from, whichever of her records it was written under."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from activities.records.allergy import AllergyIntolerance
from activities.records.condition import PRESENT, Condition
from activities.records.coverage import Coverage, CoverageStatus
from activities.records.medication_statement import MedicationStatement, MedicationStatus
from activities.records.patient import Patient
from activities.records.patient_address import PatientAddress
from activities.records.patient_contact import PatientContact
from activities.records.patient_link import same_person
from activities.records.patient_name import PatientName
from activities.records.patient_telecom import PatientTelecom
from rules.consent import Sensitivity

SEVEREST = {"severe": 0, "moderate": 1, "": 2, "mild": 3}


# What describes somebody; those of `Ends` hold for a time.
Row = TypeVar(
    "Row",
    AllergyIntolerance,
    Condition,
    Coverage,
    MedicationStatement,
    PatientAddress,
    PatientContact,
    PatientName,
    PatientTelecom,
)
Ends = TypeVar("Ends", Coverage, MedicationStatement, PatientAddress, PatientContact, PatientName, PatientTelecom)


@dataclass(frozen=True)
class Summary:
    """A person under her canonical record `patient`: only what holds, the most important first.

    `allergies` names substances; without any, `none_known_on` is the day she was last asked and knew of none, or
    None when nobody has asked. `problems` and `medications` are the present ones; `coverages` the primary one first.
    """

    patient: Patient
    allergies: tuple[AllergyIntolerance, ...] = ()
    none_known_on: date | None = None
    problems: tuple[Condition, ...] = ()
    medications: tuple[MedicationStatement, ...] = ()
    coverages: tuple[Coverage, ...] = ()
    telecoms: tuple[PatientTelecom, ...] = ()
    contacts: tuple[PatientContact, ...] = ()
    addresses: tuple[PatientAddress, ...] = ()
    names: tuple[PatientName, ...] = ()

    @property
    def coverage(self) -> str:
        """`Medicare Part B, Coppergate supplement`; empty where none is known."""
        return ", ".join(one.words for one in self.coverages)

    @property
    def open_telecoms(self) -> tuple[PatientTelecom, ...] | None:
        """Those that others may know: neither wrong nor confidential. None when none at all was recorded."""
        known = tuple(one for one in self.telecoms if not (one.wrong or one.confidential))
        return known if self.telecoms else None

    @property
    def part_2(self) -> bool:
        """Whether something in the chart leaves with written consent only."""
        labels = [*(one.sensitivity for one in self.problems), *(one.sensitivity for one in self.medications)]
        return any(Sensitivity.PART_2 in label for label in labels)


def summary(session: Session, patient_id: UUID, at: datetime | None = None) -> Summary | None:
    """None when this clinic has no such patient. `at` asks what was known at a past instant, of the person of today."""
    read = _Reader(session, same_person(session, patient_id), at)
    patient = read.patient()
    if patient is None:
        return None
    allergies = [one for one in read.rows(AllergyIntolerance) if one.clinical_status == "active"]
    asked = [one.recorded_on for one in allergies if one.none_known]
    named = sorted((one for one in allergies if not one.none_known), key=lambda one: SEVEREST[one.severity])
    coverages = [one for one in read.lasting(Coverage) if one.status == CoverageStatus.ACTIVE]
    return Summary(
        patient,
        tuple(named),
        max(asked, default=None) if not named else None,
        tuple(one for one in read.rows(Condition) if one.clinical_status in PRESENT),
        tuple(one for one in read.lasting(MedicationStatement) if one.status == MedicationStatus.ACTIVE),
        tuple(sorted(coverages, key=lambda one: one.rank)),
        tuple(sorted(read.lasting(PatientTelecom), key=lambda one: one.rank)),
        tuple(read.lasting(PatientContact)),
        tuple(read.lasting(PatientAddress)),
        tuple(read.lasting(PatientName)),
    )


class _Reader:
    """All rows about one person, of the canonical record first; now, or as they were at an instant."""

    def __init__(self, session: Session, ids: tuple[UUID, ...], at: datetime | None) -> None:
        self._session, self._ids, self._at = session, ids, at
        self._on = (at or datetime.now(UTC)).date()

    def patient(self) -> Patient | None:
        if self._at is None:
            return self._session.get(Patient, self._ids[0])
        read = text("select * from app.patient_as_of(:at) where id = :id")
        then = select(Patient).from_statement(read).execution_options(populate_existing=True)
        found: Patient | None = self._session.scalar(then, {"at": self._at, "id": self._ids[0]})
        return found

    def rows(self, kind: type[Row]) -> list[Row]:
        if self._at is None:
            found = self._session.scalars(select(kind).where(kind.patient_id.in_(self._ids)))
        else:
            name = kind.__tablename__
            read = text(f"select * from app.{name}_as_of(:at) where patient_id = any(:ids)")  # noqa: S608 a table of ours
            then = select(kind).from_statement(read).execution_options(populate_existing=True)
            found = self._session.scalars(then, {"at": self._at, "ids": list(self._ids)})
        return sorted(found, key=lambda one: (self._ids.index(one.patient_id), one.id))

    def lasting(self, kind: type[Ends]) -> list[Ends]:
        """Without those that have ended."""
        return [one for one in self.rows(kind) if one.ends_on is None or one.ends_on >= self._on]
