"""Tables that are read before a clinic is known, without patient data."""

from alembic import op

from infra.migrations.tables import protect_platform

revision, down_revision = "0002", "0001"

TABLES = """
create table tenant (
    id text primary key check (id ~ '^[a-z][a-z0-9-]{1,30}$'),
    name text not null,
    zone text not null
);
create table account (
    id uuid primary key,
    tenant text not null references tenant,
    issuer text not null,
    subject text not null,
    name text not null,
    email text not null default '',
    roles text[] not null default '{}',
    title text not null default '',
    sites text[] not null default '{}',
    npi text not null default '',
    active boolean not null default true,
    unique (issuer, subject),
    unique (tenant, id)
);
create table web_session (
    id bytea primary key,
    tenant text not null default app.tenant(),
    account_id uuid not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null,
    acr text not null default '',
    auth_time timestamptz,
    sid text not null default '',
    foreign key (tenant, account_id) references account (tenant, id)
);
create index web_session_account on web_session (account_id);
create table interface (
    id uuid primary key,
    tenant text not null references tenant,
    kind text not null,
    client_id text not null,
    organization_id uuid not null,
    name text not null,
    active boolean not null default true,
    unique (kind, client_id)
);
create unlogged table rate_limit (
    key text primary key,
    hits bigint not null,
    ends_at timestamptz not null
);
grant select, insert, update, delete on rate_limit to careloop_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect_platform("tenant", owner="id")
    for table in ("account", "interface"):
        protect_platform(table)
    protect_platform("web_session", "select, insert, update, delete")
