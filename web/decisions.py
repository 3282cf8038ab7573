"""A person's decision: a committed row first, then handed to its workflow, then settled by the engine's answer."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from temporalio.client import Client

from activities.records.decision import Decision, Outcome
from activities.records.process import Process
from activities.records.ring import KeyRing, Unreadable
from activities.records.service_request import ReferralContent
from activities.records.sessions import Context, Sessions
from activities.records.values import dump, load
from rules.referral.steps import refuses
from rules.referral.table import STEPS
from rules.referral.vocabulary import By, Facts, Step
from web.client import Engine
from web.handover import Answer, Fate, decide_from_state, decide_referral, open_referral
from workflows.contracts import referral
from workflows.contracts.calls import INTERACTIVE

SECONDS = 5.0
KEY_GONE = "The clinic's key that seals this is not in the key ring. Restore the ring, then retry."
OUTCOMES = {Fate.APPLIED: Outcome.APPLIED, Fate.REFUSED: Outcome.REFUSED, Fate.FAILED: Outcome.PARKED}


@dataclass(frozen=True)
class Settled:
    """What became of a decision; `outcome` is None while the engine has not answered."""

    outcome: Outcome | None
    words: str = ""


def now() -> datetime:
    return datetime.now(UTC)


class AskPerson(Protocol):
    """Opens a review task in the caller's transaction; the same `key` of a case opens one."""

    def __call__(
        self, session: Session, context: Context, case_id: UUID, key: str, action: str, why: str, at: datetime
    ) -> None: ...


class Desk:
    """Takes decisions on referrals. The id is the form's one-time token: twice the same is once.

    One that is applied is settled by the very transaction of its step. One that could not be applied is parked, and
    `ask_person` opens a task for it.
    """

    def __init__(
        self,
        sessions: Sessions,
        ring: KeyRing,
        engine: Engine,
        ask_person: AskPerson,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._ring, self._engine = sessions, ring, engine
        self._ask_person, self._clock = ask_person, clock

    def open(
        self, context: Context, token: UUID, content: ReferralContent, by: By, queue: str = INTERACTIVE
    ) -> Settled:
        """Opens a referral whose id is the token."""
        row = self._commit(context, token, token, Step.OPENING, dump(content), by)
        return self._hand_over(context, row, queue)

    def decide(self, context: Context, token: UUID, case: UUID, step: Step, facts: Facts, by: By) -> Settled:
        """Takes a step of an open referral."""
        row = self._commit(context, token, case, step, dump(facts), by)
        return self._hand_over(context, row, INTERACTIVE)

    def hand_over(self, context: Context, token: UUID, queue: str = INTERACTIVE) -> Settled:
        """Gives a committed decision to the engine and settles it by the answer; safe to repeat, also at once."""
        with self._sessions.begin(context) as session:
            row = session.get_one(Decision, token)
        if row.outcome:
            return Settled(Outcome(row.outcome), row.answer)
        return self._settle(context, row, self._answer(context, row, queue))

    def _hand_over(self, context: Context, row: Decision, queue: str) -> Settled:
        """For the first time: what is applied now has been settled with its step."""
        if row.outcome:
            return Settled(Outcome(row.outcome), row.answer)
        answer = self._answer(context, row, queue)
        if answer.fate is Fate.APPLIED:
            return Settled(Outcome.APPLIED)
        return self._settle(context, row, answer)

    def _commit(self, context: Context, token: UUID, case: UUID, step: Step, arguments: bytes, by: By) -> Decision:
        """The row of this token, which the first of two equal forms has made."""
        with self._sessions.begin(context) as session:
            made = session.scalar(
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
                    made_at=self._clock(),
                )
                .on_conflict_do_nothing(index_elements=[Decision.id])
                .returning(Decision)
            )
            return made or session.get_one(Decision, token)

    def _answer(self, context: Context, row: Decision, queue: str) -> Answer:
        try:
            if row.name == Step.OPENING:
                return self._ask(lambda client: open_referral(client, row.workflow_id, str(row.id), row.actor, queue))
            decision = self._decision(row)
            answer = self._ask(lambda client: decide_referral(client, row.workflow_id, decision, row.actor))
            return self._revive(context, row, decision, queue) if answer.fate is Fate.LOST else answer
        except Unreadable:
            return Answer(Fate.FAILED, KEY_GONE)

    def _decision(self, row: Decision) -> referral.Decision:
        facts = load(Facts, self._ring.open(row.arguments, f"decision:{row.id}"))
        return referral.Decision(str(row.id), Step(row.name), facts, By(row.by))

    def _ask(self, work: Callable[[Client], Coroutine[Any, Any, Answer]]) -> Answer:
        try:
            return self._engine.run(work, SECONDS)
        except (TimeoutError, RuntimeError):
            return Answer(Fate.PENDING)

    def _revive(self, context: Context, row: Decision, decision: referral.Decision, queue: str) -> Answer:
        """The engine runs no such referral: it has ended, or it was lost and is started again from its State."""
        with self._sessions.begin(context) as session:
            process = session.scalar(select(Process).where(Process.workflow_id == row.workflow_id))
        if process is None:
            return Answer(Fate.PENDING)
        state = load(referral.State, self._ring.open(process.state, f"process:{process.workflow_id}"))
        refusal = refuses(state.progress, decision.step, decision.facts, decision.by) if process.closed_at else None
        if refusal and decision.id not in state.remembered:
            return Answer(Fate.REFUSED, refusal.words)
        return self._ask(lambda client: decide_from_state(client, row.workflow_id, state, decision, row.actor, queue))

    def _settle(self, context: Context, row: Decision, answer: Answer) -> Settled:
        """What the row says in the end: another hand-over may have settled it meanwhile."""
        outcome = OUTCOMES.get(answer.fate)
        values: dict[str, object] = {"attempts": Decision.attempts + 1}
        if outcome:
            values |= {"outcome": outcome, "answer": answer.words, "settled_at": self._clock()}
        unsettled = update(Decision).where(Decision.id == row.id, Decision.outcome.is_(None))
        with self._sessions.begin(context) as session:
            mine = session.scalar(unsettled.values(values).returning(Decision.id)) is not None
            if mine and outcome is Outcome.PARKED:
                action = f"Not applied: {STEPS[Step(row.name)].label.rstrip('…')}. Look at the case and do it again"
                self._ask_person(
                    session, context, row.case_id, f"decision:{row.id}", action, answer.words, self._clock()
                )
            stands = session.execute(select(Decision.outcome, Decision.answer).where(Decision.id == row.id)).one()
        return Settled(Outcome(stands.outcome) if stands.outcome else None, stands.answer or answer.words)
