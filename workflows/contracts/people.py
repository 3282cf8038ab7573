"""Who acts: travels in a header of every message to the engine, never as an argument."""

ACTOR_HEADER = "careloop-actor"
SYSTEM = "system"


def tenant_of(workflow_id: str) -> str:
    """The tenant of a workflow: every id begins with it."""
    return workflow_id.partition(":")[0]
