"""Opens a task that nobody's workflow needs: something a person must look at.

The row and its process are inserted in the transaction of what caused them, so neither exists without the other.
The process has version 0 until a workflow takes it up: the sweeper starts one for it within seconds, and a person who
completes it sooner starts it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from activities.deadline import Deadlines
from activities.records.people import holder
from activities.records.process import save
from activities.records.ring import KeyRing
from activities.records.sessions import Context
from activities.records.task import Task
from activities.tables.shipped import Table
from activities.task import process_of
from rules.referral.waits import Since
from rules.task import Holder
from workflows.contracts import task as contract

RANK = {"stat": 0, "urgent": 1, "routine": 2}
REVIEWED = "reviewed"


@dataclass(frozen=True)
class Review:
    """What is to be looked at. `key` is the event that asks for it: the same one opens one task.

    `preferred` is whose it is, where it is somebody's; `outcomes` are what it may be completed with.
    """

    case_id: UUID
    key: str
    action: str
    why: str
    pool: str
    priority: str
    number: str = ""
    subject: str = ""
    stage: str = ""
    site: str = ""
    patient_id: UUID | None = None
    preferred: UUID | None = None
    outcomes: tuple[str, ...] = (REVIEWED,)


class Reviews:
    """Writes in the caller's transaction."""

    def __init__(self, ring: KeyRing, deadlines: Deadlines, clock: Callable[[], datetime]) -> None:
        self._ring, self._deadlines, self._clock = ring, deadlines, clock

    def open_review(self, session: Session, context: Context, review: Review, at: datetime) -> UUID:
        """The task of a review, made on the first call; its clock runs from `at`."""
        identity = uuid5(review.case_id, review.key)
        if session.get(Task, identity):
            return identity
        facts = {"since": Since.STAGE, "kind": contract.TaskKind.REVIEW, "priority": review.priority}
        due = self._deadlines.span(session, context.tenant, review.site, Table.TASK_CLOCK, facts, at, at, person=True)
        now = max(at, self._clock())
        meant = Holder(review.pool, review.preferred)
        goes_to = holder(session, context.tenant, meant, now, review.site)
        row = Task(
            id=identity,
            tenant=context.tenant,
            workflow_id=contract.workflow_id(context.tenant, str(identity)),
            case_id=review.case_id,
            patient_id=review.patient_id,
            kind=contract.TaskKind.REVIEW,
            number=review.number,
            action=review.action,
            why=review.why,
            subject=review.subject,
            stage=review.stage,
            outcomes=list(review.outcomes),
            priority=review.priority,
            rank=RANK[review.priority],
            pool=goes_to.pool,
            site=review.site,
            owner=goes_to.owner,
            due_at=due.at,
            opened_at=at,
            opened_key=review.key,
            table_name=due.table,
            table_version=due.version,
            table_hash=due.hash,
        )
        session.add(row)
        session.flush()
        save(session, process_of(self._ring, context, row, contract.State(str(identity), due_at=due.at)))
        return identity
