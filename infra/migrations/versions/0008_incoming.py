"""Referrals made to us: where the referrer takes our answers, and under which number."""

from alembic import op

from infra.migrations.tables import add_columns

revision, down_revision = "0008", "0007"

INDEXES = """
create index fulfilment_address on fulfilment (tenant, organization_id, address) where address <> '';
create index fulfilment_request on fulfilment (tenant, service_request_id, round);
create index service_request_placer on service_request (tenant, placer) where placer <> '';
"""


def upgrade() -> None:
    add_columns("fulfilment", "address text not null default ''")
    add_columns("service_request", "placer text not null default ''")
    op.execute(INDEXES)
