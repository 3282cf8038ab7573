"""A patient's facts as the rows of her chart; ids are made from the facts, so that they are the same in every home."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from activities.records.allergy import AllergyIntolerance, Severity
from activities.records.base import Base
from activities.records.condition import Condition
from activities.records.coverage import Coverage, CoverageKind, set_member
from activities.records.medication_statement import MedicationStatement
from activities.records.patient_address import PatientAddress
from activities.records.patient_contact import PatientContact
from activities.records.patient_identifier import IdentifierSystem, PatientIdentifier, ssn_row
from activities.records.patient_name import PatientName
from activities.records.patient_telecom import PatientTelecom
from activities.records.ring import KeyRing
from infra.seed.facts import Patient, Phone
from infra.seed.ids import identity
from rules.registration import plain_phone

SELF_PAY = "Self-pay"
SEVERE = ("anaphylaxis",)
MEMBER = {"Coppergate": "SYN01", "Medicare": "SYN02", "Medicaid": "SYN03", "Brightmere": "SYN04"}
LAST_ASKED = 90  # days ago: when the allergies of most people were last gone through


class ChartOf:
    """`today` is D0 at the patient's site."""

    def __init__(self, patient: Patient, ring: KeyRing, today: date) -> None:
        self._of, self._ring, self._today = patient, ring, today
        self._patient = identity(patient.tenant, "patient", patient.key)

    def rows(self) -> Iterator[Base]:
        """Everything but the patient's own row."""
        yield from self._identity()
        yield from self._reach()
        yield from self._allergies()
        yield from self._problems()
        yield from self._coverages()

    def _identity(self) -> Iterator[Base]:
        of = self._of
        yield PatientIdentifier(**self._new("identifier", "mrn"), system=IdentifierSystem.MRN, value=of.mrn)
        if of.ssn:
            yield ssn_row(self._ring, of.tenant, self._patient, of.ssn, self._id("identifier", "ssn"))
        if of.suffix:
            name = {"family": of.family, "given": of.given, "suffix": of.suffix}
            yield PatientName(**self._new("name", "official"), use="official", **name)
        if of.address:
            street, city, state, code = of.address
            place = {"lines": [street], "city": city, "state": state, "postal_code": code}
            yield PatientAddress(**self._new("address", "home"), **place)

    def _reach(self) -> Iterator[Base]:
        of = self._of
        for rank, one in enumerate(of.phones or (Phone(of.phone, sms_ok=True),), 1):
            said = {**vars(one), "value": plain_phone(one.value)}
            yield PatientTelecom(**self._new("telecom", one.value), system="phone", rank=rank, **said)
        for contact in of.contacts:
            said = {**vars(contact), "phone": plain_phone(contact.phone)}
            yield PatientContact(**self._new("contact", contact.name), **said)

    def _allergies(self) -> Iterator[Base]:
        for one in self._of.allergies:
            substance, _, reaction = one.partition(": ")
            severity = Severity.SEVERE if reaction in SEVERE else Severity.UNKNOWN
            said = {"substance": substance, "reaction": reaction, "severity": severity}
            yield AllergyIntolerance(**self._new("allergy", substance), recorded_on=self._day(-LAST_ASKED), **said)
        if self._of.no_allergies is not None:
            asked = self._day(self._of.no_allergies)
            yield AllergyIntolerance(**self._new("allergy", "none"), none_known=True, recorded_on=asked)

    def _problems(self) -> Iterator[Base]:
        for problem in self._of.problems:
            said = {"code": problem.code, "text": problem.text, "sensitivity": list(problem.labels)}
            yield Condition(**self._new("condition", problem.code), recorded_on=self._day(-LAST_ASKED), **said)
        for taken in self._of.medications:
            since = None if taken.since is None else self._day(taken.since)
            said = {"medication": taken.medication, "dosage": taken.dosage, "sensitivity": list(taken.labels)}
            yield MedicationStatement(
                **self._new("medication", taken.medication),
                recorded_on=since or self._day(-LAST_ASKED),
                starts_on=since,
                **said,
            )

    def _coverages(self) -> Iterator[Base]:
        """The member ids are made up: the payer's code and the digits of the record number."""
        plans = [one.strip() for one in self._of.coverage.split(",") if one.strip()]
        for rank, plan in enumerate(plans, 1):
            new = self._new("coverage", plan)
            if plan == SELF_PAY:
                yield Coverage(**new, rank=rank, kind=CoverageKind.SELF_PAY)
                continue
            payer, _, rest = plan.partition(" ")
            row = Coverage(**new, rank=rank, payer=payer, plan=rest)
            digits = "".join(letter for letter in self._of.mrn if letter.isdigit())
            set_member(self._ring, row, f"{MEMBER[payer]}-{digits}")
            yield row

    def _day(self, days: int) -> date:
        return self._today + timedelta(days=days)

    def _id(self, kind: str, key: str) -> UUID:
        return identity(self._of.tenant, kind, f"{self._of.key}/{key}")

    def _new(self, kind: str, key: str) -> dict[str, object]:
        return {"id": self._id(kind, key), "tenant": self._of.tenant, "patient_id": self._patient}
