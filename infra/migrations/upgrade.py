"""Brings a PostgreSQL to the present shape: roles, database, tables, and the key that checks contexts."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import connect, sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

OWNER, APP, SEARCH = "careloop_owner", "careloop_app", "careloop_search"
LOCK = 20418000


def prepare(admin_url: str, owner_url: str, app_url: str) -> None:
    """Makes roles and database where they lack; the passwords are those in the two addresses.

    Repeatable; of two at once, one waits.
    """
    owner, app = make_url(owner_url), make_url(app_url)
    with connect(_maintenance(admin_url), autocommit=True) as admin:
        admin.execute("select pg_advisory_lock(%s)", (LOCK,))
        for role, password in ((OWNER, owner.password), (APP, app.password), (SEARCH, None)):
            known = admin.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
            verb = sql.SQL("alter role {} " if known else "create role {} ").format(sql.Identifier(role))
            login = sql.SQL("login password {}").format(sql.Literal(password)) if password else sql.SQL("nologin")
            admin.execute(verb + login)
        admin.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER)))
        admin.execute(sql.SQL("grant {} to {}").format(sql.Identifier(SEARCH), sql.Identifier(OWNER)))
        database = sql.Identifier(str(owner.database))
        known = admin.execute("select 1 from pg_database where datname = %s", (owner.database,)).fetchone()
        make = sql.SQL("alter database {} owner to {}" if known else "create database {} owner {}")
        admin.execute(make.format(database, sql.Identifier(OWNER)))
        # A temporary table made in one clinic's transaction would stand before ours in the next one's.
        admin.execute(sql.SQL("revoke all on database {} from public").format(database))
        admin.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(APP)))


def upgrade(owner_url: str, signing: bytes) -> None:
    """Runs what is missing of the numbered migrations and lays down the context-signing key."""
    engine = create_engine(owner_url)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    lay_down(owner_url, signing)


def lay_down(owner_url: str, signing: bytes) -> None:
    """From now on the store accepts contexts signed with this key, and with no other."""
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into app.signing_key (inner_pad, outer_pad) values (:inner, :outer) on conflict (only_one) "
                "do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
            ),
            {"inner": _padded(signing, 0x36), "outer": _padded(signing, 0x5C)},
        )
    engine.dispose()


def _padded(key: bytes, pad: int) -> bytes:
    """HMAC's inner or outer key block (RFC 2104) for SHA-256; the key is no longer than a block."""
    return bytes(byte ^ pad for byte in key.ljust(64, b"\0"))


def _maintenance(url: str) -> str:
    """The database that is always there, as psycopg itself takes the address."""
    return make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
