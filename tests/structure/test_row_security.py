"""No table without row security: what a clinic's transaction cannot see, no mistake of ours can show it."""

from collections.abc import Iterator

import pytest

from tests.postgres import Cluster
from tests.two_clinics import App, Store, furnished

OF_TENANT = "(tenant = ( SELECT app.tenant() AS tenant))"
# Read before a clinic is known. They hold no patient's data; a clinic's transaction has its own rows only.
PLATFORM = {
    "tenant": "(( SELECT app.tenant() AS tenant) = ANY (ARRAY[id, '*'::text]))",
    "account": "(( SELECT app.tenant() AS tenant) = ANY (ARRAY[tenant, '*'::text]))",
    "interface": "(( SELECT app.tenant() AS tenant) = ANY (ARRAY[tenant, '*'::text]))",
    "web_session": "(( SELECT app.tenant() AS tenant) = ANY (ARRAY[tenant, '*'::text]))",
}
# Neither a clinic's nor a person's: no row security.
OPEN_TABLES = {"alembic_version", "rate_limit"}
READ_AND_ADD, CHANGE = {"SELECT", "INSERT"}, {"SELECT", "INSERT", "UPDATE"}
GRANTS = {
    "alembic_version": set(),
    "rate_limit": {*CHANGE, "DELETE"},
    "web_session": {*CHANGE, "DELETE"},
    "tenant": CHANGE,
    "account": CHANGE,
    "interface": CHANGE,
    "case_event": READ_AND_ADD,
    "audit_seal": READ_AND_ADD,
    "document_content": READ_AND_ADD,
    # Only in the columns below.
    "audit_event": {"SELECT"},
    "document_inbox": READ_AND_ADD,
    "rule_table": READ_AND_ADD,
    # What has no lifecycle of its own may be taken away; history keeps it.
    "absence": {*CHANGE, "DELETE"},
    "calendar_closed_day": {*CHANGE, "DELETE"},
    "location": {*CHANGE, "DELETE"},
    "pool_member": {*CHANGE, "DELETE"},
    "patient_identifier": {*CHANGE, "DELETE"},
    "patient_name": {*CHANGE, "DELETE"},
    "patient_telecom": {*CHANGE, "DELETE"},
    "patient_address": {*CHANGE, "DELETE"},
    "patient_contact": {*CHANGE, "DELETE"},
    "patient_link": {*CHANGE, "DELETE"},
}
COLUMNS = {
    ("audit_event", "INSERT"): {
        "id", "tenant", "recorded_at", "actor", "purpose", "action", "entity", "entity_id", "patient_id", "detail",
        "seal",
    },
    ("document_inbox", "UPDATE"): {"seen_by", "seen_at"},
    ("rule_table", "UPDATE"): {"approved_by", "approved_at"},
}  # fmt: skip
CALLABLE = {"tenant", "audit_segment"}


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Store]:
    with furnished(cluster) as store:
        yield store


@pytest.fixture(scope="module")
def catalog(store: Store) -> Iterator[App]:
    with store.superuser() as connection:
        yield connection


def test_every_table_forces_row_security(catalog: App) -> None:
    rows = catalog.execute(
        "select relname, relrowsecurity, relforcerowsecurity from pg_class "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'v', 'f')"
    ).fetchall()
    assert len(rows) > 20
    assert {name for name, enabled, forced in rows if not (enabled and forced)} == OPEN_TABLES


def test_every_policy_is_the_one_with_the_sub_select(catalog: App) -> None:
    """Without the sub-select the context is checked once per row, and no index helps."""
    rows = catalog.execute(
        "select tablename, permissive, roles::text[], cmd, qual, with_check from pg_policies "
        "where schemaname = 'public'"
    ).fetchall()
    expected = {
        (table, "PERMISSIVE", ("public",), "ALL", rule, rule)
        for table in protected(catalog)
        for rule in [PLATFORM.get(table, OF_TENANT)]
    }
    assert {(table, kind, tuple(roles), verb, *rules) for table, kind, roles, verb, *rules in rows} == expected
    assert len(rows) == len(expected)


def protected(catalog: App) -> set[str]:
    rows = catalog.execute(
        "select relname from pg_class where relrowsecurity and relnamespace = 'public'::regnamespace"
    )
    return {name for (name,) in rows}


def test_every_protected_row_names_its_clinic(catalog: App) -> None:
    rows = catalog.execute(
        "select attrelid::regclass::text from pg_attribute where attname = 'tenant' and attnotnull "
        "and atttypid = 'text'::regtype and attrelid::regclass::text not like 'pg_%'"
    )
    assert protected(catalog) - {"tenant"} <= {table for (table,) in rows}


def test_a_row_refers_to_rows_of_its_own_clinic_only(catalog: App) -> None:
    """The server checks a foreign key past row security, so the key itself must hold the clinic."""
    rows = catalog.execute(
        "select conrelid::regclass::text, confrelid::regclass::text, conname, "
        "array(select attname from pg_attribute where attrelid = conrelid and attnum = any (conkey))::text[], "
        "array(select attname from pg_attribute where attrelid = confrelid and attnum = any (confkey))::text[] "
        "from pg_constraint where contype = 'f'"
    ).fetchall()
    assert len(rows) > 10
    loose = [
        name
        for _, target, name, columns, referred in rows
        if "tenant" not in columns or ("tenant" not in referred and target != "tenant")
    ]
    assert loose == []


def test_the_application_may_do_what_is_meant_and_no_more(catalog: App) -> None:
    granted: dict[str, set[str]] = {}
    for table, verb in catalog.execute(
        "select c.relname, a.privilege_type from pg_class c left join lateral aclexplode(c.relacl) a "
        "on a.grantee = 'careloop_app'::regrole where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"
    ):
        granted.setdefault(table, set()).update([verb] if verb else [])
    for table, verbs in granted.items():
        meant = {"SELECT"} if table.endswith("_history") else GRANTS.get(table, CHANGE)
        assert verbs == meant, table
    assert set(GRANTS) <= set(granted)


def test_where_only_some_columns_may_be_written_they_are_these(catalog: App) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for table, column, verb in catalog.execute(
        "select attrelid::regclass::text, attname::text, a.privilege_type from pg_attribute, aclexplode(attacl) a "
        "where a.grantee = 'careloop_app'::regrole"
    ):
        found.setdefault((table, verb), set()).add(column)
    assert found == COLUMNS


def test_nobody_else_holds_a_right_on_our_tables(catalog: App) -> None:
    rows = catalog.execute(
        "select relname, a.grantee::regrole::text from pg_class, aclexplode(relacl) a where relnamespace in "
        "('public'::regnamespace, 'app'::regnamespace) and a.grantee not in "
        "('careloop_app'::regrole, 'careloop_owner'::regrole, 'careloop_search'::regrole)"
    ).fetchall()
    assert rows == []


def test_the_signing_key_is_the_owners_alone(catalog: App) -> None:
    rows = catalog.execute(
        "select distinct a.grantee::regrole::text "
        "from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) a "
        "where oid = 'app.signing_key'::regclass"
    ).fetchall()
    assert rows == [("careloop_owner",)]


def test_the_application_calls_the_context_and_the_past_and_nothing_else(catalog: App) -> None:
    rows = catalog.execute(
        "select proname from pg_proc where pronamespace in ('app'::regnamespace, 'public'::regnamespace) "
        "and has_function_privilege('careloop_app', oid, 'execute')"
    ).fetchall()
    names = {name for (name,) in rows}
    assert {name for name in names if not name.endswith("_as_of")} == CALLABLE
    assert {name.removesuffix("_as_of") for name in names - CALLABLE} == {
        table.removesuffix("_history") for table in protected(catalog) if table.endswith("_history")
    }


def test_every_function_with_its_owners_rights_names_where_it_looks(catalog: App) -> None:
    """Else a caller's search path decides what its words mean."""
    rows = catalog.execute(
        "select proname, proconfig from pg_proc where prosecdef and pronamespace in "
        "('app'::regnamespace, 'public'::regnamespace)"
    ).fetchall()
    assert {name for name, _ in rows} >= {"tenant", "keep_history"}
    for name, configuration in rows:
        assert [line for line in configuration or () if line.startswith("search_path=pg_catalog")], name


def test_no_extension_brings_functions_that_everybody_may_call(catalog: App) -> None:
    assert catalog.execute("select extname from pg_extension").fetchall() == [("plpgsql",)]


def test_the_application_makes_nothing_in_this_database(catalog: App) -> None:
    rows = catalog.execute(
        "select has_database_privilege('careloop_app', current_database(), 'create'), "
        "has_database_privilege('careloop_app', current_database(), 'temporary'), "
        "has_schema_privilege('careloop_app', 'public', 'create'), "
        "has_schema_privilege('careloop_app', 'app', 'create')"
    ).fetchone()
    assert rows == (False, False, False, False)


def test_the_search_role_reaches_what_it_was_given_only(catalog: App) -> None:
    """Whatever policy it gets must filter by the clinic inside its functions."""
    rows = catalog.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' "
        "and has_table_privilege('careloop_search', oid, 'insert, update, delete, truncate')"
    ).fetchall()
    assert rows == []
