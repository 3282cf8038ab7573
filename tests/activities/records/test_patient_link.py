"""Who a patient is now: merging and its undoing, and that everything about a person is read under all her records."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.appointment import Appointment
from activities.records.audit_event import AuditEvent
from activities.records.base import Base
from activities.records.patient import Patient
from activities.records.patient_link import (
    LinkRefused,
    PatientLink,
    canonical,
    link,
    patient_now,
    same_person,
    unlink,
)
from activities.records.queries.chart import chart
from activities.records.queries.match_patient import filed_to
from activities.records.queries.search import live_for, search
from activities.records.queries.summary import summary
from rules.registration import Identity
from tests import make
from tests.documents import referral
from tests.structure.test_migrations import tables
from tests.two_clinics import Store

WHY = "Same birth date and phone"


def join(store: Store, patient: UUID, survivor: UUID) -> None:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        link(session, store.parts.ring, make.LARKMOOR, patient, survivor, WHY)


def part(store: Store, patient: UUID) -> None:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        unlink(session, store.parts.ring, make.LARKMOOR, patient, "Twins")


def known_as(store: Store, patient: UUID) -> UUID:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        return canonical(session, patient)


def people(store: Store, count: int) -> list[UUID]:
    return [make.patient(store.parts) for _ in range(count)]


def test_a_record_without_a_link_is_its_own(store: Store) -> None:
    (alone,) = people(store, 1)
    assert known_as(store, alone) == alone


def test_a_chain_of_links_leads_to_its_end_from_everywhere(store: Store) -> None:
    first, second, third, beside = people(store, 4)
    join(store, first, second)
    join(store, second, third)
    join(store, beside, first)
    assert {known_as(store, one) for one in (first, second, third, beside)} == {third}
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        found = same_person(session, beside)
    assert (found[0], set(found)) == (third, {first, second, third, beside})


def test_links_that_would_go_round_are_refused(store: Store) -> None:
    first, second, third = people(store, 3)
    join(store, first, second)
    join(store, second, third)
    for patient, survivor in ((third, first), (third, second), (first, first), (first, third), (first, second)):
        with pytest.raises(LinkRefused):
            join(store, patient, survivor)
    assert known_as(store, first) == third


def test_a_record_is_linked_to_one_other_only(store: Store) -> None:
    first, second, third = people(store, 3)
    join(store, first, second)
    with pytest.raises(LinkRefused, match="Unlink it first"):
        join(store, first, third)


def test_another_clinics_record_cannot_be_linked(store: Store) -> None:
    (ours,) = people(store, 1)
    with pytest.raises(LinkRefused):
        join(store, ours, store.theirs["patient"])


def test_unlinking_restores_both_and_its_history_says_so(store: Store) -> None:
    first, second, third = people(store, 3)
    join(store, first, second)
    join(store, second, third)
    make.allergy(store.parts, second, substance="Latex")
    part(store, second)
    assert (known_as(store, first), known_as(store, second), known_as(store, third)) == (second, second, third)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        alone = summary(session, third)
        assert alone is not None and alone.allergies == ()
        written = session.scalars(
            select(AuditEvent.action).where(AuditEvent.patient_id == second, AuditEvent.entity == "PatientLink")
        )
        assert sorted(written) == ["C", "D"]
    with store.superuser() as connection:
        kept = connection.execute("select survivor_id from patient_link_history where patient_id = %s", (second,))
        assert kept.fetchall() == [(third,)]
    with pytest.raises(LinkRefused):
        part(store, second)


def test_a_case_keeps_its_patient_and_is_shown_under_the_one_she_is_now(store: Store) -> None:
    duplicate, survivor = people(store, 2)
    case = referral(store.parts, duplicate, make.organization(store.parts))
    join(store, duplicate, survivor)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        for asked in (duplicate, survivor):
            shown = chart(session, asked)
            assert shown is not None
            assert shown.patient.id == survivor
            assert [line.request.id for line in (*shown.open, *shown.past)] == [case]
            assert [line.request.patient_id for line in shown.open] == [duplicate]
        assert [line.request.id for line in live_for(session, survivor)] == [case]


def test_a_search_for_either_record_finds_the_person_once(store: Store) -> None:
    family = f"Quist{time.monotonic_ns()}"
    duplicate = make.patient(store.parts, family=family, given="Ada")
    survivor = make.patient(store.parts, family=family, given="Ada Maria")
    join(store, duplicate, survivor)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert [one.patient.id for one in search(session, family)] == [survivor]


def test_a_message_about_either_record_is_filed_to_the_person(store: Store) -> None:
    duplicate, survivor = make.patient(store.parts, mrn="LM-900001"), make.patient(store.parts)
    join(store, duplicate, survivor)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        row = session.get_one(Patient, duplicate)
        found = filed_to(session, Identity(row.family, row.given, row.birth_date, mrn="LM-900001"))
        assert found is not None and found.id == survivor


# How each table that names a patient is read for a person: by a reader that must find what stands under another of
# her records, or why nobody reads it that way.
IN_SUMMARY = {
    "allergy_intolerance": "allergies",
    "condition": "problems",
    "coverage": "coverages",
    "medication_statement": "medications",
    "patient_address": "addresses",
    "patient_contact": "contacts",
    "patient_name": "names",
    "patient_telecom": "telecoms",
}
READ_ELSEWHERE = {"service_request": "tested above", "appointment": "tested below"}
NOT_READ_BY_PERSON = {
    "audit_event": "says about whom something was done then; an auditor asks for each record by itself",
    "document_reference": "the chart's documents are asked for all records of the person in the page's own query",
    "encounter": "written for quality reports; no page reads it yet",
    "patient_identifier": "found by value, and answers the record that carries it; callers ask canonical",
    "patient_link": "is what canonical reads",
    "task": "is read by its case or its owner, and names the record its case began with",
}
ROWS: dict[str, Callable[[UUID], dict[str, object]]] = {
    "patient_address": lambda _: {"city": "Boise"},
    "patient_contact": lambda _: {"role": "guardian", "name": "Maren"},
    "patient_name": lambda _: {"use": "maiden", "family": "Oss"},
    "patient_telecom": lambda _: {"system": "phone", "value": "+12085550199"},
    "coverage": lambda _: {"payer": "Coppergate"},
    "allergy_intolerance": lambda _: {"substance": "Latex", "recorded_on": make.NOW.date()},
    "condition": lambda _: {"text": "Asthma", "recorded_on": make.NOW.date()},
    "medication_statement": lambda _: {"medication": "naproxen", "recorded_on": make.NOW.date()},
}


def test_every_table_with_a_patient_is_read_for_the_whole_person_or_says_why_not() -> None:
    named = {name for name, table in tables().items() if "patient_id" in table.columns}
    assert named == {*IN_SUMMARY, *READ_ELSEWHERE, *NOT_READ_BY_PERSON}


@pytest.mark.parametrize("table", sorted(IN_SUMMARY))
def test_what_stands_under_one_record_is_read_under_all(store: Store, table: str) -> None:
    duplicate, survivor = people(store, 2)
    kind = next(one.class_ for one in Base.registry.mappers if str(one.local_table) == table)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.add(kind(tenant="larkmoor", patient_id=duplicate, **ROWS[table](duplicate)))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert read(session, survivor, table) == ()
    join(store, duplicate, survivor)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert len(read(session, survivor, table)) == len(read(session, duplicate, table)) == 1
    part(store, duplicate)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert read(session, survivor, table) == ()


def read(session: Session, patient: UUID, table: str) -> tuple[object, ...]:
    found = summary(session, patient)
    assert found is not None
    rows: tuple[object, ...] = getattr(found, IN_SUMMARY[table])
    return rows


def test_appointments_are_read_for_the_whole_person(store: Store) -> None:
    duplicate, survivor = people(store, 2)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        place = store.ours["organization"]
        session.add(Appointment(tenant="larkmoor", patient_id=duplicate, organization_id=place, starts_at=make.NOW))
    join(store, duplicate, survivor)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        shown = chart(session, survivor)
        assert shown is not None and [one.patient_id for one in shown.visits] == [duplicate]
        assert patient_now(session, duplicate) == shown.patient
        assert session.scalars(select(PatientLink.linked_by).where(PatientLink.patient_id == duplicate)).one()
