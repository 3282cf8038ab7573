"""The chart: who a patient is and how she is reached, what she has and takes, who insures her, when she comes."""

from alembic import op

from infra.migrations.tables import add_columns, keep_history, protect

revision, down_revision = "0010", "0009"

VERSIONED = """
    id uuid primary key,
    tenant text not null references tenant,
    version bigint not null default 1,
    recorded_at timestamptz not null default clock_timestamp(),
"""
OF_PATIENT = f"""{VERSIONED}
    patient_id uuid not null,
    unique (tenant, id),
    foreign key (tenant, patient_id) references patient (tenant, id),
"""
PERIOD = """
    starts_on date,
    ends_on date,
    check (starts_on <= ends_on)
"""
LABELS = "array['part-2', 'substance-use', 'hiv', 'behavioral', 'sexual', 'genetic', 'violence']"
SENSITIVITY = f"sensitivity text[] not null default '{{}}' check (sensitivity <@ {LABELS})"

PRACTITIONERS = f"""
create table practitioner ({VERSIONED}
    family text not null,
    given text not null,
    credentials text not null default '',
    npi text not null default '' check (npi ~ '^([0-9]{{10}})?$'),
    account_id uuid,
    active boolean not null default true,
    unique (tenant, id),
    foreign key (tenant, account_id) references account (tenant, id)
);
create unique index practitioner_npi on practitioner (tenant, npi) where npi <> '';
create table practitioner_role ({VERSIONED}
    practitioner_id uuid not null,
    organization_id uuid not null,
    location_id uuid,
    specialty text not null default '',
    {PERIOD},
    foreign key (tenant, practitioner_id) references practitioner (tenant, id),
    foreign key (tenant, organization_id) references organization (tenant, id),
    foreign key (tenant, location_id) references location (tenant, id)
);
create index practitioner_role_practitioner on practitioner_role (tenant, practitioner_id);
create index practitioner_role_organization on practitioner_role (tenant, organization_id);
"""

# A value is either plain or sealed; a sealed one is found by its keyed digest.
IDENTITY = f"""
create table patient_identifier ({OF_PATIENT}
    system text not null check (system in ('mrn', 'ssn', 'medicaid', 'driver-license', 'other')),
    value text not null default '',
    sealed bytea,
    blind bytea check (length(blind) = 32),
    use text not null default 'usual' check (use in ('usual', 'official', 'temp', 'secondary', 'old')),
    {PERIOD},
    check ((value = '') = (sealed is not null)),
    check ((sealed is null) = (blind is null)),
    check (system <> 'ssn' or value = '')
);
create index patient_identifier_value on patient_identifier (tenant, system, value) where value <> '';
create index patient_identifier_blind on patient_identifier (tenant, blind) where blind is not null;
create table patient_name ({OF_PATIENT}
    use text not null check (use in ('usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden')),
    family text not null default '',
    given text not null default '',
    suffix text not null default '',
    {PERIOD},
    check (family <> '' or given <> '')
);
create table patient_telecom ({OF_PATIENT}
    system text not null check (system in ('phone', 'fax', 'email')),
    value text not null check (value <> ''),
    use text not null default '' check (use in ('', 'home', 'work', 'mobile', 'temp', 'old')),
    rank bigint not null default 1 check (rank > 0),
    sms_ok boolean not null default false,
    voice_only boolean not null default false,
    shared boolean not null default false,
    confidential boolean not null default false,
    wrong boolean not null default false,
    {PERIOD},
    check (not (sms_ok and voice_only))
);
create index patient_telecom_value on patient_telecom (tenant, value);
create table patient_address ({OF_PATIENT}
    use text not null default 'home' check (use in ('home', 'work', 'temp', 'old', 'billing')),
    lines text[] not null default '{{}}',
    city text not null default '',
    state text not null default '',
    postal_code text not null default '',
    country text not null default 'US',
    {PERIOD}
);
create index patient_address_postal_code on patient_address (tenant, postal_code);
create table patient_contact ({OF_PATIENT}
    role text not null check (role in ('guardian', 'emergency', 'caregiver', 'next-of-kin', 'other')),
    relation text not null default '',
    name text not null check (name <> ''),
    phone text not null default '',
    language text not null default 'en',
    {PERIOD}
);
create table patient_link ({OF_PATIENT}
    survivor_id uuid not null check (survivor_id <> patient_id),
    reason text not null check (reason <> ''),
    linked_by text not null check (linked_by <> ''),
    unique (tenant, patient_id),
    foreign key (tenant, survivor_id) references patient (tenant, id)
);
create index patient_link_survivor on patient_link (tenant, survivor_id);
"""

CLINICAL = f"""
create table coverage ({OF_PATIENT}
    kind text not null default 'insurance' check (kind in ('insurance', 'self-pay')),
    payer text not null default '',
    plan text not null default '',
    member_sealed bytea,
    member_blind bytea check (length(member_blind) = 32),
    group_number text not null default '',
    relationship text not null default 'self'
        check (relationship in ('self', 'spouse', 'child', 'parent', 'other')),
    rank bigint not null default 1 check (rank > 0),
    status text not null default 'active' check (status in ('active', 'cancelled', 'draft', 'entered-in-error')),
    {PERIOD},
    check ((member_sealed is null) = (member_blind is null)),
    check (kind = 'self-pay' or payer <> '')
);
create index coverage_member on coverage (tenant, member_blind) where member_blind is not null;
create table condition ({OF_PATIENT}
    code text not null default '',
    text text not null check (text <> ''),
    clinical_status text not null default 'active'
        check (clinical_status in ('active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved')),
    onset_on date,
    abated_on date,
    recorded_on date not null,
    {SENSITIVITY}
);
create table allergy_intolerance ({OF_PATIENT}
    substance text not null default '',
    reaction text not null default '',
    severity text not null default '' check (severity in ('', 'mild', 'moderate', 'severe')),
    clinical_status text not null default 'active' check (clinical_status in ('active', 'inactive', 'resolved')),
    none_known boolean not null default false,
    recorded_on date not null,
    check (none_known = (substance = '')),
    check (not none_known or (reaction = '' and severity = ''))
);
create table medication_statement ({OF_PATIENT}
    medication text not null check (medication <> ''),
    dosage text not null default '',
    status text not null default 'active'
        check (status in ('active', 'completed', 'entered-in-error', 'intended', 'stopped', 'on-hold', 'unknown')),
    recorded_on date not null,
    {SENSITIVITY},
    {PERIOD}
);
"""

VISITS = f"""
create table encounter ({OF_PATIENT}
    service_request_id uuid,
    status text not null check (status in ('planned', 'arrived', 'in-progress', 'finished', 'cancelled',
                                           'entered-in-error')),
    class text not null default 'ambulatory' check (class in ('ambulatory', 'virtual', 'home', 'emergency')),
    starts_at timestamptz not null,
    ends_at timestamptz,
    location_id uuid,
    reason text not null default '',
    {SENSITIVITY},
    check (starts_at <= ends_at),
    foreign key (tenant, service_request_id) references service_request (tenant, id),
    foreign key (tenant, location_id) references location (tenant, id)
);
create table appointment ({OF_PATIENT}
    service_request_id uuid,
    organization_id uuid not null,
    location_id uuid,
    status text not null check (status in ('proposed', 'pending', 'booked', 'arrived', 'fulfilled', 'cancelled',
                                           'noshow', 'entered-in-error')),
    starts_at timestamptz not null,
    foreign key (tenant, service_request_id) references service_request (tenant, id),
    foreign key (tenant, organization_id) references organization (tenant, id),
    foreign key (tenant, location_id) references location (tenant, id)
);
create index appointment_request on appointment (tenant, service_request_id, starts_at);
create index appointment_starts on appointment (tenant, starts_at) where status = 'booked';
create index encounter_request on encounter (tenant, service_request_id);
"""

# What describes a patient may be taken away when it was never so; a link, when the two are two after all.
DESCRIBES = ("patient_identifier", "patient_name", "patient_telecom", "patient_address", "patient_contact")
STAYS = ("coverage", "condition", "allergy_intolerance", "medication_statement", "encounter", "appointment")


def upgrade() -> None:
    for statements in (PRACTITIONERS, IDENTITY, CLINICAL, VISITS):
        op.execute(statements)
    for table in (*DESCRIBES, *STAYS):
        op.execute(f"create index {table}_patient on {table} (tenant, patient_id)")
    for table in ("practitioner", "practitioner_role", *STAYS):
        protect(table)
        keep_history(table)
    for table in (*DESCRIBES, "patient_link"):
        protect(table, "select, insert, update, delete")
        keep_history(table)
    add_columns("patient", "vip boolean not null default false")
    add_columns("document_reference", "sensitivity text[] not null default '{}'")
    op.execute(f"alter table document_reference add check (sensitivity <@ {LABELS})")
