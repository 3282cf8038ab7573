"""The addresses of the store, one per role, with passwords made once and kept in `keys/postgres.json`."""

import secrets
from dataclasses import dataclass

from sqlalchemy.engine import URL, make_url

from infra.supervisor.home import Home, read_json, write_private

SUPERUSER, OWNER, APPLICATION = "postgres", "careloop_owner", "careloop_app"
DATABASE = "careloop"


def passwords(home: Home) -> dict[str, str]:
    """Role → password. Made on the first call; the same ever after."""
    path = home.keys / "postgres.json"
    known = read_json(path)
    missing = [role for role in (SUPERUSER, OWNER, APPLICATION) if role not in known]
    if missing:
        known |= {role: secrets.token_urlsafe(24) for role in missing}
        write_private(path, known)
    return known


@dataclass(frozen=True)
class StoreUrls:
    """SQLAlchemy addresses (`postgresql+psycopg://…`) of one database for three roles."""

    admin: str  # may create roles
    owner: str
    application: str


def own_urls(home: Home, port: int) -> StoreUrls:
    """The addresses on our own cluster."""
    known = passwords(home)
    base = URL.create("postgresql+psycopg", SUPERUSER, known[SUPERUSER], host="127.0.0.1", port=port, database=DATABASE)
    return _for_roles(base, known)


def external_urls(home: Home, postgres_url: str) -> StoreUrls:
    """The addresses on a PostgreSQL that is given; the migration makes its two roles with our passwords."""
    return _for_roles(make_url(postgres_url).set(drivername="postgresql+psycopg"), passwords(home))


def _for_roles(base: URL, known: dict[str, str]) -> StoreUrls:
    admin, owner, application = (
        url.render_as_string(hide_password=False)
        for url in (base, *(base.set(username=role, password=known[role]) for role in (OWNER, APPLICATION)))
    )
    return StoreUrls(admin, owner, application)


def libpq(url: str) -> str:
    """The same address as psycopg itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def maintenance(url: str) -> str:
    """psycopg's address of the database `postgres` on the same server, which is there before ours is made."""
    return libpq(make_url(url).set(database="postgres").render_as_string(hide_password=False))
