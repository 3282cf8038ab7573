"""The record of a referral, its process, its people's tasks, and everything said and done."""

from alembic import op

from infra.migrations.tables import keep_history, protect

revision, down_revision = "0003", "0002"

VERSIONED = """
    id uuid primary key,
    tenant text not null references tenant,
    version bigint not null default 1,
    recorded_at timestamptz not null default clock_timestamp(),
"""

OF_TENANT = "check (starts_with(workflow_id, tenant || ':'))"

RECORDS = f"""
create table organization ({VERSIONED}
    name text not null,
    npi text not null default '',
    partner boolean not null default true,
    transport text not null default 'paper' check (transport in ('fhir', 'paper')),
    fhir_address text not null default '',
    repeatable boolean not null default true,
    phone text not null default '',
    fax text not null default '',
    services text[] not null default '{{}}',
    unique (tenant, id)
);
create table patient ({VERSIONED}
    mrn text not null,
    family text not null,
    given text not null,
    birth_date date not null,
    sex text not null check (sex in ('female', 'male', 'other', 'unknown')),
    phone text not null default '',
    language text not null default 'en',
    interpreter boolean not null default false,
    site text not null default '',
    alerts text[] not null default '{{}}',
    unique (tenant, mrn),
    unique (tenant, id)
);
create table service_request ({VERSIONED}
    number text not null,
    direction text not null default 'out' check (direction in ('out', 'in')),
    patient_id uuid not null,
    requester text not null,
    requester_npi text not null default '',
    performer_id uuid not null,
    service text not null,
    priority text not null check (priority in ('stat', 'urgent', 'routine')),
    question text not null,
    diagnoses text[] not null default '{{}}',
    site text not null default '',
    status text not null check (status in ('draft', 'active', 'on-hold', 'revoked', 'completed')),
    stage text not null,
    stage_since timestamptz not null,
    visit_at timestamptz,
    opened_at timestamptz not null,
    closed_at timestamptz,
    close_reason text,
    unique (tenant, number),
    unique (tenant, id),
    foreign key (tenant, patient_id) references patient (tenant, id),
    foreign key (tenant, performer_id) references organization (tenant, id)
);
create index service_request_patient on service_request (tenant, patient_id);
create index service_request_stage on service_request (tenant, stage, stage_since);
create table fulfilment ({VERSIONED}
    service_request_id uuid not null,
    organization_id uuid not null,
    round bigint not null default 1,
    status text not null,
    business_status text not null default '',
    status_reason text not null default '',
    content jsonb not null default '{{}}',
    unique (tenant, service_request_id, round),
    foreign key (tenant, service_request_id) references service_request (tenant, id),
    foreign key (tenant, organization_id) references organization (tenant, id)
);
create table task ({VERSIONED}
    workflow_id text not null {OF_TENANT},
    case_id uuid not null,
    patient_id uuid,
    kind text not null,
    number text not null,
    action text not null,
    why text not null,
    subject text not null default '',
    stage text not null,
    outcomes text[] not null default '{{}}',
    priority text not null,
    rank bigint not null,
    pool text not null,
    site text not null default '',
    owner uuid,
    due_at timestamptz not null,
    snoozed_until timestamptz,
    status text not null check (status in ('open', 'done', 'withdrawn')),
    opened_at timestamptz not null,
    opened_key text not null,
    done_at timestamptz,
    done_by text not null default '',
    done_key text not null default '',
    outcome text not null default '',
    act_token text not null default '',
    ladder text not null default 'standard',
    rung bigint not null default 0,
    table_name text not null default '',
    table_version bigint not null default 0,
    table_hash text not null default '',
    foreign key (tenant, patient_id) references patient (tenant, id),
    foreign key (tenant, owner) references account (tenant, id)
);
create index task_open on task (tenant, rank, due_at, id) where status = 'open';
create index task_owner on task (tenant, owner, rank, due_at, id) where status = 'open';
create index task_case on task (tenant, case_id);
create sequence referral_number start 20001;
grant usage on sequence referral_number to careloop_app;
"""

TRAIL = f"""
create table process (
    workflow_id text primary key {OF_TENANT},
    tenant text not null references tenant,
    kind text not null,
    case_id uuid not null,
    stage text not null,
    state bytea not null,
    version bigint not null,
    next_action text not null default '',
    next_owner text not null default '',
    next_due timestamptz,
    opened_at timestamptz not null,
    closed_at timestamptz
);
create index process_open on process (tenant, next_due) where closed_at is null;
create index process_case on process (tenant, case_id);
create table case_event (
    id uuid primary key,
    tenant text not null references tenant,
    case_id uuid not null,
    step_key text not null,
    step text not null,
    stage text not null,
    at timestamptz not null,
    actor text not null,
    facts jsonb not null default '{{}}',
    result jsonb not null default '{{}}',
    message_id uuid,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (tenant, case_id, step_key)
);
create table decision (
    id uuid primary key,
    tenant text not null references tenant,
    workflow_id text not null {OF_TENANT},
    case_id uuid not null,
    name text not null,
    arguments bytea not null,
    actor text not null,
    by text not null,
    made_at timestamptz not null,
    outcome text check (outcome in ('applied', 'refused', 'parked')),
    answer text not null default '',
    settled_at timestamptz,
    attempts bigint not null default 0
);
create index decision_unsettled on decision (tenant, made_at) where outcome is null;
create index decision_case on decision (tenant, case_id);
create table message_log (
    id uuid primary key,
    tenant text not null references tenant,
    seq bigint generated always as identity,
    interface_id uuid not null,
    direction text not null check (direction in ('in', 'out')),
    kind text not null,
    external_id text not null,
    content_hash bytea not null,
    patient_key text not null,
    case_id uuid,
    subject_id uuid,
    raw bytea not null,
    answer bytea,
    state text not null check (state in ('received', 'filed', 'waiting', 'rejected',
                                         'ready', 'sending', 'sent', 'unknown', 'refused')),
    detail text not null default '',
    received_at timestamptz not null,
    settled_at timestamptz,
    attempts bigint not null default 0,
    taken_at timestamptz,
    unique (tenant, interface_id, direction, external_id, content_hash)
);
create index message_log_line on message_log (tenant, interface_id, patient_key, seq)
    where direction = 'in' and settled_at is null;
create index message_log_unsettled on message_log (tenant, received_at) where settled_at is null;
create index message_log_case on message_log (tenant, case_id);
create table audit_event (
    id uuid primary key,
    tenant text not null references tenant,
    recorded_at timestamptz not null default clock_timestamp(),
    actor text not null check (actor <> ''),
    purpose text not null check (purpose <> ''),
    action text not null check (action in ('C', 'R', 'U', 'D', 'E')),
    entity text not null,
    entity_id text not null default '',
    patient_id uuid,
    detail jsonb not null default '{{}}',
    seal bytea not null,
    xid bigint not null default pg_current_xact_id()::text::bigint
);
create index audit_event_order on audit_event (tenant, xid, id);
create index audit_event_patient on audit_event (tenant, patient_id, recorded_at);
"""

# All but `xid`: nobody may say that an event belongs before others.
AUDIT_COLUMNS = "id, tenant, recorded_at, actor, purpose, action, entity, entity_id, patient_id, detail, seal"


def upgrade() -> None:
    op.execute(RECORDS)
    for table in ("organization", "patient", "service_request", "fulfilment", "task"):
        protect(table)
        keep_history(table)
    op.execute(TRAIL)
    for table in ("process", "decision", "message_log"):
        protect(table)
    protect("case_event", "select, insert")
    protect("audit_event", f"select, insert ({AUDIT_COLUMNS})")
