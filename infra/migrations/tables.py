"""The few statements every protected table needs, so that a migration says only what is particular to it."""

from alembic import op

POLICY = "tenant = (select app.tenant())"
PLATFORM_POLICY = "(select app.tenant()) = any (array[{owner}, '*'])"


def protect(table: str, verbs: str = "select, insert, update") -> None:
    """Row security forced on everybody, one policy, and what the application's role may do."""
    _protect(table, POLICY, verbs)


def protect_platform(table: str, verbs: str = "select, insert, update", owner: str = "tenant") -> None:
    """A table that is read before a clinic is known: a clinic's transaction has its own rows, the platform's has all.

    `owner` is the column that names the clinic.
    """
    _protect(table, PLATFORM_POLICY.format(owner=owner), verbs)


def _protect(table: str, policy: str, verbs: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy of_tenant on {table} using ({policy}) with check ({policy})")
    op.execute(f"grant {verbs} on {table} to careloop_app")


def keep_history(table: str) -> None:
    """Earlier rows go to `<table>_history` with `[recorded_at, recorded_to)`; `app.<table>_as_of(at)` reads both."""
    history = f"{table}_history"
    op.execute(f"create table {history} (like {table}, recorded_to timestamptz not null)")
    op.execute(f"create index {history}_id on {history} (tenant, id, recorded_at)")
    protect(history, "select")
    op.execute(
        f"create trigger keep_history before insert or update or delete on {table} "
        "for each row execute function app.keep_history()"
    )
    make_as_of(table)


def make_as_of(table: str) -> None:
    """Made anew whenever the table gains a column."""
    op.execute(f"select app.make_as_of('{table}')")


def add_columns(table: str, *columns: str) -> None:
    """New columns of a table that keeps history; earlier versions get their defaults."""
    history = f"{table}_history"
    for column in columns:
        op.execute(f"alter table {table} add column {column}")
        op.execute(f"alter table {history} add column {column}")
    # A version is kept as the row's columns in their order and then its end, so the end must stay the last one.
    op.execute(f"alter table {history} rename recorded_to to ended_at")
    op.execute(f"alter table {history} add column recorded_to timestamptz")
    op.execute(f"alter table {history} no force row level security")
    op.execute(f"update {history} set recorded_to = ended_at")  # noqa: S608 the name is a migration's own
    op.execute(f"alter table {history} force row level security")
    op.execute(f"alter table {history} alter column recorded_to set not null, drop column ended_at")
    make_as_of(table)
