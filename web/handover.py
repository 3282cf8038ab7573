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
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflows.contracts import referral, task
from workflows.contracts.calls import DIVERGED, NOT_OPENED, REFUSED, UNREADABLE
from workflows.contracts.people import SYSTEM, speaker

PATIENCE = timedelta(seconds=4)
TASK_TIMEOUT = timedelta(seconds=3)
TOO_EARLY = "The process cannot take it yet."
OURS = (REFUSED, DIVERGED, UNREADABLE, NOT_OPENED)
# What the server says of an update whose workflow ended before it was handled (it was terminated, or failed).
ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
GONE = (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS)


class Fate(StrEnum):
    """PENDING: the engine has not answered, it will be handed over again. LOST: it runs no such workflow."""

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
    start = referral.Start(referral.State(referral_id), decision_id)
    started = _start(referral.WORKFLOW, workflow_id, start, queue)
    return await _with_start(client, started, referral.OPENED, None, f"{decision_id}:opened", actor)


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


async def decide_from_state(
    client: Client, workflow_id: str, state: referral.State, decision: referral.Decision, actor: str, queue: str
) -> Answer:
    """The same where the engine runs no such referral: it is started again from its State, in one request."""
    started = _start(referral.WORKFLOW, workflow_id, referral.Start(state), queue)
    return await _with_start(client, started, referral.DECIDE, decision, decision.id, actor)


async def complete_task(
    client: Client, workflow_id: str, state: task.State, completion: task.Completion, actor: str, queue: str
) -> Answer:
    """Completes a task under the completion's own id, starting its workflow where it does not run."""
    started = _start(task.WORKFLOW, workflow_id, task.Start(state), queue)
    return await _with_start(client, started, task.COMPLETE, completion, completion.id, actor)


async def start_again(client: Client, workflow: str, workflow_id: str, start: object, queue: str) -> None:
    """Starts a process from its State; one that runs is left alone. Raises RPCError."""
    speaker.set(SYSTEM)
    await client.start_workflow(
        workflow,
        start,
        id=workflow_id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        task_timeout=TASK_TIMEOUT,
        rpc_timeout=PATIENCE,
    )


def _start(workflow: str, workflow_id: str, start: object, queue: str) -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        workflow,
        start,
        id=workflow_id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        task_timeout=TASK_TIMEOUT,
    )


async def _with_start(
    client: Client,
    started: WithStartWorkflowOperation[Any, Any],
    update: str,
    argument: object | None,
    update_id: str,
    actor: str,
) -> Answer:
    speaker.set(actor)
    arguments = () if argument is None else (argument,)
    try:
        await client.execute_update_with_start_workflow(
            update, args=arguments, id=update_id, start_workflow_operation=started, rpc_timeout=PATIENCE
        )
    except WorkflowUpdateFailedError as failed:
        return _failed(failed.cause)
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError) as error:
        return _unanswered(error)
    return Answer(Fate.APPLIED)


def _failed(cause: BaseException | None) -> Answer:
    """Words of ours are for a person; anything else may quote a record and is named by its kind only."""
    if isinstance(cause, ActivityError):
        cause = cause.cause
    if not isinstance(cause, ApplicationError):
        return Answer(Fate.FAILED, "The process could not apply it.")
    if cause.type == ENDED_MEANWHILE:
        return Answer(Fate.LOST)
    if cause.type in OURS:
        return Answer(Fate.REFUSED if cause.type == REFUSED else Fate.FAILED, cause.message)
    return Answer(Fate.FAILED, f"The record could not take it ({cause.type}).")


def _unanswered(error: WorkflowUpdateRPCTimeoutOrCancelledError | RPCError) -> Answer:
    """A finished or unknown workflow is lost to this decision; everything else may still be answered."""
    gone = isinstance(error, RPCError) and error.status in GONE
    return Answer(Fate.LOST if gone else Fate.PENDING, TOO_EARLY)
