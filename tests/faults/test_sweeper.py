"""What the sweeper takes up when nobody else does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from activities.records.base import new_id
from activities.records.decision import Outcome
from activities.records.message_log import Direction, MessageState
from activities.records.process import Process
from activities.records.task import Task, TaskStatus
from infra.bootstrap import case_review
from infra.messages import Messages
from infra.resend import Resender
from infra.sweeper import ALARM, Sweeper
from rules.referral.vocabulary import By, Facts, Reason, Stage, Step
from tests import make
from tests.faults.killing import Point, When
from tests.faults.test_kill_matrix import REASON, by_web
from tests.faults.world import WEB, World
from workflows.contracts import inbound

pytestmark = pytest.mark.xdist_group("faults")


def orphaned(world: World, case: UUID) -> UUID:
    """A decision whose author's web died as soon as it was committed."""
    token = new_id()
    with world.killer.armed(Point(WEB, 1, When.AFTER)):
        by_web(lambda: world.desk.decide(make.LARKMOOR, token, case, Step.CLOSURE, REASON, By.STAFF))
    return token


def outcome(world: World, token: UUID) -> str | None:
    row = world.decision(token)
    assert row is not None
    return row.outcome


def test_what_is_younger_than_thirty_seconds_is_left_to_whoever_has_it(world: World) -> None:
    token = orphaned(world, world.in_triage("Quillon"))
    patient = Sweeper(world.parts, world.engine)
    patient.sweep()
    assert outcome(world, token) is None
    world.as_admin("update decision set made_at = made_at - interval '31 seconds' where id = %s", token)
    patient.sweep()
    assert outcome(world, token) == Outcome.APPLIED


def test_a_round_whose_time_is_up_leaves_the_rest_to_the_next(world: World) -> None:
    token = orphaned(world, world.in_triage("Quillon"))
    assert Sweeper(world.parts, world.engine, timedelta(0), budget=-1.0).sweep() == 0
    assert outcome(world, token) is None
    world.sweeper.sweep()
    assert outcome(world, token) == Outcome.APPLIED


def test_a_line_that_answers_to_nobody_is_begun_anew(world: World) -> None:
    case = world.in_triage("Quillon")
    arrival, interface = world.answer("Quillon", case), world.interfaces["Quillon"]
    received = world.door.receive(interface, arrival)
    (message,) = world.messages(case, Direction.IN)
    line = inbound.workflow_id("larkmoor", interface.id, message.patient_key)
    world.engine.run(
        lambda client: client.start_workflow(
            inbound.WORKFLOW, inbound.Line(interface.id, message.patient_key), id=line, task_queue="nobody-works-here"
        ),
        10,
    )
    world.as_admin("update message_log set attempts = %s where id = %s", ALARM, received.message_id)
    world.recover(lambda: world.stage(case) == Stage.SCHEDULING)


def test_a_message_that_no_process_sends_is_sent(world: World) -> None:
    case = world.in_triage("Quillon")
    made = world.partners["Quillon"].made.total()
    world.as_admin(
        "update message_log set state = 'ready', settled_at = null, raw = raw, "
        "received_at = received_at - interval '10 minutes', taken_at = null where case_id = %s",
        case,
    )
    assert Resender(world.parts, world.engine).run(make.LARKMOOR) == 1
    world.until(lambda: [one.state for one in world.messages(case, Direction.OUT)] == [MessageState.SENT])
    assert world.partners["Quillon"].made.total() == made


def test_a_record_that_ran_ahead_is_caught_up_with_and_a_person_is_asked_to_look(world: World) -> None:
    case, token = world.in_triage("Quillon"), new_id()
    world.as_admin("update service_request set version = version + 1 where id = %s", case)
    settled = world.desk.decide(make.LARKMOOR, token, case, Step.CLOSURE, REASON, By.STAFF)
    assert settled.outcome is Outcome.APPLIED
    (review,) = reviews(world, case)
    assert "ahead of the process" in review.why
    assert world.events(case)[str(token)] == 1


@pytest.mark.parametrize("recipient", ["nobody-we-know", "0192f000-0000-7000-8000-000000000000"])
def test_a_decision_that_the_store_can_never_take_is_parked_with_a_task_and_blocks_nobody(
    world: World, recipient: str
) -> None:
    case, token = world.in_triage("Quillon"), new_id()
    nobody = Facts(recipient=recipient, reason=Reason.OTHER)
    facts = Facts(reason=Reason.NO_CAPACITY, note="Full.")
    assert world.desk.decide(make.LARKMOOR, new_id(), case, Step.DECLINE, facts, By.STAFF).outcome is Outcome.APPLIED
    settled = world.desk.decide(make.LARKMOOR, token, case, Step.NEW_RECIPIENT, nobody, By.STAFF)
    assert settled.outcome is Outcome.PARKED
    (review,) = reviews(world, case)
    assert (review.action.startswith("Not applied: "), review.why) == (True, settled.words)
    closed = world.desk.decide(make.LARKMOOR, new_id(), case, Step.CLOSURE, REASON, By.STAFF)
    assert closed.outcome is Outcome.APPLIED


def test_a_review_gets_its_own_process_within_a_round(world: World) -> None:
    case = world.in_triage("Quillon")
    with world.parts.sessions.begin(make.LARKMOOR) as session:
        case_review(world.parts)(session, make.LARKMOOR, case, "k", "Look", "Because.", datetime.now(UTC))
    (review,) = reviews(world, case)

    def taken() -> bool:
        with world.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalars(select(Process.version).where(Process.case_id == review.id)).one() > 0

    world.recover(taken)


def test_a_message_that_cannot_be_read_waits_for_a_person_who_hands_it_over_again_or_lets_it_go(world: World) -> None:
    case = world.in_triage("Quillon")
    received = world.door.receive(world.interfaces["Quillon"], world.answer("Quillon", case))
    identity = UUID(received.message_id)
    (message,) = world.messages(case, Direction.IN)
    world.as_admin("update message_log set raw = '\\x00' where id = %s", identity)
    world.recover(lambda: world.messages(case, Direction.IN)[0].state == MessageState.WAITING)
    assert [one.status for one in reviews(world, case)] == [TaskStatus.OPEN]

    messages = Messages(world.parts, world.engine, "operator:test")
    shown = messages.find(identity)
    assert shown is not None
    assert identity in [one.line.message.id for one in messages.listed((MessageState.WAITING,), 50)]
    assert messages.replay(shown) is MessageState.WAITING
    with world.parts.sessions.begin(make.LARKMOOR) as session:
        stored = session.merge(message)
        stored.state, stored.detail = MessageState.WAITING, ""
    assert messages.replay(shown) is MessageState.FILED
    world.until(lambda: world.stage(case) == Stage.SCHEDULING)
    assert [one.status for one in reviews(world, case)] == [TaskStatus.DONE]
    assert messages.replay(shown) is None


def test_a_message_that_is_let_go_is_rejected_and_the_ledger_balances(world: World) -> None:
    case = world.in_triage("Quillon")
    received = world.door.receive(world.interfaces["Quillon"], world.answer("Quillon", case))
    world.as_admin("update message_log set raw = '\\x00' where id = %s", UUID(received.message_id))
    world.recover(lambda: world.messages(case, Direction.IN)[0].state == MessageState.WAITING)
    messages = Messages(world.parts, world.engine, "operator:test")
    shown = messages.find(UUID(received.message_id))
    assert shown is not None
    assert messages.release(shown, "They called; it is entered by hand.")
    (row,) = world.messages(case, Direction.IN)
    assert (row.state, row.detail) == (MessageState.REJECTED, "They called; it is entered by hand.")
    assert not messages.release(shown, "again")
    assert world.broken() == []


def reviews(world: World, case: UUID) -> list[Task]:
    with world.parts.sessions.begin(make.LARKMOOR) as session:
        return list(session.scalars(select(Task).where(Task.case_id == case, Task.kind == "review")))
