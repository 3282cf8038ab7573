"""One referral through its whole happy path: five decisions of people, four answers of the specialist."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from activities.formats.fhir.render import render
from activities.records.base import new_id
from activities.records.decision import Outcome
from activities.records.interface import Interface as InterfaceRow
from activities.records.service_request import Fulfilment, ReferralContent, ServiceRequest
from activities.records.sessions import Context
from infra.bench.clinic import CLIENT, COORDINATOR, PHYSICIAN, TENANT, Clinic, account, partner_id
from infra.bootstrap import case_review
from infra.simulators.specialist_plan import Act, Scripted, acted
from rules.referral.vocabulary import By, Coverage, Facts, Priority, Stage, Step
from web.decisions import Desk, Settled
from web.fhir.door import Arrival, ArrivalKind, Fate, Interface, Readable
from web.fhir.store import StoreDoor
from workflows.contracts import referral

ANSWERS = (Act.ACCEPT, Act.SCHEDULE, Act.SEE, Act.REPORT)
REVIEWED = (
    (Step.REVIEW, Facts(note="Continue as advised.")),
    (Step.PATIENT_NOTICE, Facts(channel="phone")),
    (Step.FOLLOW_UP, Facts(outcome="none")),
)
PATIENCE = 30.0


class Stuck(Exception):
    """A referral did not go on as it should; the text says where."""


@dataclass(frozen=True)
class Ward:
    """Who decides and where the referrals go."""

    coordinator: Context
    physician: Context
    partner: UUID
    interface: Interface


def ward(clinic: Clinic) -> Ward:
    """The people and the partner of a furnished clinic."""
    with clinic.parts.sessions.platform() as session:
        row = session.scalars(select(InterfaceRow).where(InterfaceRow.client_id == CLIENT)).one()
    coordinator, physician = (Context(TENANT, str(account(clinic, who).id)) for who in (COORDINATOR, PHYSICIAN))
    interface = Interface(str(row.id), TENANT, str(row.organization_id))
    return Ward(coordinator, physician, partner_id(clinic), interface)


class HappyPath:
    """Takes referrals through the same doors as the web does, without HTTP."""

    def __init__(self, clinic: Clinic) -> None:
        parts = clinic.parts
        self._sessions = parts.sessions
        self._ward = ward(clinic)
        self._desk = Desk(parts.sessions, parts.ring, clinic.engine, case_review(parts))
        base = f"{parts.settings.public_url}/fhir"
        self._door = StoreDoor(parts.sessions, parts.ring, parts.auditor, clinic.engine, base)

    def open(self, patient: UUID, token: UUID | None = None) -> UUID:
        """A new draft; its id is the token, so that trying again with the same one makes no second."""
        who, token = self._ward.coordinator, token or new_id()
        settled = self._desk.open(who, token, self._content(patient), By.STAFF)
        settled = self._answered(who, token, settled)
        _expect(settled.outcome is Outcome.APPLIED, f"opening {token}: {settled}")
        return token

    def send(self, patient: UUID) -> UUID:
        """A new referral, on its way to the specialist."""
        case = self.open(patient)
        self.decide(case, Step.SENDING, Facts(outcome=Coverage.CLEAR))
        return case

    def answer(self, case: UUID) -> None:
        """The specialist has it, sees the patient and reports."""
        self._await(case, Stage.TRIAGE)
        task = self._task_of(case)
        for act in ANSWERS:
            self._answer(task, act)

    def finish(self, case: UUID) -> None:
        """The report is reviewed, the patient told, the loop closed."""
        self._await(case, Stage.REPORT_RECEIVED)
        for step, facts in REVIEWED:
            self.decide(case, step, facts)

    def decide(self, case: UUID, step: Step, facts: Facts) -> None:
        """One decision, applied."""
        settled = self.take(new_id(), case, step, facts)
        _expect(settled.outcome is Outcome.APPLIED, f"{step} of {case}: {settled}")

    def take(self, token: UUID, case: UUID, step: Step, facts: Facts) -> Settled:
        """One decision under its own id; the same one twice is once."""
        reviews = step is Step.REVIEW
        who, by = (self._ward.physician, By.CLINICIAN) if reviews else (self._ward.coordinator, By.STAFF)
        return self._answered(who, token, self._desk.decide(who, token, case, step, facts, by))

    def stage(self, case: UUID) -> Stage:
        with self._sessions.begin(self._ward.coordinator) as session:
            return Stage(session.scalars(select(ServiceRequest.stage).where(ServiceRequest.id == case)).one())

    def workflow_id(self, case: UUID) -> str:
        return referral.workflow_id(TENANT, str(case))

    def _answered(self, who: Context, token: UUID, settled: Settled) -> Settled:
        """What the engine has not answered yet is handed over again, as the sweeper does."""
        deadline = time.monotonic() + PATIENCE
        while settled.outcome is None and time.monotonic() < deadline:
            settled = self._desk.hand_over(who, token)
        return settled

    def _answer(self, task: str, act: Act) -> None:
        stored = self._door.read(self._ward.interface, Readable.TASK, task)
        assert stored is not None
        said = render(acted(stored.content, Scripted(act), datetime.now(UTC)))
        arrival = Arrival(ArrivalKind.TASK_UPDATE, said, f"Task/{task}/{stored.version}", task, stored.version)
        received = self._door.receive(self._ward.interface, arrival)
        _expect(received.fate is Fate.RECORDED, f"{act}: {received.fate} {received.words}")
        done = self._door.outcome(self._ward.interface, received.message_id, PATIENCE)
        _expect(done.fate is Fate.APPLIED, f"{act}: {done.fate} {done.words}")

    def _task_of(self, case: UUID) -> str:
        with self._sessions.begin(self._ward.coordinator) as session:
            query = select(Fulfilment.id).where(Fulfilment.service_request_id == case)
            return str(session.scalars(query).one())

    def _await(self, case: UUID, stage: Stage) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.stage(case) is not stage:
            _expect(time.monotonic() < deadline, f"{case} does not reach {stage}")
            time.sleep(0.02)

    def _content(self, patient: UUID) -> ReferralContent:
        return ReferralContent(
            patient_id=str(patient),
            performer_id=str(self._ward.partner),
            service="Gastroenterology",
            priority=Priority.ROUTINE,
            question="Please see for reflux that has not answered to treatment for eight weeks.",
            requester="Oyelaran, Ifeoma",
            requester_npi="2000001034",
            diagnoses=("K21.9",),
            site="boise",
        )


def _expect(held: bool, why: str) -> None:
    if not held:
        raise Stuck(why)
