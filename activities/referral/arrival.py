"""Referrals made to us, as bundles: a new case at once with its owner and deadline, or word of one we have."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid5

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from activities.case_review import CaseReview
from activities.formats.fhir.bundle import EntryAnswer, build_transaction_response, token
from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.referral_bundle import ReceivedReferral, read_referral
from activities.formats.fhir.referral_update import asks_anew, priority_of, read_word, reason_words, taken
from activities.formats.fhir.systems import ICD10
from activities.formats.fhir.task_step import TaskStatus
from activities.records.arrived import Arrived, raw_of
from activities.records.interface import Interface
from activities.records.message_log import MessageLog, MessageState
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.service_request import Asked, Fulfilment, ReferralContent, ServiceRequest
from activities.records.sessions import Context
from activities.referral.newcomer import CHECK_IDENTITY, Newcomers, clinician, only_site
from activities.referral.outgoing import BUNDLE, UPDATE
from activities.referral.received_document import store_received
from activities.referral.record import ReferralActivities
from rules.referral.vocabulary import Facts, Stage, Step
from workflows.contracts import referral

BUNDLES = frozenset([BUNDLE, UPDATE])
LIMIT = 20_000_000
LOCK = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
UNHEARD = (
    "It tells of a referral that never reached us. Ask the sender for the referral itself, then have this filed again."
)
KEPT = "Kept with the referral; not offered for reading by itself."
ENDED = (Stage.CLOSED, Stage.CANCELLED, Stage.EXPIRED)


class Arrivals:
    """Works in the transaction that files the message; the same referral again makes no second case."""

    def __init__(self, ring: KeyRing, referrals: ReferralActivities, newcomers: Newcomers, review: CaseReview) -> None:
        self._ring, self._referrals, self._newcomers, self._review = ring, referrals, newcomers, review

    def take(self, session: Session, context: Context, row: MessageLog) -> Arrived:
        """Files it and gives its case to `row`. Refused: word of a referral we do not have."""
        bundle = read_resource(raw_of(self._ring, row), "Bundle", LIMIT)
        received = read_referral(bundle)
        through = session.get_one(Organization, session.get_one(Interface, row.interface_id).organization_id)
        session.execute(LOCK, {"key": f"{through.id}/{_placer(received)}"})
        known = _known(session, through, received)
        if known is None and row.kind == UPDATE and received.work["status"] != TaskStatus.REQUESTED:
            raise Refused(422, Issue(IssueType.NOT_FOUND, UNHEARD, "Task.identifier"))
        if known is None or _asked_again(session, row, known, received):
            return self._open(session, context, row, through, bundle, received)
        row.case_id, row.subject_id = known.service_request_id, known.id
        request = session.get_one(ServiceRequest, known.service_request_id)
        response = build_transaction_response(_answers(bundle, request, known, made=False, new_patient=False))
        if row.kind == BUNDLE:
            known.address = received.task.addresses[0]
            return Arrived(response=response)
        return self._hear(session, context, row, request, known, received, response)

    def _open(
        self,
        session: Session,
        context: Context,
        row: MessageLog,
        through: Organization,
        bundle: Json,
        received: ReceivedReferral,
    ) -> Arrived:
        patient = self._newcomers.patient(session, context, received)
        referrer = self._newcomers.referrer(session, context, through, received.sender)
        content = ReferralContent(
            patient_id=str(patient.row.id),
            performer_id=str(referrer.row.id),
            service=received.request.service.words,
            priority=priority_of(received.request.priority),
            question=received.request.question,
            requester=clinician(received.practitioner, received.request.requester.display or referrer.row.name),
            requester_npi=received.practitioner.npi if received.practitioner else "",
            diagnoses=tuple(_diagnoses(received)),
            site=only_site(session),
            asked=Asked(
                organization_id=str(through.id),
                address=received.task.addresses[0],
                number=_placer(received),
                task=_ours(received.work, context.tenant, referrer.row),
            ),
        )
        key = str(row.id)
        state = referral.State(key, remembered=(key,))
        self._referrals.open_case(session, state, key, content, row.received_at)
        row.case_id = row.id
        request = session.get_one(ServiceRequest, row.id)
        task = session.scalars(select(Fulfilment).where(Fulfilment.service_request_id == row.id)).one()
        row.subject_id = task.id
        self._enclosed(session, context, row, request, through, received)
        if patient.made:
            why = "Nobody on file has the same record number, or the same name, birth date, sex and phone"
            self._look(session, context, row, "identity", f"{CHECK_IDENTITY}. Register or merge", why)
        if referrer.made:
            why = "It was not in the directory under its NPI"
            self._look(session, context, row, "referrer", f"Check {referrer.row.name} in the directory", why)
        answers = _answers(bundle, request, task, made=True, new_patient=patient.made)
        return Arrived(Step.OPENING, response=build_transaction_response(answers))

    def _hear(
        self,
        session: Session,
        context: Context,
        row: MessageLog,
        request: ServiceRequest,
        task: Fulfilment,
        received: ReceivedReferral,
        response: Json,
    ) -> Arrived:
        """Word of a referral we have: the Task as it is now, its documents, and what its case learns."""
        partner = session.get_one(Organization, task.organization_id)
        documents = self._enclosed(session, context, row, request, partner, received)
        word = read_word(task.content, received.work)
        after = taken(task.content, received.work)
        if after != task.content:
            task.content, task.status = after, str(after["status"])
            task.status_reason = reason_words(after)
        if word is None and documents:
            word = Step.INFORMATION, Facts(note="Documents were sent.")
        if word is None:
            return Arrived(response=response)
        step, facts = word
        document = documents[-1] if documents else ""
        return Arrived(step, Facts(**{**vars(facts), "document": document}), response)

    def _enclosed(
        self,
        session: Session,
        context: Context,
        row: MessageLog,
        request: ServiceRequest,
        partner: Organization,
        received: ReceivedReferral,
    ) -> list[str]:
        """Puts the documents on file once each, however often they are sent along; gives their ids."""
        stored = []
        for document in received.documents:
            name = token(document.identifiers[0]) if document.identifiers else str(row.id)
            identity = uuid5(request.id, name)
            if document.data:
                at = document.at or row.received_at
                kept = store_received(session, self._ring, context, document, request, partner, at, identity)
                stored += [str(kept)] if kept else []
        return stored

    def _look(self, session: Session, context: Context, row: MessageLog, key: str, action: str, why: str) -> None:
        assert row.case_id is not None
        self._review(session, context, row.case_id, f"{key}:{row.id}", action, why, datetime.now(UTC))


def _known(session: Session, through: Organization, received: ReceivedReferral) -> Fulfilment | None:
    """The newest case of this sender under the Task's address, else under the referral's number."""
    mine = (
        select(Fulfilment)
        .join(ServiceRequest, ServiceRequest.id == Fulfilment.service_request_id)
        .where(Fulfilment.organization_id == through.id)
        .order_by(ServiceRequest.opened_at.desc(), Fulfilment.id.desc())
        .limit(1)
        .with_for_update(of=Fulfilment)
    )
    addressed = mine.where(Fulfilment.address.in_(received.task.addresses))
    numbered = mine.where(ServiceRequest.placer == _placer(received))
    return session.scalar(addressed) or session.scalar(numbered)


def _placer(received: ReceivedReferral) -> str:
    return f"{received.request.number.system}|{received.request.number.value}"


def _asked_again(session: Session, row: MessageLog, known: Fulfilment, received: ReceivedReferral) -> bool:
    """A case that has ended is not asked twice by the same bundle, but by a new Task or by asking for a visit."""
    stage = Stage(session.get_one(ServiceRequest, known.service_request_id).stage)
    if stage not in ENDED:
        return False
    return asks_anew(received.work) if row.kind == UPDATE else known.address not in received.task.addresses


def _ours(work: Json, tenant: str, referrer: Organization) -> Json:
    """The Task as we keep it: its references name our rows, and the documents are on file."""
    names = {
        "requester": {"reference": f"Organization/{referrer.id}", "display": referrer.name},
        "owner": {"reference": f"Organization/{tenant}"},
    }
    return {**{name: value for name, value in work.items() if name not in ("id", "meta", "contained")}, **names}


def _diagnoses(received: ReceivedReferral) -> Iterator[str]:
    reasons = (*received.request.reasons, *(one.code for one in received.conditions))
    codes = [coding.code for reason in reasons for coding in reason.codings if coding.system == ICD10]
    yield from dict.fromkeys(codes)


def _answers(
    bundle: Json, request: ServiceRequest, task: Fulfilment, *, made: bool, new_patient: bool
) -> Iterator[EntryAnswer]:
    """One for each entry, in its order (R4 3.1.0.11.2)."""
    places = {
        "Patient": (f"Patient/{request.patient_id}/_history/1", new_patient),
        "ServiceRequest": (f"ServiceRequest/{request.id}/_history/1", made),
        "Task": (f"Task/{task.id}/_history/1", made),
    }
    for entry in bundle["entry"]:
        kind = entry["resource"]["resourceType"]
        location, new = places.get(kind, ("", False))
        yield EntryAnswer("201 Created" if new else "200 OK", location, "" if location else KEPT)


def is_bundle(row: MessageLog) -> bool:
    """Whether a received message is a referral made to us, or word of one."""
    return row.kind in BUNDLES and row.state != MessageState.REJECTED
