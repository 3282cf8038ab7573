"""Handing a committed decision to its workflow, and what the engine's answer means."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflows.contracts import referral
from workflows.contracts.calls import REFUSED
from workflows.contracts.people import speaker

PATIENCE = timedelta(seconds=4)
TASK_TIMEOUT = timedelta(seconds=3)
TOO_EARLY = "The process cannot take it yet."


class Fate(StrEnum):
    """PENDING: the engine has not answered, it will be handed over again. LOST: it knows no such workflow."""

    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    PENDING = "pending"
    LOST = "lost"


@dataclass(frozen=True)
class Answer:
    fate: Fate
    words: str = ""


async def open_referral(client: Client, workflow_id: str, decision_id: str, actor: str, queue: str) -> Answer:
    """Starts a referral and waits for its first record; started before, only waits."""
    referral_id = workflow_id.rpartition(":")[2]
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        referral.WORKFLOW,
        referral.Start(referral.State(referral_id), decision_id),
        id=workflow_id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        task_timeout=TASK_TIMEOUT,
    )
    speaker.set(actor)
    try:
        await client.execute_update_with_start_workflow(
            referral.OPENED, id=f"{decision_id}:opened", start_workflow_operation=start, rpc_timeout=PATIENCE
        )
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError) as error:
        return _unanswered(error)
    return Answer(Fate.APPLIED)


async def decide_referral(client: Client, workflow_id: str, decision: referral.Decision, actor: str) -> Answer:
    """Applies a decision under its own id: the same one twice is applied once."""
    speaker.set(actor)
    handle = client.get_workflow_handle(workflow_id)
    try:
        await handle.execute_update(referral.DECIDE, decision, id=decision.id, rpc_timeout=PATIENCE)
    except WorkflowUpdateFailedError as failed:
        return _failed(failed.cause)
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError) as error:
        return _unanswered(error)
    return Answer(Fate.APPLIED)


async def restart_referral(client: Client, workflow_id: str, state: referral.State, queue: str) -> None:
    """Starts a referral again from its State; one that runs is left alone."""
    speaker.set("system")
    await client.start_workflow(
        referral.WORKFLOW,
        referral.Start(state),
        id=workflow_id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=TASK_TIMEOUT,
        rpc_timeout=PATIENCE,
    )


def _failed(cause: BaseException | None) -> Answer:
    if isinstance(cause, ApplicationError):
        return Answer(Fate.REFUSED if cause.type == REFUSED else Fate.FAILED, cause.message)
    return Answer(Fate.FAILED, "The process could not apply it.")


def _unanswered(error: WorkflowUpdateRPCTimeoutOrCancelledError | RPCError) -> Answer:
    """A finished or unknown workflow is lost to this decision; everything else may still be answered."""
    gone = isinstance(error, RPCError) and error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS)
    return Answer(Fate.LOST if gone else Fate.PENDING, TOO_EARLY)
