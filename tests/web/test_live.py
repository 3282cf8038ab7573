"""Live rows against a real PostgreSQL: who hears what, how many at once, and when a stream ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from werkzeug.serving import make_server

from activities.records import web_session
from activities.records.account import Account
from activities.records.base import new_id
from activities.records.case_event import CaseEvent
from activities.records.notices import CHANNEL, MISSED, Notice, listen
from activities.records.sessions import Context
from activities.records.task import Task
from infra.bootstrap import Parts
from tests import make
from tests.web.clinic import WebClinic
from web.live import Live, create_live

SOON = 5.0


class Ear:
    """Everything a listener was told, in order."""

    def __init__(self) -> None:
        self._told: SimpleQueue[Notice] = SimpleQueue()

    def __call__(self, notice: Notice) -> None:
        self._told.put(notice)

    def next(self) -> Notice:
        return self._told.get(timeout=SOON)

    def silent(self) -> bool:
        try:
            self._told.get(timeout=0.3)
        except Empty:
            return True
        return False


@pytest.fixture
def ear(parts: Parts) -> Iterator[Ear]:
    """A listener that hears already."""
    make.clinics(parts)
    ear, stop = Ear(), threading.Event()
    thread = threading.Thread(target=listen, args=(parts.sessions.engine.url, ear, stop))
    thread.start()
    assert ear.next() == MISSED
    yield ear
    stop.set()
    thread.join()


def test_a_new_task_is_told_by_its_id(parts: Parts, ear: Ear) -> None:
    task = open_task(parts)
    assert ear.next() == Notice("larkmoor", "task", (str(task),))


def test_a_claimed_task_is_told(parts: Parts, ear: Ear) -> None:
    task = open_task(parts)
    ear.next()
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(Task).where(Task.id == task).values(act_token="t"))
    assert ear.next().ids == (str(task),)


def test_what_happens_in_a_case_is_told_by_the_cases_id(parts: Parts, ear: Ear) -> None:
    case = new_id()
    happen(parts, case)
    assert ear.next() == Notice("larkmoor", "case_event", (str(case),))


def test_a_statement_over_many_rows_says_to_read_again(parts: Parts, ear: Ear) -> None:
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(insert(Task).values([task_row() for _ in range(51)]))
    told = ear.next()
    assert (told.kind, told.ids) == ("task", ())


def test_a_rolled_back_change_is_not_told(parts: Parts, ear: Ear) -> None:
    with pytest.raises(RuntimeError), parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(insert(Task), [task_row()])
        raise RuntimeError
    assert ear.silent()


def test_a_notice_carries_ids_and_nothing_of_a_patient(parts: Parts) -> None:
    make.clinics(parts)
    url = parts.sessions.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as listening:
        listening.execute(f"listen {CHANNEL}")
        task = open_task(parts)
        told = next(listening.notifies(timeout=SOON))
    assert told.payload == f'{{"ids": ["{task}"], "kind": "task", "tenant": "larkmoor"}}'


def test_a_lost_connection_is_made_again_and_says_that_something_was_missed(parts: Parts, ear: Ear) -> None:
    with psycopg.connect(str(parts.settings.admin_url).replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'careloop live'")
    assert ear.next() == MISSED
    task = open_task(parts)
    assert ear.next().ids == (str(task),)


def test_another_clinics_change_is_not_heard(parts: Parts) -> None:
    make.clinics(parts)
    live = Live(parts.sessions.engine.url)
    ours, theirs = live.join("larkmoor"), live.join("heronfield")
    assert ours is not None and theirs is not None
    assert [ours.next(SOON), ours.next(SOON)] == [MISSED, MISSED]  # on joining, and when the connection listens
    task = open_task(parts)
    assert ours.next(SOON) == Notice("larkmoor", "task", (str(task),))
    with pytest.raises(Empty):
        while True:
            assert theirs.next(0.3) == MISSED
    live.close()


def test_a_stream_tells_its_clinics_changes_and_ticks(clinic: WebClinic) -> None:
    live = Live(clinic.parts.sessions.engine.url, tick=0.2)
    with running(clinic, live) as address, streaming(address, signed_in(clinic)) as lines:
        assert next(lines) == "event: tick"
        # Told to read anew when it joins, and again once the connection listens: from then on none is missed.
        changes = (line for line in lines if line == "event: changed")
        next(changes)
        next(changes)
        task = open_task(clinic.parts)
        heard = [line for _, line in zip(range(300), lines, strict=False) if str(task) in line]
    assert heard[:1] == [f'data: {{"kind":"task","ids":["{task}"]}}']


def test_forty_pages_are_live_and_the_next_one_asks_by_itself(clinic: WebClinic) -> None:
    cookie = signed_in(clinic)
    live = Live(clinic.parts.sessions.engine.url, most=40, tick=0.2)
    with running(clinic, live) as address:
        with ExitStack() as open_pages:
            all_lines = [open_pages.enter_context(streaming(address, cookie)) for _ in range(40)]
            assert {next(lines) for lines in all_lines} == {"event: tick"}
            assert httpx.get(f"{address}/live", cookies=cookie).status_code == 503
        wait_until(lambda: len(live) == 0)
        with streaming(address, cookie) as lines:
            assert next(lines) == "event: tick"


def test_a_stream_ends_with_its_session(clinic: WebClinic) -> None:
    cookie, live = signed_in(clinic), Live(clinic.parts.sessions.engine.url, tick=0.2)
    with running(clinic, live) as address, streaming(address, cookie) as lines:
        next(lines)
        with clinic.parts.sessions.platform() as session:
            web_session.end(session, next(iter(cookie.values())))
        assert len(list(lines)) < 40


def test_an_open_stream_does_not_keep_a_session_alive(clinic: WebClinic) -> None:
    cookie = signed_in(clinic)
    with running(clinic, Live(clinic.parts.sessions.engine.url, tick=0.2)) as address:
        with streaming(address, cookie) as lines:
            next(lines)
            clinic.clock.pass_by(minutes=16)
            assert len(list(lines)) < 40
        assert httpx.get(f"{address}/live", cookies=cookie).status_code != 200


def test_a_process_that_stops_ends_its_streams(clinic: WebClinic) -> None:
    live = Live(clinic.parts.sessions.engine.url, tick=60)
    with running(clinic, live) as address, streaming(address, signed_in(clinic)) as lines:
        next(lines)
        live.close()
        assert len(list(lines)) < 20
        assert live.join("larkmoor") is None


def open_task(parts: Parts) -> UUID:
    row = task_row()
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(insert(Task), [row])
    return UUID(str(row["id"]))


def task_row() -> dict[str, Any]:
    now, case = datetime.now(UTC), new_id()
    return {
        "id": new_id(), "tenant": "larkmoor", "workflow_id": f"larkmoor:referral:{case}", "case_id": case,
        "kind": "referral", "number": "R-1", "action": "Call", "why": "Late", "stage": "seen", "outcomes": [],
        "priority": "routine", "rank": 2, "pool": "referral_coordinator", "due_at": now, "status": "open",
        "opened_at": now, "opened_key": str(case),
    }  # fmt: skip


def happen(parts: Parts, case: UUID) -> None:
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(
            insert(CaseEvent).values(
                id=new_id(), tenant="larkmoor", case_id=case, step_key="k", step="chase", stage="seen",
                at=datetime.now(UTC), actor="system", facts={}, result={},
            )
        )  # fmt: skip


def signed_in(clinic: WebClinic) -> dict[str, str]:
    """The cookie of a new session of somebody at Larkmoor."""
    now = clinic.clock()
    with clinic.parts.sessions.platform() as session:
        account = session.scalars(select(Account).where(Account.tenant == "larkmoor").limit(1)).one()
    with clinic.parts.sessions.begin(Context("larkmoor", str(account.id))) as session:
        token = web_session.start(session, account, web_session.Proof(now), now, timedelta(hours=1))
    return {clinic.settings.session_cookie: token}


@contextmanager
def running(clinic: WebClinic, live: Live) -> Iterator[str]:
    """The application with this stream, on a free port."""
    app: Flask = clinic.build([create_live(live)])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        live.close()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def streaming(address: str, cookie: dict[str, str]) -> Iterator[Iterator[str]]:
    """An open stream's lines."""
    with httpx.stream("GET", f"{address}/live", cookies=cookie, timeout=SOON) as answer:
        assert answer.status_code == 200
        yield answer.iter_lines()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
