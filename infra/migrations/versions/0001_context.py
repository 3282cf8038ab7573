"""The signed context of a transaction, versions of a row, and as-of."""

from alembic import op

revision, down_revision = "0001", None

# HMAC-SHA-256 (RFC 2104) from the server's own sha256: an extension's functions could be called by everybody.
TENANT = r"""
create function app.tenant() returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    word text := current_setting('app.context', true);
    part text[];
    signature bytea;
begin
    if word is null or word = '' then
        return null;
    end if;
    part := string_to_array(word, '|');
    if cardinality(part) <> 4 or part[1] = '' or part[2] !~ '^\d{1,9}$' or part[3] !~ '^\d{1,12}$'
       or part[4] !~ '^[0-9a-f]{64}$' then
        raise exception 'the transaction context is malformed' using errcode = 'invalid_authorization_specification';
    end if;
    if part[2]::bigint <> pg_backend_pid() or part[3]::bigint < extract(epoch from clock_timestamp()) then
        return null;
    end if;
    select sha256(outer_pad || sha256(inner_pad || convert_to(part[1] || '|' || part[2] || '|' || part[3], 'UTF8')))
    into signature from app.signing_key;
    if signature is null or encode(signature, 'hex') <> part[4] then
        return null;
    end if;
    return part[1];
end $$
"""

# A version begins where the one before it ended, even when the server's clock was set back in between.
KEEP_HISTORY = """
create function app.keep_history() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    moment timestamptz := clock_timestamp();
begin
    if tg_op = 'INSERT' then
        new.version := 1;
        new.recorded_at := moment;
        return new;
    end if;
    moment := greatest(moment, old.recorded_at);
    execute format('insert into public.%I select ($1).*, $2', tg_table_name || '_history') using old, moment;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if (new.tenant, new.id) is distinct from (old.tenant, old.id) then
        raise exception 'the tenant and id of a record never change' using errcode = 'integrity_constraint_violation';
    end if;
    new.version := old.version + 1;
    new.recorded_at := moment;
    return new;
end $$
"""

MAKE_AS_OF = """
create function app.make_as_of(of_table text) returns void language plpgsql as $$
declare
    columns text;
begin
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = ('public.' || of_table)::regclass and attnum > 0 and not attisdropped;
    execute format('drop function if exists app.%I(timestamptz)', of_table || '_as_of');
    execute format(
        'create function app.%1$I(timestamptz) returns setof public.%2$I language sql stable as '
        '$body$ select %4$s from public.%2$I where recorded_at <= $1 '
        'union all select %4$s from public.%3$I where recorded_at <= $1 and recorded_to > $1 $body$',
        of_table || '_as_of', of_table, of_table || '_history', columns);
    execute format('grant execute on function app.%I(timestamptz) to careloop_app', of_table || '_as_of');
end $$
"""


def upgrade() -> None:
    op.execute("create schema app")
    op.execute("alter default privileges revoke execute on functions from public")
    op.execute(
        "create table app.signing_key (only_one boolean primary key default true check (only_one), "
        "inner_pad bytea not null check (length(inner_pad) = 64), "
        "outer_pad bytea not null check (length(outer_pad) = 64))"
    )
    op.execute(TENANT)
    op.execute(KEEP_HISTORY)
    op.execute(MAKE_AS_OF)
    op.execute("grant usage on schema app to careloop_app, careloop_search")
    op.execute("grant execute on function app.tenant() to careloop_app, careloop_search")
