"""The signed context of a transaction, versions of a row, and as-of."""

from alembic import op

revision, down_revision = "0001", None

TENANT = r"""
create function app.tenant() returns text language plpgsql stable security definer
set search_path = pg_catalog, app as $$
declare
    word text := current_setting('app.context', true);
    part text[];
    secret bytea;
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
    select s.secret into secret from app.signing_key s;
    if encode(app.hmac(convert_to(part[1] || '|' || part[2] || '|' || part[3], 'UTF8'), secret, 'sha256'), 'hex')
       <> part[4] then
        return null;
    end if;
    return part[1];
end $$
"""

KEEP_HISTORY = """
create function app.keep_history() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
declare
    moment timestamptz := clock_timestamp();
begin
    execute format('insert into public.%I select ($1).*, $2', tg_table_name || '_history') using old, moment;
    if tg_op = 'DELETE' then
        return old;
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
        'create function app.%1$I(moment timestamptz) returns setof public.%2$I language sql stable as '
        '$body$ select %4$s from public.%2$I where recorded_at <= moment '
        'union all select %4$s from public.%3$I where recorded_at <= moment and recorded_to > moment $body$',
        of_table || '_as_of', of_table, of_table || '_history', columns);
    execute format('grant execute on function app.%I(timestamptz) to careloop_app', of_table || '_as_of');
end $$
"""


def upgrade() -> None:
    op.execute("create schema app")
    op.execute("create extension pgcrypto schema app")
    op.execute(
        "create table app.signing_key (only_one boolean primary key default true check (only_one), secret bytea)"
    )
    op.execute(TENANT)
    op.execute(KEEP_HISTORY)
    op.execute(MAKE_AS_OF)
    op.execute("revoke all on all functions in schema app from public")
    op.execute("grant usage on schema app to careloop_app, careloop_search")
    op.execute("grant execute on function app.tenant() to careloop_app, careloop_search")
