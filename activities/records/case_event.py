"""What happened in a case: its timeline, and what makes each step happen once."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Tenanted, new_id
from rules.referral.vocabulary import Consent


class CaseEvent(Tenanted, Base):
    """`step_key` is unique in its case; `at` is when it truly happened, `recorded_at` when we learned of it."""

    __tablename__ = "case_event"
    case_id: Mapped[UUID]
    step_key: Mapped[str]
    step: Mapped[str]
    stage: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    facts: Mapped[dict[str, object]]
    result: Mapped[dict[str, object]]
    message_id: Mapped[UUID | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


RECORD = insert(CaseEvent.__table__)


def record_event(session: Session, event: Mapping[str, object]) -> None:
    """Writes an event, given by its columns, at once."""
    session.execute(RECORD, {"id": new_id(), **event})


def result_of(session: Session, case_id: UUID, step_key: str) -> dict[str, object] | None:
    """What a step that was recorded before gave; None when it is new."""
    return session.scalar(select(CaseEvent.result).where(CaseEvent.case_id == case_id, CaseEvent.step_key == step_key))


def consent_of(session: Session, case_id: UUID) -> Consent | None:
    """What was last said in a case of the patient's written consent; None when nobody was asked."""
    query = select(CaseEvent.facts).where(CaseEvent.case_id == case_id).order_by(CaseEvent.recorded_at.desc())
    said = next((facts["consent"] for facts in session.scalars(query) if facts.get("consent")), None)
    return Consent(str(said)) if said else None
