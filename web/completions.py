"""Completing a task that no other workflow owns: a committed row first, then handed over, then settled."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from temporalio.client import Client

from activities.records.decision import Decision, Outcome
from activities.records.process import Process
from activities.records.ring import KeyRing
from activities.records.sessions import Context, Sessions
from activities.records.task import Task, TaskStatus
from activities.records.values import dump, load
from rules.referral.vocabulary import By
from web.client import Engine
from web.handover import Answer, Fate, complete_task
from workflows.contracts import task as contract
from workflows.contracts.calls import INTERACTIVE

SECONDS = 5.0
OUTCOMES = {Fate.APPLIED: Outcome.APPLIED, Fate.REFUSED: Outcome.REFUSED, Fate.FAILED: Outcome.PARKED}


@dataclass(frozen=True)
class Completed:
    """What became of it: no `outcome` while the engine has not answered; `done_by` and `done_at` say who was first."""

    outcome: Outcome | None
    words: str = ""
    done_by: str = ""
    done_at: datetime | None = None


class Completions:
    """The id is the form's one-time token: twice the same is once."""

    def __init__(self, sessions: Sessions, ring: KeyRing, engine: Engine) -> None:
        self._sessions, self._ring, self._engine = sessions, ring, engine

    def complete(self, context: Context, token: UUID, task_id: UUID, outcome: str, note: str = "") -> Completed:
        """Records what came of a task; one that is closed already says by whom and when."""
        with self._sessions.begin(context) as session:
            row = session.get(Task, task_id)
            if row is None:
                return Completed(Outcome.REFUSED, "There is no such task.")
            if row.status != TaskStatus.OPEN and row.done_key != str(token):
                return Completed(Outcome.REFUSED, "This has been done meanwhile.", row.done_by, row.done_at)
            said = contract.Completion(str(token), outcome, note)
            session.execute(
                insert(Decision)
                .values(
                    id=token,
                    tenant=context.tenant,
                    workflow_id=contract.workflow_id(context.tenant, str(task_id)),
                    case_id=task_id,
                    name=contract.COMPLETION,
                    arguments=self._ring.seal(context.tenant, dump(said), f"decision:{token}"),
                    actor=context.actor,
                    by=By.STAFF,
                    made_at=datetime.now(UTC),
                )
                .on_conflict_do_nothing(index_elements=[Decision.id])
            )
        return self.hand_over(context, token)

    def hand_over(self, context: Context, token: UUID, queue: str = INTERACTIVE) -> Completed:
        """Gives a committed completion to the engine and settles it by the answer; safe to repeat."""
        with self._sessions.begin(context) as session:
            row = session.get_one(Decision, token)
            process = session.scalar(select(Process).where(Process.workflow_id == row.workflow_id))
        if row.outcome:
            return Completed(Outcome(row.outcome), row.answer)
        answer = self._ask(row, self._state_of(process, row), queue)
        outcome = OUTCOMES.get(answer.fate)
        values: dict[str, object] = {"attempts": Decision.attempts + 1}
        if outcome:
            values |= {"outcome": outcome, "answer": answer.words, "settled_at": datetime.now(UTC)}
        with self._sessions.begin(context) as session:
            session.execute(update(Decision).where(Decision.id == token, Decision.outcome.is_(None)).values(values))
            settled = session.get_one(Decision, token)
        return Completed(Outcome(settled.outcome) if settled.outcome else None, settled.answer or answer.words)

    def _ask(self, row: Decision, state: contract.State, queue: str) -> Answer:
        said = load(contract.Completion, self._ring.open(row.arguments, f"decision:{row.id}"))

        async def work(client: Client) -> Answer:
            return await complete_task(client, row.workflow_id, state, said, row.actor, queue)

        try:
            return self._engine.run(work, SECONDS)
        except (TimeoutError, RuntimeError):
            return Answer(Fate.PENDING)

    def _state_of(self, process: Process | None, row: Decision) -> contract.State:
        """An orphan has no process of its own yet: its workflow makes one."""
        if process is None:
            return contract.State(str(row.case_id))
        return load(contract.State, self._ring.open(process.state, f"process:{process.workflow_id}"))
