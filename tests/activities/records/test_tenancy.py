"""Two clinics in one store never meet: who speaks without a signed context, or with another's, sees nothing."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy import select, text

from activities.records import web_session
from activities.records.account import Account
from activities.records.patient import Patient
from activities.records.sessions import Sessions, StoreRefused
from activities.records.tenant import Tenant
from infra.bootstrap import Parts
from tests import make
from tests.two_clinics import SECRET, App, Store, enter

PLATFORM = ("tenant", "account", "interface", "web_session")


def protected(connection: App) -> list[str]:
    rows = connection.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' "
        "and relrowsecurity order by relname"
    )
    return [name for (name,) in rows]


def count(connection: App, table: str) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def patients(connection: App) -> set[str]:
    return {family for (family,) in connection.execute("select family from patient")}


def test_without_a_context_every_protected_table_looks_empty(store: Store) -> None:
    with store.application() as connection:
        tables = protected(connection)
        assert {"patient", "patient_history", "audit_event", "account"} <= set(tables)
        assert {table: count(connection, table) for table in tables} == dict.fromkeys(tables, 0)


def test_without_a_context_nothing_is_written(store: Store) -> None:
    with store.application() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(
            "insert into patient (id, tenant, mrn, family, given, birth_date, sex) values "
            "(gen_random_uuid(), 'larkmoor', 'x', 'x', 'x', '2000-01-01', 'other')"
        )


def test_a_clinic_sees_its_own_rows_and_no_others(store: Store) -> None:
    with store.intruder("heronfield") as connection:
        assert patients(connection) == {SECRET, f"{SECRET} the elder"}
    with store.intruder("larkmoor") as connection:
        for table in protected(connection):
            if table == "tenant":
                continue
            query = sql.SQL("select distinct tenant from {}").format(sql.Identifier(table))
            assert {tenant for (tenant,) in connection.execute(query)} <= {"larkmoor"}, table


def test_the_platform_knows_who_may_sign_in_and_nothing_of_any_record(store: Store) -> None:
    with store.parts.sessions.platform() as session:
        assert set(session.scalars(select(Tenant.id))) == {"larkmoor", "heronfield"}
        assert len(session.scalars(select(Account)).all()) == 2
        assert session.scalars(select(Patient)).all() == []
        assert session.execute(text("select 1 from audit_event")).all() == []


@pytest.mark.parametrize(
    "word",
    [
        "larkmoor",
        "larkmoor|12|34",
        "larkmoor|12|34|zz",
        "|12|34|" + "0" * 64,
        "larkmoor|-1|34|" + "0" * 64,
        "larkmoor|12|soon|" + "0" * 64,
        "larkmoor|12|34|" + "0" * 64 + "|more",
        "larkmoor|99999999999|34|" + "0" * 64,
    ],
)
def test_a_malformed_context_is_an_error(store: Store, word: str) -> None:
    with store.application() as connection:
        enter(connection, word)
        with pytest.raises(errors.InvalidAuthorizationSpecification, match="context is malformed"):
            connection.execute("select 1 from patient")


def altered(word: str, part: int, new: str) -> str:
    parts = word.split("|")
    return "|".join([*parts[:part], new, *parts[part + 1 :]])


WORDS: dict[str, Callable[[Store, int], str]] = {
    "made for another backend": lambda store, pid: store.word("larkmoor", pid + 1),
    "expired": lambda store, pid: store.word("larkmoor", pid, lasts=-1),
    "signed with another key": lambda store, pid: store.word("larkmoor", pid, key=b"\x01" * 32),
    "signed with no key": lambda store, pid: store.word("larkmoor", pid, key=b"\x00" * 32),
    "of another clinic under our signature": lambda store, pid: altered(store.word("larkmoor", pid), 0, "heronfield"),
    "made to last longer": lambda store, pid: altered(store.word("larkmoor", pid), 2, f"{int(time.time()) + 10**6}"),
    "of a clinic that does not exist": lambda store, pid: store.word("nowhere", pid),
    "of every clinic": lambda store, pid: store.word("%", pid),
}


@pytest.mark.parametrize("how", list(WORDS))
def test_a_context_that_is_not_ours_sees_nothing(store: Store, how: str) -> None:
    with store.application() as connection:
        enter(connection, WORDS[how](store, connection.info.backend_pid))
        assert patients(connection) == set()
        assert count(connection, "patient_history") == 0


def test_a_context_copied_from_another_transaction_sees_nothing(store: Store) -> None:
    with store.intruder() as theirs, store.application() as mine:
        (word,) = theirs.execute("select current_setting('app.context')").fetchone() or ("",)
        enter(mine, word)
        assert patients(theirs)
        assert patients(mine) == set()


def test_a_context_that_is_kept_loses_its_force(store: Store) -> None:
    with store.application() as connection:
        enter(connection, store.word("larkmoor", connection.info.backend_pid, lasts=1))
        assert patients(connection)
        time.sleep(2.05)
        assert patients(connection) == set()


def test_a_context_ends_with_its_transaction(store: Store) -> None:
    with store.application() as connection:
        enter(connection, store.word("larkmoor", connection.info.backend_pid))
        assert patients(connection)
        connection.commit()
        assert patients(connection) == set()


def test_a_process_whose_key_differs_is_told_so_instead_of_seeing_an_empty_clinic(store: Store) -> None:
    mistaken = Sessions(store.parts.sessions.engine, b"\x02" * 32)
    with pytest.raises(StoreRefused, match="careloop db migrate"), mistaken.begin(make.LARKMOOR):
        raise AssertionError("nobody should get here")


def test_a_row_cannot_be_written_for_another_clinic(store: Store) -> None:
    with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("insert into organization (id, tenant, name) values (gen_random_uuid(), 'heronfield', 'x')")
    with store.intruder() as connection, pytest.raises(psycopg.Error):
        connection.execute("update patient set tenant = 'heronfield'")


def test_another_clinics_row_is_not_there_to_be_changed(store: Store) -> None:
    with store.intruder() as connection:
        patient = (store.theirs["patient"],)
        assert connection.execute("update patient set family = 'gone' where id = %s", patient).rowcount == 0
        assert connection.execute("update decision set outcome = 'applied' where tenant <> 'larkmoor'").rowcount == 0


REQUEST = (
    "insert into service_request (id, tenant, number, patient_id, performer_id, requester, service, priority, "
    "question, status, stage, stage_since, opened_at) values (gen_random_uuid(), 'larkmoor', %(number)s, "
    "{}, {}, '', '', 'stat', '', 'draft', 'draft', now(), now()) returning id"
)
TASK = (
    "insert into task (id, tenant, workflow_id, case_id, patient_id, owner, kind, number, action, why, stage, "
    "priority, rank, pool, due_at, status, opened_at, opened_key) values (gen_random_uuid(), 'larkmoor', 'larkmoor:x', "
    "gen_random_uuid(), {}, {}, '', '', '', '', '', '', 1, '', now(), 'open', now(), '')"
)
REFERENCES = {
    "service_request.patient_id": REQUEST.format("%(their_patient)s", "%(our_organization)s"),
    "service_request.performer_id": REQUEST.format("%(our_patient)s", "%(their_organization)s"),
    "fulfilment.organization_id": "insert into fulfilment (id, tenant, service_request_id, organization_id, status) "
    "values (gen_random_uuid(), 'larkmoor', %(our_request)s, %(their_organization)s, '')",
    "task.patient_id": TASK.format("%(their_patient)s", "null"),
    "task.owner": TASK.format("null", "%(their_account)s"),
    "web_session.account_id": "insert into web_session (id, account_id, created_at, seen_at, ends_at) values "
    "('\\x01', %(their_account)s, now(), now(), now() + interval '1 day')",
}


@pytest.mark.parametrize("reference", list(REFERENCES))
def test_a_row_cannot_name_another_clinics_row(store: Store, reference: str) -> None:
    own = REQUEST.format("%(our_patient)s", "%(our_organization)s")
    with store.intruder() as connection:
        request = connection.execute(own, {**ids(store), "number": "R-1"}).fetchone()
        assert request is not None
        with pytest.raises(errors.ForeignKeyViolation) as refused:
            connection.execute(REFERENCES[reference], {**ids(store), "number": "R-2", "our_request": request[0]})
        assert SECRET not in str(refused.value)


def ids(store: Store) -> dict[str, object]:
    clinics = {"our": store.ours, "their": store.theirs}
    return {f"{whose}_{name}": value for whose, made in clinics.items() for name, value in made.items()}


def test_a_workflow_of_another_clinic_cannot_be_named(store: Store) -> None:
    with store.intruder() as connection, pytest.raises(errors.CheckViolation):
        connection.execute(
            "insert into decision (id, tenant, workflow_id, case_id, name, arguments, actor, by, made_at) values "
            "(gen_random_uuid(), 'larkmoor', 'heronfield:referral:1', gen_random_uuid(), 'x', '', 'x', 'staff', now())"
        )
    with store.intruder() as connection, pytest.raises(errors.CheckViolation):
        connection.execute(
            "insert into process (workflow_id, tenant, kind, case_id, stage, state, version, opened_at) values "
            "('heronfield:referral:1', 'larkmoor', 'referral', gen_random_uuid(), 'draft', '', 1, now())"
        )


def test_nobody_of_one_clinic_becomes_somebody_of_another(store: Store) -> None:
    """Accounts, sessions and clients are read before a clinic is known; a clinic's own transaction has only its own."""
    with store.intruder() as connection:
        assert count(connection, "account") == count(connection, "tenant") == 1
        assert connection.execute("update tenant set zone = 'UTC' where id = 'heronfield'").rowcount == 0
    for attempt in (
        "update account set tenant = 'heronfield'",
        "insert into account (id, tenant, issuer, subject, name) "
        "values (gen_random_uuid(), 'heronfield', 'x', 'y', 'z')",
        "insert into interface (id, tenant, kind, client_id, organization_id, name) values "
        "(gen_random_uuid(), 'heronfield', 'fhir', 'mine', gen_random_uuid(), 'x')",
        "insert into web_session (id, tenant, account_id, created_at, seen_at, ends_at) select '\\x02', 'heronfield', "
        f"'{store.theirs['account']}', now(), now(), now() + interval '1 day'",
        "insert into tenant (id, name, zone) values ('elsewhere', 'x', 'UTC')",
    ):
        with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(attempt)


def test_a_person_signs_in_within_her_clinics_own_transaction(store: Store) -> None:
    now = datetime.now(UTC)
    with store.parts.sessions.begin(make.HERONFIELD) as session:
        account = session.scalars(select(Account)).one()
        token = web_session.start(session, account, web_session.Proof(now), now, timedelta(hours=1))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert web_session.find(session, token) is None
    with store.parts.sessions.platform() as session:
        found = web_session.find(session, token)
        assert found is not None
        assert found[1].tenant == "heronfield"
        web_session.end(session, token)


def test_what_one_request_leaves_on_a_connection_does_not_speak_in_the_next(parts: Parts) -> None:
    """A statement left under a prepared one's name would run as the next clinic; the connection is thrown away."""
    make.clinics(parts)
    with parts.sessions.begin(make.LARKMOOR) as session:
        backend = session.scalar(text("select pg_backend_pid()"))
        session.execute(text("prepare _pg3_7 as select 'mine'"))
    seen = [one_backend(parts.sessions) for _ in range(9)]
    assert seen.count(StoreRefused) == 1
    assert backend not in seen


def one_backend(sessions: Sessions) -> object:
    try:
        with sessions.begin(make.HERONFIELD) as session:
            return session.scalar(text("select pg_backend_pid()"))
    except StoreRefused:
        return StoreRefused
