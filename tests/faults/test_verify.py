"""`careloop verify` finds each promise that is broken behind the platform's back, and nothing else."""

from uuid import UUID

import pytest

from rules.referral.vocabulary import Stage, Step
from tests.faults.world import World
from workflows.contracts import referral

pytestmark = pytest.mark.xdist_group("faults")


def found(world: World) -> set[str]:
    return {one.check for one in world.broken()}


@pytest.fixture(scope="module")
def case(world: World) -> UUID:
    case = world.in_triage("Quillon")
    world.receive("Quillon", world.answer("Quillon", case))
    world.until(lambda: world.stage(case) == Stage.SCHEDULING)
    assert world.broken() == []
    return case


@pytest.mark.parametrize(
    ("broken", "mended", "checks"),
    [
        (
            "update process set next_action = '' where case_id = %s",
            "update process set next_action = 'Book' where case_id = %s",
            {"next-action"},
        ),
        (
            "update process set next_owner = '' where case_id = %s",
            "update process set next_owner = 'referral_coordinator' where case_id = %s",
            {"next-action"},
        ),
        (
            "update process set stage = 'seen' where case_id = %s",
            "update process set stage = 'scheduling' where case_id = %s",
            {"next-action", "engine"},
        ),
        (
            "update task set status = 'open' where done_key <> '' and case_id = %s",
            "update task set status = 'done' where done_key <> '' and case_id = %s",
            {"next-action"},
        ),
        (
            "update case_event set step_key = 'x' || step_key where step = 'sending' and case_id = %s",
            "update case_event set step_key = substr(step_key, 2) where step = 'sending' and case_id = %s",
            {"effects"},
        ),
        (
            "update decision set outcome = 'refused' where name = 'sending' and case_id = %s",
            "update decision set outcome = 'applied' where name = 'sending' and case_id = %s",
            {"effects"},
        ),
        (
            "update decision set outcome = null, made_at = made_at - interval '5 minutes' "
            "where name = 'sending' and case_id = %s",
            "update decision set outcome = 'applied' where name = 'sending' and case_id = %s",
            {"effects", "settled"},
        ),
        (
            "update message_log set settled_at = null, state = 'received', "
            "received_at = received_at - interval '5 minutes' where direction = 'in' and case_id = %s",
            "update message_log set settled_at = now(), state = 'filed' where direction = 'in' and case_id = %s",
            {"ledger", "settled"},
        ),
        (
            "update message_log set settled_at = null, state = 'waiting' where direction = 'in' and case_id = %s",
            "update message_log set settled_at = now(), state = 'filed' where direction = 'in' and case_id = %s",
            {"ledger"},
        ),
        (
            "update fulfilment_history set version = 7 where id in "
            "(select id from fulfilment where service_request_id = %s)",
            "update fulfilment_history set version = 1 where id in "
            "(select id from fulfilment where service_request_id = %s)",
            {"task-versions"},
        ),
        (
            "update audit_event set actor = 'x' || actor where entity_id = %s::text",
            "update audit_event set actor = substr(actor, 2) where entity_id = %s::text",
            {"audit"},
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "+".join(sorted(value)) or "none",
)
def test_what_was_broken_is_found_and_mended_is_found_whole(
    world: World, case: UUID, broken: str, mended: str, checks: set[str]
) -> None:
    world.sweeper.seal()
    world.as_admin(broken, case)
    try:
        assert found(world) == checks
    finally:
        world.as_admin(mended, case)
    assert found(world) == set()


def test_a_case_the_engine_has_lost_is_found_and_reconciled(world: World, case: UUID) -> None:
    world.lose(case)
    assert found(world) == {"engine"}
    assert world.sweeper.reconcile() >= 1
    assert found(world) == set()
    handle = referral.workflow_id("larkmoor", str(case))
    state = world.engine.run(
        lambda client: client.get_workflow_handle(handle).query("state", result_type=referral.State), 10
    )
    assert state.progress.stage == Stage.SCHEDULING


def test_a_process_that_runs_on_after_its_end_is_found(world: World) -> None:
    case = world.in_triage("Quillon")
    world.as_admin("update process set closed_at = now() - interval '1 day' where case_id = %s", case)
    try:
        assert "engine" in found(world)
    finally:
        world.as_admin("update process set closed_at = null where case_id = %s", case)
    assert world.events(case)[Step.DELIVERY] == 1
