"""A database with two clinics that know nothing of each other, and ways to try otherwise."""

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from activities.records.account import Grant, grant
from activities.records.audit_event import Action
from activities.records.sessions import Context
from infra.bootstrap import Parts, build
from infra.migrations.upgrade import prepare
from infra.settings import Settings
from infra.supervisor.store_urls import libpq
from tests import make
from tests.postgres import Cluster

SECRET = "Quenneville-Abernathy"  # a name only Heronfield knows
App = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Store:
    """A migrated database with a patient, an account and an audit row at each of the two clinics."""

    parts: Parts
    theirs: dict[str, UUID]  # Heronfield's: patient, organization, account
    ours: dict[str, UUID]  # Larkmoor's

    @property
    def settings(self) -> Settings:
        return self.parts.settings

    @contextmanager
    def application(self) -> Iterator[App]:
        """A connection of `careloop_app` that nobody has signed in."""
        with psycopg.connect(libpq(self.settings.database_url)) as connection:
            yield connection

    @contextmanager
    def intruder(self, tenant: str = "larkmoor") -> Iterator[App]:
        """A clinic's own signed transaction, in which somebody may say any SQL; it is rolled back."""
        with self.application() as connection:
            enter(connection, self.word(tenant, connection.info.backend_pid))
            yield connection
            connection.rollback()

    @contextmanager
    def owner(self) -> Iterator[App]:
        """`careloop_owner`, to whom row security applies as well."""
        with psycopg.connect(libpq(self.settings.owner_url)) as connection:
            yield connection

    @contextmanager
    def superuser(self) -> Iterator[App]:
        with psycopg.connect(libpq(self.settings.admin_url)) as connection:
            yield connection

    def word(self, tenant: str, backend: int, lasts: int = 60, key: bytes | None = None) -> str:
        """A context as `app.tenant()` expects it."""
        body = f"{tenant}|{backend}|{int(time.time()) + lasts}"
        return f"{body}|{hmac.new(key or self.parts.ring.signing, body.encode(), sha256).hexdigest()}"


def enter(connection: App, word: str) -> None:
    connection.execute("select set_config('app.context', %s, true)", (word,))


@contextmanager
def furnished(cluster: Cluster) -> Iterator[Store]:
    """A fresh database with all the rights of a real one, dropped afterwards."""
    settings = cluster.fresh()
    prepare(settings.admin_url, settings.owner_url, settings.database_url)
    parts = build(settings, 4)
    make.clinics(parts)
    ours = furnish(parts, make.LARKMOOR, "Vailgood")
    theirs = furnish(parts, make.HERONFIELD, SECRET)
    yield Store(parts, theirs, ours)
    parts.sessions.engine.dispose()
    cluster.drop(settings)


def furnish(parts: Parts, context: Context, family: str) -> dict[str, UUID]:
    """What each clinic has; some of it changed once, so that there is history too."""
    tenant = context.tenant
    made = {
        "patient": make.patient(parts, context, family=family),
        "organization": make.organization(parts, context),
        "noise": make.patient(parts, context, family=f"{family} the elder"),
    }
    with parts.sessions.platform() as session:
        given = Grant(tenant, "https://id.example", f"a.{tenant}", f"Person of {tenant}", "", ("referral_coordinator",))
        made["account"] = grant(session, given)
    with parts.sessions.begin(context) as session:
        session.connection().exec_driver_sql("update patient set phone = '555-0100'")
        parts.auditor.write(session, context, Action.READ, "Patient", str(made["patient"]), made["patient"])
    make.opening(parts, make.content(made["patient"], made["organization"]), context)
    return made
