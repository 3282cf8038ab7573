"""Somebody who can say any SQL in one clinic's transaction learns nothing of another clinic, and changes nothing."""

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import select

from activities.records.patient import Patient
from activities.records.task import Task
from infra.supervisor.store_urls import libpq
from tests import make
from tests.two_clinics import SECRET, App, Store

NAMES = "(select string_agg(family, ' ') from patient)"
FORGED = "heronfield|' || pg_backend_pid() || '|' || (extract(epoch from now())::bigint + 60) || '|' || "
REFUSED = {
    "the key is read": "select inner_pad from app.signing_key",
    "the key is replaced": "update app.signing_key set inner_pad = outer_pad",
    "another role is taken": "set role careloop_owner",
    "the search role is taken": "set role careloop_search",
    "the superuser is taken": "set session authorization postgres",
    "row security is switched off": "alter table patient disable row level security",
    "row security is no longer forced": "alter table patient no force row level security",
    "the policy is changed": "alter policy of_tenant on patient using (true)",
    "a policy is added": "create policy mine on patient using (true)",
    "the policy is dropped": "drop policy of_tenant on patient",
    "the checking function is replaced": "create or replace function app.tenant() returns text "
    "language sql as $$ select 'heronfield' $$",
    "the checking function is given away": "alter function app.tenant() owner to careloop_app",
    "a table is made in public": "create table public.mine (x int)",
    "a table is made in app": "create table app.mine (x int)",
    "a function is made in public": "create function public.mine() returns int language sql as 'select 1'",
    "a temporary table stands before ours": "create temporary table patient (x int)",
    "a temporary view stands before ours": "create temporary view patient as select 1",
    "a schema is made": "create schema mine",
    "an extension is made": "create extension pgcrypto",
    "a trigger is hung on": "create trigger mine before insert on patient "
    "for each row execute function app.keep_history()",
    "rows are written past the policy": "alter role careloop_app bypassrls",
    "triggers are skipped": "set session_replication_role = replica",
    "a program is run": "copy (select 1) to program 'true'",
    "a file is written": "copy patient to '/tmp/careloop-proof'",
    "a file is read": "copy patient (family) from '/etc/passwd'",
    "a file is read by function": "select pg_read_file('/etc/passwd')",
    "a file is read as a large object": "select lo_import('/etc/passwd')",
    "a folder is listed": "select pg_ls_dir('.')",
    "statistics are read raw": "select stavalues1 from pg_statistic",
    "earlier rows are rewritten": "update patient_history set family = 'x'",
    "earlier rows are removed": "delete from patient_history",
    "a row is deleted": "delete from patient",
    "all rows are removed": "truncate patient cascade",
    "the audit is rewritten": "update audit_event set actor = 'nobody'",
    "the audit is removed": "delete from audit_event",
    "the timeline is rewritten": "update case_event set actor = 'nobody'",
    "a seal is rewritten": "update audit_seal set digest = ''",
    "numbers are set back": "select setval('referral_number', 1)",
    "another's numbers are read": "select last_value from referral_number",
    "the order of messages is taken": "select nextval('message_log_seq_seq')",
    "the migrations are read": "select * from alembic_version",
    "the server's settings are read again": "select pg_reload_conf()",
    "the server's log is turned over": "select pg_rotate_logfile()",
    "the server's log is made to tell more": "set log_statement = 'all'",
}
EMPTY = {
    "a context is forged without the key": f"select set_config('app.context', '{FORGED}repeat('0', 64), true), {NAMES}",
    "a context is forged with a guess": f"select set_config('app.context', '{FORGED}encode(sha256('x'), 'hex'), true), "
    f"{NAMES}",
    "the clinic's own word is renamed": "select set_config('app.context', "
    f"replace(current_setting('app.context'), 'larkmoor', 'heronfield'), true), {NAMES}",
    "the word outlives its transaction": "select set_config('app.context', current_setting('app.context'), false), "
    f"{NAMES}",
    "the other tenant is named": "select * from patient where tenant = 'heronfield'",
    "the condition is always true": "select * from patient where family = '' or 1 = 1",
    "earlier rows are asked for": "select * from patient_history",
    "the past is asked for": "select * from app.patient_as_of(clock_timestamp())",
    "everything is joined": "select a.*, p.* from audit_event a full join patient p on true full join decision on true",
    "row security is asked to step aside": "set row_security = on; select * from patient",
    "the statistics are asked": "select most_common_vals::text, histogram_bounds::text from pg_stats",
    "other sessions are watched": "select query from pg_stat_activity",
    "statements of others are asked for": "select statement from pg_prepared_statements",
    "cursors of others are asked for": "select statement from pg_cursors",
    "settings are read": "select name, setting from pg_settings",
}
BLIND = (
    "select 1 from patient where family::int = 1",
    "select 1 / (length(family) - length('Quenneville-Abernathy')) from patient",
    "select xmlparse(document family) from patient where tenant = 'heronfield'",
    "select * from patient where (select count(*) from generate_series(1, length(family))) > 18",
)


@pytest.mark.parametrize("attempt", list(REFUSED))
def test_it_is_refused_when(store: Store, attempt: str) -> None:
    with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(REFUSED[attempt].encode())


@pytest.mark.parametrize("attempt", list(EMPTY))
def test_nothing_is_learned_when(store: Store, attempt: str) -> None:
    analyse(store)
    with store.intruder("heronfield") as theirs, store.intruder() as mine:
        theirs.execute("select family from patient where family = %s", (SECRET,))
        assert SECRET not in everything(mine, EMPTY[attempt])


def test_row_security_switched_off_is_an_error_and_not_an_open_door(store: Store) -> None:
    with store.intruder() as connection:
        connection.execute("set row_security = off")
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("select * from patient")


@pytest.mark.parametrize("condition", BLIND)
def test_an_error_in_a_condition_never_quotes_another_clinics_row(store: Store, condition: str) -> None:
    with store.intruder() as connection:
        try:
            answer = str(connection.execute(condition.encode()).fetchall())
        except psycopg.Error as error:
            answer = str(error)
    assert SECRET not in answer
    assert "division by zero" not in answer


def test_a_row_that_exists_elsewhere_is_not_described_when_its_id_is_taken(store: Store) -> None:
    with store.intruder() as connection, pytest.raises(errors.UniqueViolation) as refused:
        connection.execute(
            "insert into patient (id, tenant, mrn, family, given, birth_date, sex) "
            "values (%s, 'larkmoor', 'x', 'x', 'x', '2000-01-01', 'other')",
            (store.theirs["patient"],),
        )
    assert str(store.theirs["patient"]) not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_what_a_clinic_asks_for_is_bound_and_not_shown_to_others(store: Store) -> None:
    """`pg_stat_activity` shows the statements of every session of the same role, never what is asked with them."""
    with store.parts.sessions.begin(make.HERONFIELD) as session, store.application() as watcher:
        watcher.autocommit = True
        backend = session.connection().connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        assert "app.tenant()" in shown(watcher, backend)
        assert "heronfield" not in shown(watcher, backend)
        session.scalars(select(Patient).where(Patient.family == SECRET, Patient.mrn.in_([SECRET, "x"]))).all()
        assert "family = $1" in shown(watcher, backend)
        assert SECRET not in shown(watcher, backend)
        session.scalars(select(Task).where(Task.subject == SECRET).limit(7)).all()
        assert SECRET not in shown(watcher, backend)


def test_the_application_owns_nothing(store: Store) -> None:
    with store.superuser() as connection:
        owned = connection.execute(
            "select classid::regclass, objid from pg_shdepend "
            "where refobjid = 'careloop_app'::regrole and deptype = 'o'"
        ).fetchall()
        roles = connection.execute(
            "select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls, "
            "(select count(*) from pg_auth_members where member = pg_roles.oid) "
            "from pg_roles where rolname in ('careloop_app', 'careloop_search')"
        ).fetchall()
    assert owned == []
    assert roles == [(False, 0), (False, 0)]


def test_after_all_that_the_other_clinic_is_as_it_was(store: Store) -> None:
    for attempt in (*REFUSED.values(), *EMPTY.values()):
        with psycopg.connect(libpq(store.settings.database_url)) as connection:
            connection.execute(
                "select set_config('app.context', %s, true)",
                (store.word("larkmoor", connection.info.backend_pid),),
            )
            try:
                connection.execute(attempt.encode())
                connection.commit()
            except psycopg.Error:
                connection.rollback()
    with store.intruder("heronfield") as connection:
        rows = connection.execute("select family, version from patient order by family").fetchall()
    assert rows == [(SECRET, 2), (f"{SECRET} the elder", 2)]


def everything(connection: App, query: str) -> str:
    """All that any of the statements answers, errors too."""
    said = []
    try:
        cursor = connection.execute(query.encode())
        while True:
            if cursor.description:
                said.append(str(cursor.fetchall()))
            if not cursor.nextset():
                break
    except psycopg.Error as error:
        said.append(str(error))
    return " ".join(said)


def shown(watcher: App, backend: int) -> str:
    row = watcher.execute("select query from pg_stat_activity where pid = %s", (backend,)).fetchone()
    assert row is not None
    return str(row[0])


def analyse(store: Store) -> None:
    """With statistics, so that there is something to find in them."""
    with store.superuser() as connection:
        connection.execute("analyze patient")
        row = connection.execute("select count(*) from pg_stats where tablename = 'patient'").fetchone()
        assert row and row[0] > 0
