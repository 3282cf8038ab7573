"""When a site is open, which decision tables are in force, and who is away or stands in."""

from alembic import op

from infra.migrations.tables import keep_history, protect

revision, down_revision = "0005", "0004"

VERSIONED = """
    id uuid primary key,
    tenant text not null references tenant,
    version bigint not null default 1,
    recorded_at timestamptz not null default clock_timestamp(),
"""

PLACES = f"""
create table location ({VERSIONED}
    site text not null check (site <> ''),
    name text not null,
    address text not null default '',
    state text not null default '' check (state ~ '^([A-Z]{{2}})?$'),
    zone text not null,
    opens time not null default '08:00',
    closes time not null default '17:00',
    weekdays bigint[] not null default '{{0,1,2,3,4}}'
        check (cardinality(weekdays) > 0 and weekdays <@ '{{0,1,2,3,4,5,6}}'),
    phone text not null default '',
    check (opens < closes),
    unique (tenant, site),
    unique (tenant, id)
);
create table calendar_closed_day ({VERSIONED}
    location_id uuid,
    day date not null,
    name text not null,
    source text not null,
    unique nulls not distinct (tenant, location_id, day),
    foreign key (tenant, location_id) references location (tenant, id)
);
"""

# Version 1 of a table is the one that comes with the program. Who writes a version does not approve it.
RULES = """
create table rule_table (
    id uuid primary key,
    tenant text not null references tenant,
    name text not null,
    version bigint not null check (version > 1),
    effective_from timestamptz not null,
    content jsonb not null,
    hash text not null check (hash ~ '^[0-9a-f]{64}$'),
    made_by text not null check (made_by <> ''),
    made_at timestamptz not null default clock_timestamp(),
    approved_by text check (approved_by <> made_by),
    approved_at timestamptz,
    check ((approved_by is null) = (approved_at is null)),
    unique (tenant, name, version)
);
create index rule_table_in_force on rule_table (tenant, name, effective_from, version) where approved_by is not null;
"""

STAFF = f"""
create table absence ({VERSIONED}
    account_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    surrogate_id uuid check (surrogate_id <> account_id),
    check (starts_at < ends_at),
    foreign key (tenant, account_id) references account (tenant, id),
    foreign key (tenant, surrogate_id) references account (tenant, id)
);
create index absence_ends on absence (tenant, ends_at);
create table pool_member ({VERSIONED}
    pool text not null check (pool <> ''),
    account_id uuid not null,
    position bigint not null default 0,
    leads boolean not null default false,
    active_from timestamptz not null,
    active_until timestamptz,
    check (active_from < active_until),
    foreign key (tenant, account_id) references account (tenant, id)
);
create index pool_member_pool on pool_member (tenant, pool, position);
"""

# An act's token finds what it changed, so that it can be undone; a process of version 0 has no workflow yet.
INDEXES = """
create index task_act on task (tenant, act_token) where act_token <> '' and status = 'open';
create index process_unstarted on process (tenant, opened_at) where version = 0 and closed_at is null;
"""


def upgrade() -> None:
    for statements in (PLACES, RULES, STAFF, INDEXES):
        op.execute(statements)
    for table in ("location", "calendar_closed_day", "absence", "pool_member"):
        protect(table, "select, insert, update, delete")
        keep_history(table)
    protect("rule_table", "select, insert, update (approved_by, approved_at)")
