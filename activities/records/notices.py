"""What the store tells of changed rows while it happens: one connection that listens, for every clinic at once."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL

CHANNEL = "careloop_live"
SHORT, LONG = 0.5, 15.0  # seconds before connecting again
EAR = 2.0  # seconds after which a listener looks whether it should stop


@dataclass(frozen=True)
class Notice:
    """Rows of one clinic have changed: `task` ids or, for `case_event`, the ids of their cases.

    Without `ids` many have, or some may have been missed: whoever shows such rows reads them again. Without
    `tenant` that is so for every clinic.
    """

    tenant: str
    kind: str
    ids: tuple[str, ...]


MISSED = Notice("", "", ())


def listen(url: URL, hear: Callable[[Notice], None], stop: threading.Event) -> None:
    """Tells each notice until `stop` is set; connects again when the connection is lost, and then says `MISSED`."""
    pause = SHORT
    while not stop.is_set():
        try:
            with psycopg.connect(_libpq(url), autocommit=True, application_name="careloop live") as connection:
                connection.execute(f"listen {CHANNEL}")
                hear(MISSED)
                pause = SHORT
                _hear(connection, hear, stop)
        except psycopg.OperationalError:
            stop.wait(pause)
            pause = min(pause * 2, LONG)


def _hear(connection: "psycopg.Connection[object]", hear: Callable[[Notice], None], stop: threading.Event) -> None:
    while not stop.is_set():
        for told in connection.notifies(timeout=EAR):
            hear(read(told.payload))
        connection.execute("select")  # a connection that died quietly is found out


def read(payload: str) -> Notice:
    """What the trigger says: `{"tenant": …, "kind": …, "ids": […]}`."""
    said = json.loads(payload)
    return Notice(said["tenant"], said["kind"], tuple(said["ids"]))


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
