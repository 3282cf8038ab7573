"""The only way to a transaction: each one carries a signed word for which clinic it speaks."""

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from psycopg import Connection
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

LIFE = 60
ENTER = text("select set_config('app.context', :context, true), set_config('app.actor', :actor, true)")


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


class Sessions:
    """Transactions on one engine. The signature binds the tenant to this backend for a minute."""

    def __init__(self, engine: Engine, signing: bytes) -> None:
        self.engine = engine
        self._signing = signing

    @contextmanager
    def begin(self, context: Context) -> Iterator[Session]:
        """One transaction of a clinic; commits at the end, rolls back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            raw = session.connection().connection.dbapi_connection
            assert isinstance(raw, Connection)
            word = self.sign(context.tenant, raw.info.backend_pid)
            session.execute(ENTER, {"context": word, "actor": context.actor})
            yield session

    @contextmanager
    def platform(self) -> Iterator[Session]:
        """A transaction without a clinic: tenantless tables only, protected ones look empty."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def sign(self, tenant: str, backend: int) -> str:
        """`tenant|backend|expiry|HMAC-SHA-256`, checked by `app.tenant()` in the database."""
        body = f"{tenant}|{backend}|{int(time.time()) + LIFE}"
        return f"{body}|{hmac.new(self._signing, body.encode(), sha256).hexdigest()}"


def connect(url: str, size: int) -> Engine:
    """An engine with a pool of `size` connections, checked before use."""
    return create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={"options": "-c plan_cache_mode=force_generic_plan -c timezone=UTC"},
    )
