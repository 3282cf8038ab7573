"""The search box of every page: a patient by what is known of her, with her open cases and each next action."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from activities.records.patient import Patient
from activities.records.patient_link import patient_now, same_person
from activities.records.queries.case_lines import CaseLine, read_lines, select_lines
from activities.records.queries.find_patient import find_patients
from activities.records.service_request import ServiceRequest

NUMBER = re.compile(r"[Rr]-?\s*(\d{4,9})|(\d{5})")


@dataclass(frozen=True)
class Found:
    """A patient with her open cases, most pressing first; `case` is the one whose number was asked for."""

    patient: Patient
    cases: tuple[CaseLine, ...]
    case: UUID | None = None


def search(session: Session, words: str) -> list[Found]:
    """By family name, birth date, phone, MRN or referral number; up to 20 patients."""
    if numbered := _numbered(session, words.strip()):
        return _with_cases(session, _as_known(session, [numbered.patient]), numbered.request.id)
    return _with_cases(session, _as_known(session, find_patients(session, words)))


def _numbered(session: Session, words: str) -> CaseLine | None:
    told = NUMBER.fullmatch(words)
    if told is None:
        return None
    number = f"R-{told[1] or told[2]}"
    return next(iter(read_lines(session, select_lines().where(ServiceRequest.number == number))), None)


def _as_known(session: Session, patients: list[Patient]) -> list[Patient]:
    """Each person once, under the record she is known by now."""
    now = [patient_now(session, one.id) for one in patients]
    return list({one.id: one for one in now if one is not None}.values())


def _with_cases(session: Session, patients: list[Patient], case: UUID | None = None) -> list[Found]:
    known_by = {record: one.id for one in patients for record in same_person(session, one.id)}
    query = select_lines().where(ServiceRequest.patient_id.in_(known_by), ServiceRequest.closed_at.is_(None))
    cases: dict[UUID, list[CaseLine]] = {}
    for line in read_lines(session, query.order_by(ServiceRequest.opened_at.desc())):
        cases.setdefault(known_by[line.request.patient_id], []).append(line)
    return [Found(one, tuple(cases.get(one.id, ())), case) for one in patients]


def live_for(session: Session, patient_id: UUID) -> list[CaseLine]:
    """A person's referrals that have not ended: what a new one might repeat."""
    ids = same_person(session, patient_id)
    query = select_lines().where(ServiceRequest.patient_id.in_(ids), ServiceRequest.closed_at.is_(None))
    return read_lines(session, query.order_by(ServiceRequest.opened_at.desc()))
