"""Tables without a clinic's context and without patient data."""

from alembic import op

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
    unique (issuer, subject)
);
create table web_session (
    id bytea primary key,
    account_id uuid not null references account,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null,
    acr text not null default '',
    auth_time timestamptz,
    sid text not null default '',
    id_token bytea
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
grant select, insert, update on tenant, account, interface to careloop_app;
grant select, insert, update, delete on web_session, rate_limit to careloop_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
