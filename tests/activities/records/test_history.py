"""What was known when: every earlier version of a row is kept, and any past instant can be asked for."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors
from sqlalchemy import text, update

from activities.records.patient import Patient
from activities.records.sessions import Context
from infra.bootstrap import Parts
from tests import make
from tests.two_clinics import SECRET, Store, enter


@dataclass(frozen=True)
class Version:
    version: int
    phone: str
    since: datetime
    until: datetime | None


def versions(parts: Parts, patient: UUID, context: Context = make.LARKMOOR) -> list[Version]:
    """The earlier ones and the present one, oldest first."""
    with parts.sessions.begin(context) as session:
        rows = session.execute(
            text(
                "select version, phone, recorded_at, recorded_to from patient_history where id = :id union all "
                "select version, phone, recorded_at, null from patient where id = :id order by 1"
            ),
            {"id": patient},
        )
        return [Version(*row) for row in rows]


def as_of(parts: Parts, patient: UUID, at: datetime, context: Context = make.LARKMOOR) -> list[str]:
    with parts.sessions.begin(context) as session:
        query = text("select phone from app.patient_as_of(:at) where id = :id")
        return list(session.scalars(query, {"at": at, "id": patient}))


def change(parts: Parts, patient: UUID, phone: str) -> None:
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(Patient).where(Patient.id == patient).values(phone=phone))


def test_each_version_is_kept_and_begins_where_the_one_before_ended(store: Store) -> None:
    patient = make.patient(store.parts, phone="0")
    for phone in "123":
        change(store.parts, patient, phone)
    kept = versions(store.parts, patient)
    assert [(one.version, one.phone) for one in kept] == [(1, "0"), (2, "1"), (3, "2"), (4, "3")]
    assert [one.until for one in kept] == [*[one.since for one in kept[1:]], None]


def test_a_change_to_many_rows_at_once_is_kept_for_each_of_them(store: Store) -> None:
    patients = [make.patient(store.parts, language="xx", phone=str(n)) for n in range(20)]
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(text("update patient set phone = 'new' where language = 'xx'"))
    for n, patient in enumerate(patients):
        assert [one.phone for one in versions(store.parts, patient)] == [str(n), "new"]


def test_a_new_row_cannot_pretend_to_be_old_or_much_changed(store: Store) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    before = datetime.now(UTC) - timedelta(seconds=1)
    patient = make.patient(store.parts, version=7, recorded_at=long_ago)
    (only,) = versions(store.parts, patient)
    assert only.version == 1
    assert only.since > before


def test_neither_version_nor_time_is_taken_from_the_writer(store: Store) -> None:
    patient = make.patient(store.parts)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(
            text("update patient set version = 90, recorded_at = '2020-01-01' where id = :id"), {"id": patient}
        )
    first, second = versions(store.parts, patient)
    assert (first.version, second.version) == (1, 2)
    assert second.since == first.until


@pytest.mark.parametrize("identity", ["id = gen_random_uuid()", "tenant = 'heronfield'"])
def test_a_record_keeps_its_clinic_and_its_id(store: Store, identity: str) -> None:
    patient = make.patient(store.parts)
    with store.intruder() as connection, pytest.raises(errors.IntegrityConstraintViolation):
        connection.execute(f"update patient set {identity} where id = %s".encode(), (patient,))
    assert len(versions(store.parts, patient)) == 1


def test_a_deleted_row_stays_known_until_it_was_deleted(store: Store) -> None:
    patient = make.patient(store.parts, phone="last")
    existed = datetime.now(UTC)
    with store.owner() as connection:
        enter(connection, store.word("larkmoor", connection.info.backend_pid))
        assert connection.execute("delete from patient where id = %s", (patient,)).rowcount == 1
    assert as_of(store.parts, patient, existed) == ["last"]
    assert as_of(store.parts, patient, datetime.now(UTC)) == []


def test_nothing_is_known_before_it_was_recorded(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert as_of(store.parts, make.patient(store.parts), before) == []


def test_a_change_that_is_taken_back_leaves_no_version(store: Store) -> None:
    patient = make.patient(store.parts, phone="kept")
    with pytest.raises(ZeroDivisionError), store.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(Patient).where(Patient.id == patient).values(phone="lost"))
        1 / 0  # noqa: B018
    assert [one.phone for one in versions(store.parts, patient)] == ["kept"]


def test_a_stale_version_changes_nothing(store: Store) -> None:
    patient = make.patient(store.parts)
    change(store.parts, patient, "theirs")
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        mine = update(Patient).where(Patient.id == patient, Patient.version == 1).values(phone="mine")
        assert session.execute(mine.returning(Patient.id)).all() == []
    assert [one.version for one in versions(store.parts, patient)] == [1, 2]


def test_a_clock_that_was_set_back_leaves_no_gap_and_no_overlap(store: Store) -> None:
    patient = make.patient(store.parts, phone="a")
    with store.superuser() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update patient set recorded_at = clock_timestamp() + interval '1 hour' where id = %s", (patient,)
        )
    change(store.parts, patient, "b")
    first, second = versions(store.parts, patient)
    assert first.until == second.since == first.since


CHANGES = st.lists(st.sampled_from(("update", "pause", "many")), min_size=1, max_size=6)


@given(CHANGES, st.lists(st.floats(-0.2, 1.2), min_size=4, max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_at_any_instant_exactly_the_row_of_that_instant_is_known(
    store: Store, changes: list[str], fractions: list[float]
) -> None:
    began = datetime.now(UTC)
    patient = make.patient(store.parts, phone="0")
    for n, kind in enumerate(changes, 1):
        if kind == "pause":
            time.sleep(0.003)
        elif kind == "update":
            change(store.parts, patient, str(n))
        else:
            with store.parts.sessions.begin(make.LARKMOOR) as session:
                session.execute(text("update patient set phone = :phone"), {"phone": str(n)})
    ended = datetime.now(UTC)
    kept = versions(store.parts, patient)
    instants = [began + (ended - began) * fraction for fraction in fractions] + [one.since for one in kept]
    for instant in instants:
        assert as_of(store.parts, patient, instant) == list(known(kept, instant))


def known(kept: list[Version], at: datetime) -> Iterator[str]:
    return (one.phone for one in kept if one.since <= at and (one.until is None or at < one.until))


def test_every_versioned_table_answers_for_the_past(store: Store) -> None:
    with store.intruder() as connection:
        tables = connection.execute(
            "select tgrelid::regclass::text from pg_trigger where tgname = 'keep_history' order by 1"
        ).fetchall()
        assert ("patient",) in tables
        for (table,) in tables:
            now: Any = connection.execute(
                f"select * from app.{table}_as_of('infinity') order by id".encode()
            ).fetchall()
            assert now == connection.execute(f"select * from {table} order by id".encode()).fetchall()


def test_the_past_of_another_clinic_is_as_closed_as_its_present(store: Store) -> None:
    now = datetime.now(UTC)
    assert as_of(store.parts, store.theirs["patient"], now) == []
    assert as_of(store.parts, store.theirs["patient"], now, make.HERONFIELD) == ["555-0100"]
    assert versions(store.parts, store.theirs["patient"]) == []
    with store.intruder() as connection:
        families = connection.execute("select family from app.patient_as_of(now()) union select family from patient")
        assert SECRET not in {family for (family,) in families}


@pytest.mark.parametrize(
    "attempt",
    [
        "insert into patient_history select *, now() from patient",
        "update patient_history set phone = 'x'",
        "delete from patient_history",
        "truncate patient_history",
        "select app.make_as_of('patient')",
        "alter table patient disable trigger keep_history",
    ],
)
def test_the_application_cannot_write_the_past(store: Store, attempt: str) -> None:
    with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(attempt.encode())
