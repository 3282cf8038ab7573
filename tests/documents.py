"""Cases and faxes for the tests of documents: rows as the lifecycle leaves them, without an engine."""

from datetime import datetime, timedelta
from uuid import UUID

from activities.records.base import new_id
from activities.records.document_inbox import Incoming, receive_file
from activities.records.document_reference import Source
from activities.records.process import Process
from activities.records.service_request import ServiceRequest, status_of
from activities.records.sessions import Context
from activities.records.values import dump
from infra.bootstrap import Parts
from rules.referral.vocabulary import Progress, Stage
from tests import make
from tests.scans import fax
from workflows.contracts import referral as contract

FAX = "(208) 555-0190"


def referral(
    parts: Parts,
    patient_id: UUID,
    partner_id: UUID,
    stage: Stage = Stage.SEEN,
    since: datetime = make.NOW,
    context: Context = make.LARKMOOR,
    **fields: object,
) -> UUID:
    """A referral at a stage, with the State its workflow would start from."""
    case = new_id()
    workflow_id = contract.workflow_id(context.tenant, str(case))
    state = contract.State(str(case), Progress(stage=stage, since=since), version=1)
    request = ServiceRequest(
        id=case,
        tenant=context.tenant,
        patient_id=patient_id,
        performer_id=partner_id,
        stage=stage,
        status=status_of(stage),
        stage_since=since,
        opened_at=since - timedelta(days=30),
        **(
            {
                "number": f"R-{case.int % 90_000 + 10_000}",
                "requester": "Oyelaran, Ifeoma",
                "service": "Orthopaedics",
                "priority": "routine",
                "question": "Knee pain: is surgery needed?",
            }
            | fields
        ),
    )
    process = Process(
        workflow_id=workflow_id,
        tenant=context.tenant,
        kind="referral",
        case_id=case,
        stage=stage,
        state=parts.ring.seal(context.tenant, dump(state), f"process:{workflow_id}"),
        version=1,
        next_action="Wait for the report",
        next_owner="referral_coordinator",
        next_due=since + timedelta(days=7),
        opened_at=request.opened_at,
    )
    with parts.sessions.begin(context) as session:
        session.add(request)
        session.flush()
        session.add(process)
    return case


def received(
    parts: Parts,
    pages: int = 3,
    context: Context = make.LARKMOOR,
    data: bytes | None = None,
    sender: str = FAX,
    at: datetime = make.NOW,
) -> UUID:
    """A fax in the inbox; its id."""
    incoming = Incoming(Source.FAX, at, sender, "fax.tif")
    with parts.sessions.begin(context) as session:
        return receive_file(session, parts.ring, context, incoming, data or fax(pages)).file_id
