"""The State of a referral as the store has it, for a process that is behind it or was lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio import activity

from activities.acting import context
from activities.case_review import CaseReview
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.process import Process
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from activities.records.sessions import Sessions
from activities.records.values import load
from workflows.contracts import referral as contract

LOOK = "Check this referral"
TO_SEND = (MessageState.READY, MessageState.SENDING)


class ReferralReload:
    """Reads only, but for the review task that asks a person to look."""

    def __init__(self, sessions: Sessions, ring: KeyRing, review: CaseReview, clock: Callable[[], datetime]) -> None:
        self._sessions, self._ring, self._review, self._clock = sessions, ring, review, clock

    @activity.defn(name=contract.RELOAD.name)
    def reload(self, asked: contract.Reload) -> contract.Opened:
        """The State at the record's own version, with every message of the case that is still to be sent."""
        acting, case = context(), UUID(asked.referral_id)
        workflow_id = contract.workflow_id(acting.tenant, asked.referral_id)
        with self._sessions.begin(acting) as session:
            process = session.get_one(Process, workflow_id)
            state = load(contract.State, self._ring.open(process.state, f"process:{workflow_id}"))
            version = session.scalars(select(ServiceRequest.version).where(ServiceRequest.id == case)).one()
            if asked.why:
                self._review(session, acting, case, f"reload:{version}", LOOK, asked.why, self._clock())
            sends = dict.fromkeys((*state.sends, *_unsent(session, case)))
            return contract.Opened(replace(state, version=version, sends=tuple(sends)))


def _unsent(session: Session, case: UUID) -> list[str]:
    rows = session.scalars(
        select(MessageLog.id)
        .where(MessageLog.case_id == case, MessageLog.direction == Direction.OUT, MessageLog.state.in_(TO_SEND))
        .order_by(MessageLog.seq)
    )
    return [str(one) for one in rows]
