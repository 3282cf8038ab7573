"""What was told is sealed: whatever is changed, taken away or slipped in afterwards is found."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text

from activities.records.audit_event import Action, AuditEvent
from activities.records.audit_seal import AuditSeal, Head, head, seal, verify
from activities.records.sessions import Context
from infra.bootstrap import Parts
from tests import make
from tests.engine import make_test_ring
from tests.two_clinics import Store

LONG = timedelta(days=1)


def write(parts: Parts, count: int = 1, context: Context = make.LARKMOOR) -> None:
    with parts.sessions.begin(context) as session:
        for _ in range(count):
            parts.auditor.write(session, context, Action.READ, "Patient", "p1")


def sealed(parts: Parts, tenant: str = "larkmoor") -> int:
    return seal(parts.sessions, parts.ring, tenant)


def violations(parts: Parts, anchor: Head | None = None, tail: timedelta = LONG) -> list[str]:
    return verify(parts.sessions, parts.ring, "larkmoor", anchor, tail)


def seals(parts: Parts) -> list[AuditSeal]:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return list(session.scalars(select(AuditSeal).order_by(AuditSeal.n)))


def tamper(parts: Parts, statement: str) -> None:
    """As somebody who has the database in his hands, but not the keys."""
    with Store(parts, {}, {}).superuser() as connection:
        assert connection.execute(statement.encode()).rowcount > 0


def test_what_is_finished_is_sealed_once_and_the_seals_are_a_chain(audit: Parts) -> None:
    write(audit, 3)
    write(audit)
    assert sealed(audit) == 4
    assert sealed(audit) == 0
    write(audit, 2)
    assert sealed(audit) == 2
    first, second = seals(audit)
    assert (first.n, first.count, first.previous) == (1, 4, b"")
    assert (second.n, second.count, second.previous) == (2, 2, first.digest)
    assert head(audit.sessions, "larkmoor") == Head(2, second.digest)
    assert violations(audit) == []


def test_more_than_one_batch_is_sealed_in_one_go(audit: Parts) -> None:
    write(audit, 2100)
    assert sealed(audit) == 2100
    assert [one.count for one in seals(audit)] == [2000, 100]
    assert violations(audit) == []


def test_a_clinic_that_told_nothing_has_no_seal_and_no_violation(audit: Parts) -> None:
    assert sealed(audit) == 0
    assert head(audit.sessions, "larkmoor") is None
    assert violations(audit) == []


def test_a_late_commit_cannot_fall_behind_a_seal(audit: Parts) -> None:
    """The slow transaction wrote first; what came after it waits with it, and both are sealed in their order."""
    with ExitStack() as slow:
        session = slow.enter_context(audit.sessions.begin(make.LARKMOOR))
        audit.auditor.write(session, make.LARKMOOR, Action.UPDATE, "Patient", "slow")
        session.flush()
        write(audit)
        assert sealed(audit) == 0
    assert sealed(audit) == 2
    with audit.sessions.begin(make.LARKMOOR) as session:
        order = session.scalars(select(AuditEvent.entity_id).order_by(AuditEvent.xid, AuditEvent.id)).all()
    assert order == ["slow", "p1"]
    assert violations(audit) == []


def test_what_began_before_a_seal_and_commits_after_it_comes_into_the_next(audit: Parts) -> None:
    write(audit)
    with audit.sessions.begin(make.LARKMOOR) as session:
        session.execute(text("select count(*) from audit_event"))
        assert sealed(audit) == 1
        audit.auditor.write(session, make.LARKMOOR, Action.UPDATE, "Patient", "late")
    assert sealed(audit) == 1
    assert violations(audit) == []


def test_two_sealers_at_once_seal_each_event_once(audit: Parts) -> None:
    for _ in range(30):
        write(audit)
    together = Barrier(4)

    def one(_: int) -> int:
        together.wait()
        return sealed(audit)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 30
    assert sum(row.count for row in seals(audit)) == 30
    assert violations(audit) == []


def test_writers_and_a_sealer_side_by_side_leave_nothing_out(audit: Parts) -> None:
    def writer(_: int) -> int:
        for _ in range(15):
            write(audit)
        return 0

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(writer, n) for n in range(3)]
        total = 0
        while not all(one.done() for one in running):
            total += sealed(audit)
        [one.result() for one in running]
    assert total + sealed(audit) == 45
    assert violations(audit) == []


def test_each_clinic_has_its_own_chain(audit: Parts) -> None:
    write(audit, 2)
    write(audit, 3, make.HERONFIELD)
    assert sealed(audit, "heronfield") == 3
    assert seals(audit) == []
    assert sealed(audit) == 2
    assert verify(audit.sessions, audit.ring, "heronfield") == violations(audit) == []


FIRST = "(select id from audit_event order by xid, id limit 1)"
COPY = (
    "insert into audit_event (id, tenant, recorded_at, actor, purpose, action, entity, entity_id, detail, seal, xid) "
    "select gen_random_uuid(), tenant, recorded_at, actor, purpose, action, entity, entity_id, detail, seal, {} "
    f"from audit_event where id = {FIRST}"
)
TAMPERED = {
    "who it was": (f"update audit_event set actor = 'nobody' where id = {FIRST}", "not as it was written"),
    "when it was": (f"update audit_event set recorded_at = now() where id = {FIRST}", "not as it was written"),
    "what it was about": (
        f"update audit_event set detail = '{{\"x\": 1}}' where id = {FIRST}",
        "not as it was written",
    ),
    "its own seal": (f"update audit_event set seal = '\\x00' where id = {FIRST}", "not as it was written"),
    "its place": ("update audit_event set xid = xid + 1 where xid = (select min(xid) from audit_event)", "are missing"),
    "that it was at all": (f"delete from audit_event where id = {FIRST}", "1 of them are missing"),
    "an event slipped in": (COPY.format("xid"), "1 were slipped in"),
    "an event before all others": (COPY.format("-5"), "1 were slipped in"),
    "a seal's count": ("update audit_seal set count = 2 where n = 1", "Seal 1 covers 2 events"),
    "a seal's time": ("update audit_seal set sealed_at = now() where n = 1", "Seal 1 of"),
    "a seal's digest": ("update audit_seal set digest = '\\x00' where n = 1", "Seal 2 does not follow"),
    "a seal in the middle": ("delete from audit_seal where n = 2", "Seals 2 to 2 are missing"),
    "the first seal": ("delete from audit_seal where n = 1", "Seals 1 to 1 are missing"),
    "whose event it was": (
        "update audit_event set tenant = 'heronfield' where xid = (select min(xid) from audit_event)",
        "of them are missing",
    ),
}


@pytest.mark.parametrize("what", list(TAMPERED))
def test_it_is_found_when_somebody_changes(audit: Parts, what: str) -> None:
    for _ in range(3):
        write(audit, 3)
        sealed(audit)
    statement, words = TAMPERED[what]
    tamper(audit, statement)
    assert words in " ".join(violations(audit))


def test_events_and_seals_taken_off_the_end_are_found_by_the_anchor(audit: Parts) -> None:
    write(audit)
    sealed(audit)
    write(audit)
    sealed(audit)
    anchor = head(audit.sessions, "larkmoor")
    assert anchor is not None
    assert violations(audit, anchor) == []
    tamper(audit, "delete from audit_event where xid = (select max(xid) from audit_event)")
    tamper(audit, "delete from audit_seal where n = 2")
    assert violations(audit) == []
    assert violations(audit, anchor) == [
        "Seal 2 was anchored, but the seals end at 1: the end was taken off.",
    ]
    write(audit)
    sealed(audit)
    assert "not the one that was anchored" in " ".join(violations(audit, anchor))


def test_a_seal_made_without_the_clinics_key_is_found(audit: Parts) -> None:
    write(audit)
    seal(audit.sessions, make_test_ring(), "larkmoor")
    assert "Seal 1" in " ".join(violations(audit))


def test_events_that_nobody_seals_are_told(audit: Parts) -> None:
    write(audit, 2)
    (words,) = violations(audit, tail=timedelta(0))
    assert words.startswith("2 audit events are not sealed; the oldest for 0 s.")
    assert violations(audit, tail=timedelta(minutes=1)) == []
    tamper(audit, "update audit_event set actor = 'nobody'")
    assert len(violations(audit)) == 2


def test_the_sealer_reads_the_unsealed_events_only(store: Store) -> None:
    """A comparison that is not leakproof would make it read the whole audit each second."""
    with store.intruder() as connection:
        connection.execute("set local enable_seqscan = off")
        connection.execute("set local enable_bitmapscan = off")
        lines = connection.execute(
            "explain select seal from audit_event where (xid, id) > (7, '00000000-0000-0000-0000-000000000000'::uuid) "
            "and xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint order by xid, id"
        ).fetchall()
    (condition,) = [line.strip() for (line,) in lines if "Index Cond" in line]
    assert "ROW(xid, id) >" in condition
    assert "xid < " in condition
    assert not [line for (line,) in lines if "Filter" in line or "Sort" in line]
