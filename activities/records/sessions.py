"""The only way to a transaction: each one carries a signed word for which clinic it speaks."""

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from psycopg import Connection
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from activities.records.ring import PLATFORM

LIFE = 60
ENTER = (
    "select set_config('app.context', %(word)s, true), set_config('app.actor', %(actor)s, true), "
    "app.tenant() is not distinct from %(tenant)s as accepted, "
    "exists (select from pg_prepared_statements where from_sql) as strange"
)


class Purpose(StrEnum):
    """Purpose of use (HL7 v3 PurposeOfUse): TREAT, HPAYMT, HOPERAT, PATRQT, BTG, ETREAT."""

    TREATMENT = "TREAT"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    PATIENT = "PATRQT"
    BREAK_GLASS = "BTG"


@dataclass(frozen=True)
class Context:
    """For whom and why a transaction runs; `actor` is an account id or `system`."""

    tenant: str
    actor: str
    purpose: Purpose = Purpose.TREATMENT


class StoreRefused(Exception):
    """The store would not let this transaction speak for its clinic; nothing was read or written."""


class Sessions:
    """Transactions on one engine. The signature binds the tenant to this backend for a minute."""

    def __init__(self, engine: Engine, signing: bytes) -> None:
        self.engine = engine
        self._signing = signing

    @contextmanager
    def begin(self, context: Context) -> Iterator[Session]:
        """One transaction of a clinic; commits at the end, rolls back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            self._enter(session, context.tenant, context.actor)
            yield session

    @contextmanager
    def platform(self) -> Iterator[Session]:
        """A transaction of no clinic: who is there and who may sign in; every clinic's record looks empty."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            self._enter(session, PLATFORM, "")
            yield session

    def sign(self, tenant: str, backend: int) -> str:
        """`tenant|backend|expiry|HMAC-SHA-256`, checked by `app.tenant()` in the database."""
        body = f"{tenant}|{backend}|{int(time.time()) + LIFE}"
        return f"{body}|{hmac.new(self._signing, body.encode(), sha256).hexdigest()}"

    def _enter(self, session: Session, tenant: str, actor: str) -> None:
        """Signs the transaction in.

        Raises where the store does not agree: a work list must never look empty because a clock or a key is wrong.
        """
        connection = session.connection()
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, Connection)
        with _unprepared(raw):
            word = self.sign(tenant, raw.info.backend_pid)
            row = connection.exec_driver_sql(ENTER, {"word": word, "actor": actor, "tenant": tenant}).one()
        if row.strange:
            connection.invalidate()
            raise StoreRefused("The connection carries a statement that is not ours; it has been closed.")
        if not row.accepted:
            raise StoreRefused(
                "PostgreSQL does not accept this process's signature. Compare the clocks of both machines "
                "and run `careloop db migrate` with the present key ring."
            )


@contextmanager
def _unprepared(raw: Connection[Any]) -> Iterator[None]:
    """SQL slipped into an earlier transaction could have left a statement of its own under a prepared one's name."""
    threshold, raw.prepare_threshold = raw.prepare_threshold, None
    try:
        yield
    finally:
        raw.prepare_threshold = threshold


def connect(url: str, size: int) -> Engine:
    """An engine with a pool of `size` connections; when one turns out to be dead, all are made anew."""
    return create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={"options": "-c plan_cache_mode=force_generic_plan -c timezone=UTC"},
    )
