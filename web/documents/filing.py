"""Where a filed document leads: a consult note is the report its referral has been waiting for."""

from uuid import UUID

from sqlalchemy.orm import Session

from activities.records.decision import Decision
from activities.records.document_reference import DocumentReference, DocumentType
from activities.records.process import Process
from activities.records.queries.case import find
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from activities.records.values import load
from rules.access import Permission
from rules.referral.steps import legal
from rules.referral.vocabulary import By, Direction, Facts, Progress, Step
from web.access import Person, current
from web.decisions import Desk
from web.documents.present import Notice
from web.documents.words import filed_notice
from web.referrals.next_action import by_of
from web.settings import parts
from workflows.contracts import referral


class Reports:
    """Tells a referral of its consult note, once for each document."""

    def __init__(self, desk: Desk, ring: KeyRing) -> None:
        self._desk, self._ring = desk, ring

    def tell(self, document_id: UUID, case_id: UUID, kind: DocumentType) -> None:
        """Takes the step a consult note means on its case, under the document's own id: twice is once.

        Where the case takes no report now, the document stays filed and nothing else happens.
        """
        person = current()
        if kind is not DocumentType.CONSULT_NOTE or not person.may(Permission.REFERRAL_ACT):
            return
        step = self._step(person, case_id)
        if step:
            facts = Facts(document=str(document_id))
            self._desk.decide(person.context, document_id, case_id, step, facts, by_of(person))

    def _step(self, person: Person, case_id: UUID) -> Step | None:
        with parts().sessions.begin(person.context) as session:
            case = find(session, case_id)
        return step_for(self._progress(case.process), by_of(person)) if case else None

    def _progress(self, process: Process) -> Progress:
        place = f"process:{process.workflow_id}"
        return load(referral.State, self._ring.open(process.state, place)).progress


def step_for(progress: Progress, by: By) -> Step | None:
    """The step a received consult note means; None where it means none, as on a referral that came to us."""
    if progress.direction is not Direction.OUT:
        return None
    return next((one for one in (Step.REPORT, Step.LATE_NOTE) if one in legal(progress, by)), None)


def notice_of(session: Session, document_id: UUID) -> Notice | None:
    """What the filing of a document led to; None when there is no such document here."""
    row = session.get(DocumentReference, document_id)
    if row is None:
        return None
    request = session.get(ServiceRequest, row.case_id) if row.case_id else None
    return filed_notice(row, request, session.get(Decision, document_id))
