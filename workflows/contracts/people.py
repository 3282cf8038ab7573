"""Who acts: travels in a header of every message to the engine, never as an argument."""

from contextvars import ContextVar

ACTOR_HEADER = "careloop-actor"
SYSTEM = "system"


def tenant_of(workflow_id: str) -> str:
    """The tenant of a workflow: every id begins with it."""
    return workflow_id.partition(":")[0]


# Who speaks to the engine in this task; the interceptor puts it into the header.
speaker: ContextVar[str] = ContextVar("speaker", default=SYSTEM)
