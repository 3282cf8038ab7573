"""What every workflow with a deadline does: wait for news, or for the instant at which somebody must know."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow


async def changed_or_due(changed: Callable[[], bool], due_at: datetime | None) -> bool:
    """True as soon as `changed` holds; False when `due_at` has passed before. Without an instant it only waits."""
    left = None if due_at is None else max(due_at - workflow.now(), timedelta(0))
    try:
        await workflow.wait_condition(changed, timeout=left, timeout_summary="next action due")
    except TimeoutError:
        return False
    return True
