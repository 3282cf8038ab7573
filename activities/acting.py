"""For whom the running activity works: its tenant from the workflow's id, its actor from the header."""

from contextvars import ContextVar

from temporalio import activity

from activities.records.sessions import Context
from workflows.contracts.people import SYSTEM, tenant_of

actor: ContextVar[str] = ContextVar("actor", default=SYSTEM)


def context() -> Context:
    """The context of the running activity."""
    return Context(tenant_of(activity.info().workflow_id or ""), actor.get())
