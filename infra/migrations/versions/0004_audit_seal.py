"""Seals over the audit: each covers a batch of events and the seal before it."""

from alembic import op

from infra.migrations.tables import protect

revision, down_revision = "0004", "0003"

SEALS = """
create table audit_seal (
    tenant text not null references tenant,
    n bigint not null check (n > 0),
    count bigint not null check (count > 0),
    first uuid not null,
    last uuid not null,
    last_xid bigint not null,
    digest bytea not null,
    previous bytea not null,
    sealed_at timestamptz not null,
    primary key (tenant, n)
);
"""


def upgrade() -> None:
    op.execute(SEALS)
    protect("audit_seal", "select, insert")
