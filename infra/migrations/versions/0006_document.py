"""Documents, their sealed bytes, and the inbox in which each received page is accounted for."""

from alembic import op

from infra.migrations.tables import keep_history, protect

revision, down_revision = "0006", "0005"

VERSIONED = """
    id uuid primary key,
    tenant text not null references tenant,
    version bigint not null default 1,
    recorded_at timestamptz not null default clock_timestamp(),
"""
HASH = "bytea not null check (length(hash) = 32)"

DOCUMENTS = f"""
create table document_content (
    tenant text not null references tenant,
    hash {HASH},
    sealed bytea not null,
    stored_at timestamptz not null default clock_timestamp(),
    primary key (tenant, hash)
);
create table document_reference ({VERSIONED}
    patient_id uuid,
    case_id uuid,
    type text not null check (type in ('consult-note', 'referral-letter', 'result', 'imaging-report', 'id-card',
                                       'authorization', 'other')),
    title text not null check (title <> ''),
    content_type text not null check (content_type in ('application/pdf', 'image/tiff', 'image/png', 'image/jpeg')),
    size bigint not null check (size > 0),
    pages bigint not null check (pages > 0),
    hash {HASH},
    status text not null check (status in ('current', 'entered-in-error')),
    status_reason text not null default '',
    received_at timestamptz not null,
    source text not null check (source in ('fax', 'upload', 'partner', 'ours')),
    received_from text not null default '',
    author text not null default '',
    unique (tenant, id),
    foreign key (tenant, patient_id) references patient (tenant, id),
    foreign key (tenant, hash) references document_content (tenant, hash),
    check (status <> 'entered-in-error' or status_reason <> '')
);
create index document_reference_case on document_reference (tenant, case_id, received_at);
create index document_reference_patient on document_reference (tenant, patient_id, received_at);
"""

# A file that cannot be read has no pages; it waits, with the reason, until a person has seen it.
INBOX = f"""
create table document_inbox (
    id uuid primary key,
    tenant text not null references tenant,
    source text not null check (source in ('fax', 'upload', 'partner')),
    received_at timestamptz not null,
    received_from text not null default '',
    name text not null default '',
    content_type text not null default '',
    hash {HASH},
    pages bigint not null check (pages >= 0),
    problem text not null default '',
    seen_by text not null default '',
    seen_at timestamptz,
    unique (tenant, id),
    unique (tenant, hash),
    check ((pages = 0) = (problem <> '')),
    check ((seen_by = '') = (seen_at is null))
);
create index document_inbox_problem on document_inbox (tenant, received_at) where problem <> '' and seen_at is null;
create table inbox_page ({VERSIONED}
    file_id uuid not null,
    number bigint not null check (number > 0),
    state text not null check (state in ('waiting', 'filed', 'rejected')),
    document_id uuid,
    rotation bigint not null default 0 check (rotation in (0, 90, 180, 270)),
    by text not null default '',
    at timestamptz,
    reason text not null default '',
    unique (tenant, file_id, number),
    foreign key (tenant, file_id) references document_inbox (tenant, id),
    foreign key (tenant, document_id) references document_reference (tenant, id),
    check ((state = 'filed') = (document_id is not null)),
    check ((state = 'rejected') = (reason <> '')),
    check ((state = 'waiting') = (at is null))
);
create index inbox_page_waiting on inbox_page (tenant, file_id, number) where state = 'waiting';
create index inbox_page_document on inbox_page (tenant, document_id) where document_id is not null;
"""


def upgrade() -> None:
    op.execute(DOCUMENTS)
    protect("document_content", "select, insert")
    protect("document_reference")
    keep_history("document_reference")
    op.execute(INBOX)
    protect("document_inbox", "select, insert, update (seen_by, seen_at)")
    protect("inbox_page")
    keep_history("inbox_page")
