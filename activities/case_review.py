"""Asks a person to look at a case: a review task with what the queue shows of the case."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from activities.records.service_request import ServiceRequest
from activities.records.sessions import Context
from activities.reviews import Review, Reviews
from rules.referral.vocabulary import Direction, Priority
from rules.referral.waits import COORDINATORS, INTAKE


class CaseReview:
    """Called in the transaction of what somebody must look at; the same `key` of a case opens one task."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    def __call__(
        self, session: Session, context: Context, case_id: UUID, key: str, action: str, why: str, at: datetime
    ) -> None:
        """`action` says what to do and `why` the cause, in plain words; also for a case that was never opened."""
        request = session.get(ServiceRequest, case_id)
        review = Review(case_id, key, action, why, COORDINATORS, Priority.ROUTINE)
        if request is not None:
            review = Review(
                case_id,
                key,
                action,
                why,
                INTAKE if request.direction == Direction.IN else COORDINATORS,
                request.priority,
                number=request.number,
                subject=request.service,
                stage=request.stage,
                site=request.site,
                patient_id=request.patient_id,
            )
        self._reviews.open_review(session, context, review, at)
