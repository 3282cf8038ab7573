"""Every look and every change is told, with who and why, and cannot be untold."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from activities.records.audit_event import Action, AuditEvent, Auditor, said
from activities.records.base import new_id
from activities.records.ring import Unreadable
from activities.records.sessions import Context, Purpose
from infra.bootstrap import Parts
from tests import make
from tests.engine import make_test_ring
from tests.two_clinics import Store


def test_an_event_says_who_what_and_why_and_its_seal_covers_all_of_it(audit: Parts) -> None:
    context = Context("larkmoor", "account-1", Purpose.BREAK_GLASS)
    patient = make.patient(audit)
    with audit.sessions.begin(context) as session:
        audit.auditor.write(session, context, Action.READ, "Patient", str(patient), patient, {"page": 2, "ids": ["ä"]})
    with audit.sessions.begin(make.LARKMOOR) as session:
        event = session.scalars(select(AuditEvent)).one()
    assert (event.actor, event.purpose, event.action) == ("account-1", "BTG", "R")
    assert event.detail == {"page": 2, "ids": ["ä"]}
    assert event.seal == audit.ring.digest("larkmoor", "audit", said(event))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcä_", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(detail=st.dictionaries(st.text("abcä_", max_size=4), JSON, max_size=4), actor=st.text("ab:-", min_size=1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_event_tells_comes_back_as_it_was_sealed(
    store: Store, detail: dict[str, object], actor: str
) -> None:
    context = Context("larkmoor", actor)
    with store.parts.sessions.begin(context) as session:
        store.parts.auditor.write(session, context, Action.EXECUTE, "Report", "r1", None, detail)
        session.flush()
        session.expire_all()
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.recorded_at.desc()).limit(1)).one()
        assert event.detail == detail
        assert event.seal == store.parts.ring.digest("larkmoor", "audit", said(event))


@pytest.mark.parametrize("context", [Context("larkmoor", ""), Context("larkmoor", "a1", "")])  # type: ignore[arg-type]
def test_an_event_without_an_actor_or_a_purpose_is_refused(audit: Parts, context: Context) -> None:
    with audit.sessions.begin(context) as session, pytest.raises(ValueError, match="actor and a purpose"):
        audit.auditor.write(session, context, Action.READ, "Patient")


@pytest.mark.parametrize("field", ["actor", "purpose"])
def test_the_store_itself_refuses_an_event_without_an_actor_or_a_purpose(audit: Parts, field: str) -> None:
    values = {"actor": "a1", "purpose": "TREAT"} | {field: ""}
    event = AuditEvent(
        id=new_id(),
        tenant="larkmoor",
        recorded_at=datetime.now(UTC),
        action="R",
        entity="x",
        detail={},
        seal=b"",
        **values,
    )
    with pytest.raises(IntegrityError), audit.sessions.begin(make.LARKMOOR) as session:
        session.add(event)


def test_an_event_is_written_with_what_it_tells_of_or_not_at_all(audit: Parts) -> None:
    with pytest.raises(RuntimeError), audit.sessions.begin(make.LARKMOOR) as session:
        audit.auditor.write(session, make.LARKMOOR, Action.UPDATE, "Patient")
        session.flush()
        raise RuntimeError
    with audit.sessions.begin(make.LARKMOOR) as session:
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 0


def test_a_clinic_without_a_key_writes_no_event(audit: Parts) -> None:
    keyless = make_test_ring()
    stranger = Context("nowhere", "a1")
    with audit.sessions.begin(make.LARKMOOR) as session, pytest.raises(Unreadable, match="nowhere"):
        Auditor(keyless).write(session, stranger, Action.READ, "Patient")


def test_a_page_is_one_event_with_its_query_and_the_ids_it_showed(audit: Parts) -> None:
    ids = [new_id(), new_id()]
    with audit.sessions.begin(make.LARKMOOR) as session:
        audit.auditor.record_view(session, make.LARKMOOR, "Task", ids, "view=due")
    with audit.sessions.begin(make.LARKMOOR) as session:
        (event,) = session.scalars(select(AuditEvent))
    assert event.detail == {"shown": [str(one) for one in ids], "query": "view=due"}


@pytest.mark.parametrize(
    "attempt",
    [
        "update audit_event set actor = 'nobody'",
        "delete from audit_event",
        "truncate audit_event",
        "update audit_seal set count = 0",
        "delete from audit_seal",
        "truncate audit_seal",
        "insert into audit_event (id, tenant, actor, purpose, action, entity, seal, xid) "
        "values (gen_random_uuid(), 'larkmoor', 'a', 'TREAT', 'R', 'x', '', 3)",
    ],
)
def test_the_application_can_only_append_and_only_at_the_end(store: Store, attempt: str) -> None:
    with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(attempt.encode())
