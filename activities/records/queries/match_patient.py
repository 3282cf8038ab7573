"""The patient a message files to by itself."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.patient import Patient
from activities.records.patient_link import canonical
from rules.registration import Identity, files


def filed_to(session: Session, said: Identity) -> Patient | None:
    """The record the person is known by now; None when nobody fits the filing rule, or more than one person."""
    born = session.scalars(select(Patient).where(Patient.birth_date == said.birth_date))
    found = {canonical(session, row.id) for row in born if files(said, identity_of(row))}
    return session.get(Patient, found.pop()) if len(found) == 1 else None


def identity_of(row: Patient) -> Identity:
    return Identity(row.family, row.given, row.birth_date, row.sex, row.phone, row.mrn)
