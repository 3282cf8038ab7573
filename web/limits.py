"""Rate limits per view, counted in one unlogged table so that all web processes count together."""

import time
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, request
from flask_limiter import Limiter
from limits.storage import Storage
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from activities.records.sessions import Sessions

View = TypeVar("View", bound=Callable[..., object])

COUNT = text(
    """insert into rate_limit as kept (key, hits, ends_at)
    values (:key, :amount, now() + make_interval(secs => :expiry))
    on conflict (key) do update set
        hits = case when kept.ends_at <= now() then excluded.hits else kept.hits + excluded.hits end,
        ends_at = case when kept.ends_at <= now() then excluded.ends_at else kept.ends_at end
    returning hits"""
)
HITS = text("select hits from rate_limit where key = :key and ends_at > now()")
ENDS = text("select extract(epoch from ends_at) from rate_limit where key = :key and ends_at > now()")
CLEAR = text("delete from rate_limit where key = :key")
RESET = text("delete from rate_limit")


class TableStorage(Storage):
    """Flask-Limiter's storage (fixed windows) on table `rate_limit`; address `careloop-table://`."""

    STORAGE_SCHEME = ["careloop-table"]  # noqa: RUF012 the library reads it from the class

    def __init__(self, uri: str | None = None, *, sessions: Sessions, **_options: str) -> None:
        super().__init__(uri, wrap_exceptions=True)
        self._sessions = sessions

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self._sessions.platform() as session:
            return int(session.execute(COUNT, {"key": key, "expiry": expiry, "amount": amount}).scalar_one())

    def get(self, key: str) -> int:
        with self._sessions.platform() as session:
            return int(session.execute(HITS, {"key": key}).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        with self._sessions.platform() as session:
            return float(session.execute(ENDS, {"key": key}).scalar() or time.time())

    def check(self) -> bool:
        return self.get("") == 0

    def reset(self) -> int | None:
        with self._sessions.platform() as session:
            session.execute(RESET)
        return None

    def clear(self, key: str) -> None:
        with self._sessions.platform() as session:
            session.execute(CLEAR, {"key": key})


def limited(rule: str) -> Callable[[View], View]:
    """At most this often from one address, for example `20 per minute`."""

    def mark(view: View) -> View:
        view.limit = rule  # type: ignore[attr-defined]
        return view

    return mark


def set_limits(app: Flask, sessions: Sessions) -> None:
    """Wraps every view that `@limited` marks. Call it when all blueprints are registered."""
    limiter = Limiter(
        _address,
        app=app,
        storage_uri="careloop-table://",
        storage_options={"sessions": sessions},  # type: ignore[dict-item]
        strategy="fixed-window",
        headers_enabled=True,
        # A store that does not answer must not lock everybody out; the view will say so itself.
        swallow_errors=True,
    )
    for endpoint, view in list(app.view_functions.items()):
        rule: str | None = getattr(view, "limit", None)
        if rule is not None:
            app.view_functions[endpoint] = limiter.limit(rule)(view)  # type: ignore[assignment]


def _address() -> str:
    return request.remote_addr or "unknown"
