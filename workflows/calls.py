"""The only place where activities are called: time-outs and retries by kind."""

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.contracts.calls import DIVERGED, REFUSED, UNREADABLE, Activity, Kind

A = TypeVar("A")
R = TypeVar("R")

STORE_TIMEOUT = timedelta(seconds=10)
# What a transaction raises because of what it was given: trying again would hold the case for ever.
UNFIT = (
    "ValueError",
    "TypeError",
    "KeyError",
    "IndexError",
    "AttributeError",
    "AssertionError",
    "NoResultFound",
    "MultipleResultsFound",
    "DataError",
)
STORE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=5), non_retryable_error_types=UNFIT
)
PARTNER_TIMEOUT = timedelta(seconds=30)
PARTNER_HEARTBEAT = timedelta(seconds=6)
PARTNER_PATIENCE = timedelta(minutes=30)
PARTNER_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=2))
JOB_TIMEOUT = timedelta(minutes=30)
JOB_HEARTBEAT = timedelta(seconds=20)


# A store step, run locally, raises what the activity raised; the engine wraps it for the others.
FAILED = (ActivityError, ApplicationError)


def kind_of(failed: ActivityError | ApplicationError) -> str:
    """The type of what an activity raised."""
    cause = failed.cause if isinstance(failed, ActivityError) else failed
    return (cause.type or "") if isinstance(cause, ApplicationError) else type(cause).__name__


def words_of(failed: ActivityError | ApplicationError) -> str:
    """Why an activity failed, for a person: its own words where it has chosen them, else no quotation of a record."""
    cause = failed.cause if isinstance(failed, ActivityError) else failed
    if isinstance(cause, ApplicationError) and cause.type in (REFUSED, DIVERGED, UNREADABLE):
        return cause.message
    return f"The record could not take it ({kind_of(failed)})."


async def call(activity: Activity[A, R], arg: A) -> R:
    """Runs one activity: a store step locally and for ever, a partner's call until patience runs out."""
    result: R
    match activity.kind:
        case Kind.STORE:
            result = await workflow.execute_local_activity(
                activity.name,
                arg,
                result_type=activity.gives,
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
            )
        case Kind.PARTNER:
            result = await workflow.execute_activity(
                activity.name,
                arg,
                result_type=activity.gives,
                task_queue=activity.queue,
                start_to_close_timeout=PARTNER_TIMEOUT,
                schedule_to_close_timeout=PARTNER_PATIENCE,
                heartbeat_timeout=PARTNER_HEARTBEAT,
                retry_policy=PARTNER_RETRY,
            )
        case Kind.JOB:
            result = await workflow.execute_activity(
                activity.name,
                arg,
                result_type=activity.gives,
                task_queue=activity.queue,
                start_to_close_timeout=JOB_TIMEOUT,
                heartbeat_timeout=JOB_HEARTBEAT,
            )
    return result
