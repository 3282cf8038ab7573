"""A person's decision: a committed row first, then handed to its workflow, then settled by the engine's answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from temporalio.client import Client

from activities.records.decision import Decision, Outcome
from activities.records.process import Process
from activities.records.ring import KeyRing
from activities.records.service_request import ReferralContent
from activities.records.sessions import Context, Sessions
from activities.records.values import dump, load
from rules.referral.vocabulary import By, Facts, Step
from web.client import Engine
from web.handover import Answer, Fate, decide_referral, open_referral, restart_referral
from workflows.contracts import referral
from workflows.contracts.calls import INTERACTIVE

SECONDS = 5.0
CLOSED = "This referral has ended; nothing more can be decided on it."


@dataclass(frozen=True)
class Settled:
    """What became of a decision; `outcome` is None while the engine has not answered."""

    outcome: Outcome | None
    words: str = ""


class Desk:
    """Takes decisions on referrals. The id is the form's one-time token: twice the same is once."""

    def __init__(self, sessions: Sessions, ring: KeyRing, engine: Engine) -> None:
        self._sessions, self._ring, self._engine = sessions, ring, engine

    def open(
        self, context: Context, token: UUID, content: ReferralContent, by: By, queue: str = INTERACTIVE
    ) -> Settled:
        """Opens a referral whose id is the token."""
        self._commit(context, token, token, Step.OPENING, dump(content), by)
        return self.hand_over(context, token, queue)

    def decide(self, context: Context, token: UUID, case: UUID, step: Step, facts: Facts, by: By) -> Settled:
        """Takes a step of an open referral."""
        self._commit(context, token, case, step, dump(facts), by)
        return self.hand_over(context, token)

    def hand_over(self, context: Context, token: UUID, queue: str = INTERACTIVE) -> Settled:
        """Gives a committed decision to the engine and settles it by the answer; safe to repeat."""
        with self._sessions.begin(context) as session:
            row = session.get_one(Decision, token)
        if row.outcome:
            return Settled(Outcome(row.outcome), row.answer)
        answer = self._ask(row, queue)
        if answer.fate is Fate.LOST:
            answer = self._revive(context, row, queue)
        return self._settle(context, token, answer)

    def _commit(self, context: Context, token: UUID, case: UUID, step: Step, arguments: bytes, by: By) -> None:
        with self._sessions.begin(context) as session:
            session.execute(
                insert(Decision)
                .values(
                    id=token,
                    tenant=context.tenant,
                    workflow_id=referral.workflow_id(context.tenant, str(case)),
                    case_id=case,
                    name=step,
                    arguments=self._ring.seal(context.tenant, arguments, f"decision:{token}"),
                    actor=context.actor,
                    by=by,
                    made_at=datetime.now(UTC),
                )
                .on_conflict_do_nothing(index_elements=[Decision.id])
            )

    def _ask(self, row: Decision, queue: str) -> Answer:
        async def work(client: Client) -> Answer:
            if row.name == Step.OPENING:
                return await open_referral(client, row.workflow_id, str(row.id), row.actor, queue)
            facts = load(Facts, self._ring.open(row.arguments, f"decision:{row.id}"))
            decision = referral.Decision(str(row.id), Step(row.name), facts, By(row.by))
            return await decide_referral(client, row.workflow_id, decision, row.actor)

        try:
            return self._engine.run(work, SECONDS)
        except (TimeoutError, RuntimeError):
            return Answer(Fate.PENDING)

    def _revive(self, context: Context, row: Decision, queue: str) -> Answer:
        """A workflow the engine does not know: ended, or lost and started again from its State."""
        with self._sessions.begin(context) as session:
            process = session.scalar(select(Process).where(Process.workflow_id == row.workflow_id))
        if process is None:
            return Answer(Fate.PENDING)
        if row.name == Step.OPENING:
            return Answer(Fate.APPLIED)
        if process.closed_at:
            return Answer(Fate.REFUSED, CLOSED)
        self.restart(process, queue)
        return self._ask(row, queue)

    def restart(self, process: Process, queue: str = INTERACTIVE) -> None:
        """Starts a lost workflow from the State in its process row."""
        state = load(referral.State, self._ring.open(process.state, f"process:{process.workflow_id}"))
        self._engine.run(lambda client: restart_referral(client, process.workflow_id, state, queue), SECONDS)

    def _settle(self, context: Context, token: UUID, answer: Answer) -> Settled:
        outcome = OUTCOMES.get(answer.fate)
        with self._sessions.begin(context) as session:
            values: dict[str, object] = {"attempts": Decision.attempts + 1}
            if outcome:
                values |= {"outcome": outcome, "answer": answer.words, "settled_at": datetime.now(UTC)}
            session.execute(update(Decision).where(Decision.id == token, Decision.outcome.is_(None)).values(values))
        return Settled(outcome, answer.words)


OUTCOMES = {Fate.APPLIED: Outcome.APPLIED, Fate.REFUSED: Outcome.REFUSED, Fate.FAILED: Outcome.PARKED}
