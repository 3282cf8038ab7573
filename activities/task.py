"""The store's side of a task that no other workflow owns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.acting import context
from activities.deadline import Deadlines
from activities.records.account import Account
from activities.records.audit_event import Action, Auditor
from activities.records.case_event import record_event, result_of
from activities.records.process import Process, save
from activities.records.ring import KeyRing
from activities.records.sessions import Context, Sessions
from activities.records.settling import settle
from activities.records.task import Assigned, Task, TaskStatus, climb
from activities.records.values import dump, load, plain
from activities.tables.shipped import Table
from rules.referral.waits import Since
from rules.task import Holder, rung_at, rungs
from workflows.contracts import task as contract
from workflows.contracts.calls import DIVERGED


@dataclass(frozen=True)
class Told:
    """One line of a task's own timeline; `result` holds the State it led to, for whoever asks again."""

    key: str
    step: str
    at: datetime
    facts: dict[str, object]
    result: dict[str, object]


class TaskActivities:
    """Each is one transaction that happens once."""

    def __init__(
        self,
        sessions: Sessions,
        ring: KeyRing,
        auditor: Auditor,
        deadlines: Deadlines,
        clock: Callable[[], datetime],
    ) -> None:
        self._sessions, self._ring, self._auditor = sessions, ring, auditor
        self._deadlines, self._clock = deadlines, clock

    @activity.defn(name=contract.TAKE.name)
    def take(self, state: contract.State) -> contract.Recorded:
        """Makes the row this workflow's own, whatever workflow opened it; asked again, gives the State it has now."""
        acting = context()
        with self._sessions.begin(acting) as session:
            process = session.get(Process, contract.workflow_id(acting.tenant, state.task_id), with_for_update=True)
            if process and process.version:
                return contract.Recorded(self._state_of(process))
            row = _row(session, state)
            if row.workflow_id != contract.workflow_id(acting.tenant, state.task_id):
                row.workflow_id = contract.workflow_id(acting.tenant, state.task_id)
                row.kind = contract.TaskKind.ORPHAN
            done = row.status != TaskStatus.OPEN
            taken = replace(state, version=1, rung=row.rung, due_at=None if done else row.due_at, done=done)
            told = Told("taken", "taken", max(row.opened_at, self._clock()), {}, {})
            return self._record(session, acting, row, taken, told)

    @activity.defn(name=contract.CLIMB.name)
    def climb(self, climbing: contract.Climbing) -> contract.Recorded:
        """Hands the overdue task up one rung; its due time stays, the next instant comes from the table."""
        acting, before = context(), climbing.state
        key = f"overdue:{before.version}"
        with self._sessions.begin(acting) as session:
            if known := self._known(session, before, key):
                return known
            row = _row(session, before)
            if row.status != TaskStatus.OPEN:
                return self._closed(session, acting, row, before, key, climbing.at)
            rung = before.rung + 1
            assigned = climb(session, acting.tenant, row.id, rung, climbing.at) or Assigned(Holder(row.pool, row.owner))
            facts = {"since": Since.RUNG, "kind": row.kind, "priority": row.priority}
            due = self._deadlines.span(
                session, acting.tenant, row.site, Table.TASK_CLOCK, facts, climbing.at, climbing.at, person=True
            )
            top = rung >= len(rungs(row.ladder)) - 1
            after = replace(before, version=before.version + 1, rung=rung, due_at=None if top else due.at)
            result: dict[str, object] = {
                "rung": rung_at(row.ladder, rung),
                "escalated_from": assigned.escalated_from,
                "escalated_to": assigned.words,
                "due": {"table": due.table, "version": due.version, "hash": due.hash},
            }
            return self._record(session, acting, row, after, Told(key, "overdue", climbing.at, {}, result))

    @activity.defn(name=contract.FINISH.name)
    def finish(self, completing: contract.Completing) -> contract.Recorded:
        """Closes the row with its outcome; one that somebody else has closed says who."""
        acting, before, said = context(), completing.state, completing.completion
        with self._sessions.begin(acting) as session:
            if known := self._known(session, before, said.id):
                return known
            row = _row(session, before)
            if row.status != TaskStatus.OPEN:
                closed = self._closed(session, acting, row, before, f"closed:{before.version}", completing.at)
                return replace(closed, refusal=_done_by(session, row))
            if row.outcomes and said.outcome not in row.outcomes:
                return contract.Recorded(before, f"Choose what came of it: {', '.join(row.outcomes)}.")
            if not settle(session, said.id):
                return contract.Recorded(before, "This was refused before, so it changes nothing now.")
            row.status, row.outcome = TaskStatus.DONE, said.outcome
            row.done_at, row.done_by, row.done_key = completing.at, acting.actor, said.id
            after = replace(before, version=before.version + 1, due_at=None, done=True)
            told = Told(said.id, contract.COMPLETION, completing.at, plain(said), {})
            return self._record(session, acting, row, after, told)

    def _closed(
        self, session: Session, acting: Context, row: Task, before: contract.State, key: str, at: datetime
    ) -> contract.Recorded:
        """The row was closed by somebody else: the workflow has nothing left to do."""
        if before.done:
            return contract.Recorded(before)
        after = replace(before, version=before.version + 1, due_at=None, done=True)
        return self._record(session, acting, row, after, Told(key, "closed", at, {}, {}))

    def _known(self, session: Session, before: contract.State, key: str) -> contract.Recorded | None:
        """What this step gave before; a process that is ahead through another step is told so."""
        told = result_of(session, UUID(before.task_id), key)
        process = session.get_one(Process, contract.workflow_id(context().tenant, before.task_id), with_for_update=True)
        if told is None and process.version != before.version:
            raise ApplicationError("The record is ahead of the process.", type=DIVERGED, non_retryable=True)
        return contract.Recorded(self._state_of(process)) if told is not None else None

    def _record(
        self, session: Session, acting: Context, row: Task, state: contract.State, told: Told
    ) -> contract.Recorded:
        session.flush()
        save(session, process_of(self._ring, acting, row, state))
        event = {
            "tenant": acting.tenant,
            "case_id": row.id,
            "step_key": told.key,
            "step": told.step,
            "stage": row.status,
            "at": told.at,
            "actor": acting.actor,
            "facts": told.facts,
            "result": told.result,
        }
        record_event(session, event)
        self._auditor.write(session, acting, Action.UPDATE, "Task", str(row.id), row.patient_id, {"step": told.step})
        return contract.Recorded(state)

    def _state_of(self, process: Process) -> contract.State:
        return load(contract.State, self._ring.open(process.state, f"process:{process.workflow_id}"))


def process_of(ring: KeyRing, acting: Context, row: Task, state: contract.State) -> Process:
    """The task as a process of its own: its case is the task itself."""
    return Process(
        workflow_id=row.workflow_id,
        tenant=acting.tenant,
        kind=contract.PROCESS,
        case_id=row.id,
        stage=row.status,
        state=ring.seal(acting.tenant, dump(state), f"process:{row.workflow_id}"),
        version=state.version,
        next_action="" if state.done else row.action,
        next_owner="" if state.done else str(row.owner or row.pool),
        next_due=None if state.done else state.due_at or row.due_at,
        opened_at=row.opened_at,
        closed_at=row.done_at if state.done else None,
    )


def _row(session: Session, state: contract.State) -> Task:
    row = session.get(Task, UUID(state.task_id), with_for_update=True)
    if row is None:
        raise ApplicationError("There is no such task.", type=DIVERGED, non_retryable=True)
    return row


def _done_by(session: Session, row: Task) -> str:
    try:
        who = session.get(Account, UUID(row.done_by))
    except ValueError:
        who = None
    return f"Done by {who.name}." if who else "This has been done meanwhile."
