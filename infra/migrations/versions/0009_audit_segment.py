"""Segments of the audit: a restored store counts transactions anew, and its events still follow earlier ones."""

from alembic import op

revision, down_revision = "0009", "0008"

# The segment stands above the 48 bits that a transaction's number takes. A restore replaces the function.
SEGMENT = """
create function app.audit_segment() returns bigint language sql immutable set search_path = pg_catalog, pg_temp
as 'select 0::bigint'
"""
NUMBERED = "alter table audit_event alter column xid set default "
ORDER = "(app.audit_segment() << 48) + pg_current_xact_id()::text::bigint"


def upgrade() -> None:
    op.execute(SEGMENT)
    op.execute("grant execute on function app.audit_segment() to careloop_app")
    op.execute(NUMBERED + ORDER)
