"""What a partner is told after the first message, on a real PostgreSQL; what is sent in which order."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.formats.fhir.bundle import resources
from activities.formats.fhir.referral_bundle import read_referral
from activities.formats.fhir.referral_update import read_word
from activities.partners.base import Found, Partner, PartnerError, Receipt, Repeatable
from activities.records.message_log import MessageLog, MessageState
from activities.records.organization import Organization, Transport
from activities.records.service_request import Fulfilment
from activities.records.task import Task
from infra.bootstrap import Parts, activities
from rules.referral.steps import follow
from rules.referral.vocabulary import Facts, Priority, Reason, Standing, Step
from tests import make
from workflows.contracts import outbound
from workflows.contracts import referral as contract

NOTHING = Facts()
UPDATE = "fhir.referral-update"


@dataclass
class Office(Partner):
    """A partner's server: keeps what it takes, or refuses it."""

    name: str = "Quillon"
    repeatable: Repeatable = Repeatable.YES
    refuses: bool = False
    taken: list[bytes] = field(default_factory=list)

    def send(self, message: bytes) -> Receipt:
        if self.refuses:
            raise PartnerError(self.name, permanent=True, code="http-422", words="Quillon did not take it.")
        self.taken.append(message)
        return Receipt("1", b"")

    def ask(self, message: bytes) -> Found:
        return Found(message in self.taken)


class Larkmoor:
    """One referral of Larkmoor's, whose steps people decide; its partners are connected unless they are on paper."""

    def __init__(self, parts: Parts) -> None:
        make.clinics(parts)
        self.parts, self.office, self.kinds = parts, Office(), list[str]()
        self._activities = {one.__name__: one for one in activities(parts, self._connect)}
        self.quillon = self.partner("Quillon Digestive Health")
        opened = make.opening(parts, make.content(make.patient(parts), self.quillon))
        self.case = UUID(opened)
        self.state = self._run("open", contract.Opening(opened, contract.State(opened))).state

    def _connect(self, organization: Organization, kind: str) -> Partner:
        self.kinds.append(kind)
        return self.office

    def partner(self, name: str, transport: Transport = Transport.FHIR) -> UUID:
        address = "https://quillon.example/fhir" if transport is Transport.FHIR else ""
        return make.organization(self.parts, name=name, transport=transport, fhir_address=address)

    def _run(self, name: str, argument: object) -> Any:
        environment = ActivityEnvironment()
        workflow_id = contract.workflow_id("larkmoor", str(self.case))
        environment.info = replace(environment.info, workflow_id=workflow_id)
        return environment.run(self._activities[name], argument)

    def decide(self, step: Step, facts: Facts = NOTHING) -> contract.Recorded:
        """Somebody at Larkmoor decides it."""
        return self._record(make.decision(self.parts, self.case, step, facts), step, facts)

    def hear(self, step: Step, facts: Facts = NOTHING) -> contract.Recorded:
        """The partner said it, and its Task has been filed already."""
        return self._record(f"heard:{step}:{facts.candidate}", step, facts)

    def _record(self, key: str, step: Step, facts: Facts) -> contract.Recorded:
        before = self.state
        after = replace(before, progress=follow(before.progress, step, facts, make.NOW))
        recorded: contract.Recorded = self._run("record", contract.Change(key, step, facts, make.NOW, before, after))
        self.state = replace(after, progress=recorded.onto(after.progress), version=recorded.version)
        return recorded

    def send(self, message_id: str) -> outbound.Sent:
        sent: outbound.Sent = self._run("send", outbound.Sending(message_id))
        return sent

    def task(self, number: int = 0) -> Fulfilment:
        """The Task of a candidate, in the order they were asked."""
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(select(Fulfilment).order_by(Fulfilment.round)))[number]

    def bundle(self, message_id: str) -> dict[str, Any]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            row = session.get_one(MessageLog, UUID(message_id))
        assert row.kind == UPDATE
        found: dict[str, Any] = json.loads(self.parts.ring.open(row.raw, f"message:{row.id}"))
        return found

    def rows(self, kind: type[Any]) -> list[Any]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(select(kind)))


@pytest.fixture
def larkmoor(parts: Parts) -> Larkmoor:
    return Larkmoor(parts)


def with_partner(larkmoor: Larkmoor) -> str:
    """Sent and delivered; gives the first message."""
    (first,) = larkmoor.decide(Step.SENDING).sends
    larkmoor.hear(Step.DELIVERY)
    return first


def second_candidate(larkmoor: Larkmoor) -> UUID:
    other = larkmoor.partner("Ashgrove Digestive")
    larkmoor.decide(Step.ANOTHER_CANDIDATE, Facts(recipient=str(other)))
    return other


def asked(larkmoor: Larkmoor) -> None:
    larkmoor.hear(Step.INFORMATION_REQUEST, Facts(note="The last panel?"))


Before = Callable[[Larkmoor], object]


@pytest.mark.parametrize(
    ("before", "step", "facts", "word"),
    [
        (asked, Step.INFORMATION, Facts(note="Enclosed."), Step.INFORMATION),
        (None, Step.CANCELLATION, Facts(reason=Reason.DUPLICATE), Step.CANCELLATION),
        (None, Step.PRIORITY_CHANGE, Facts(priority=Priority.STAT, note="Worse."), Step.PRIORITY_CHANGE),
        (None, Step.CLOSURE, Facts(reason=Reason.TREATED_ELSEWHERE), Step.CLOSURE),
        (None, Step.EXPIRY, Facts(reason=Reason.UNABLE_TO_CONTACT), Step.CLOSURE),
    ],
)
def test_the_specialist_is_told_what_we_decide(
    larkmoor: Larkmoor, before: Before | None, step: Step, facts: Facts, word: Step
) -> None:
    with_partner(larkmoor)
    if before:
        before(larkmoor)
    known = larkmoor.task().content
    (message,) = larkmoor.decide(step, facts).sends
    received = read_referral(larkmoor.bundle(message))
    understood = read_word(known, received.work)
    assert understood is not None
    assert understood[0] is word
    assert (understood[1].reason, understood[1].priority) == (facts.reason, facts.priority)


def test_the_request_goes_along_as_it_is_now(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    (message,) = larkmoor.decide(Step.PRIORITY_CHANGE, Facts(priority=Priority.STAT, note="Worse.")).sends
    ((_, request),) = resources(larkmoor.bundle(message), "ServiceRequest")
    assert request["priority"] == "stat"


def test_who_was_not_chosen_is_told_and_who_was_is_not(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    second_candidate(larkmoor)
    for number in (0, 1):
        larkmoor.hear(Step.ACCEPTANCE, Facts(candidate=str(larkmoor.task(number).id)))
    recorded = larkmoor.decide(Step.CHOICE, Facts(candidate=str(larkmoor.task(0).id)))
    (message,) = recorded.sends
    assert (larkmoor.task(0).status, larkmoor.task(1).status) == ("requested", "cancelled")
    assert larkmoor.task(1).business_status == "not-selected"
    assert read_referral(larkmoor.bundle(message)).task.addresses[0].endswith(str(larkmoor.task(1).id))


def test_the_former_specialist_is_told_and_the_new_one_gets_the_whole(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    larkmoor.hear(Step.ACCEPTANCE)
    larkmoor.hear(Step.ATTEMPT, Facts(channel="phone", outcome="voicemail"))
    other = larkmoor.partner("Ashgrove Digestive")
    sends = larkmoor.decide(Step.NEW_RECIPIENT, Facts(recipient=str(other))).sends
    kinds = {str(one.id): one.kind for one in larkmoor.rows(MessageLog)}
    assert [kinds[one] for one in sends] == [UPDATE, "fhir.referral"]
    assert [one.standing for one in larkmoor.state.progress.candidates] == [Standing.NOT_SELECTED, Standing.ASKED]


def test_a_specialist_who_declined_is_told_nothing_more(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    larkmoor.decide(Step.DECLINE, Facts(reason=Reason.NO_CAPACITY))
    assert larkmoor.task().status == "rejected"
    assert larkmoor.decide(Step.CLOSURE, Facts(reason=Reason.TREATED_ELSEWHERE)).sends == ()


def test_what_a_specialist_says_by_phone_stands_in_her_task(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    recorded = larkmoor.decide(Step.ACCEPTANCE)
    assert (larkmoor.task().status, recorded.sends) == ("accepted", ())
    larkmoor.decide(Step.APPOINTMENT, Facts(at=make.NOW))
    assert larkmoor.task().status == "in-progress"


def test_what_a_specialist_says_by_her_task_is_not_written_twice(larkmoor: Larkmoor) -> None:
    with_partner(larkmoor)
    version = larkmoor.task().version
    larkmoor.hear(Step.ACCEPTANCE)
    assert larkmoor.task().version == version


def test_nobody_is_written_to_who_has_no_connection(parts: Parts) -> None:
    larkmoor = Larkmoor(parts)
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.get_one(Organization, larkmoor.quillon).transport = Transport.PAPER
    larkmoor.decide(Step.SENDING)
    larkmoor.decide(Step.RECEIPT)
    recorded = larkmoor.decide(Step.CANCELLATION, Facts(reason=Reason.DUPLICATE))
    assert (recorded.sends, larkmoor.rows(MessageLog)) == ((), [])
    assert larkmoor.task().business_status != ""


def test_word_waits_for_the_referral_it_is_about(larkmoor: Larkmoor) -> None:
    first = with_partner(larkmoor)
    (word,) = larkmoor.decide(Step.CANCELLATION, Facts(reason=Reason.DUPLICATE)).sends
    with pytest.raises(ApplicationError) as behind:
        larkmoor.send(word)
    assert (behind.value.type, larkmoor.office.taken) == ("in-line", [])
    assert larkmoor.send(first).delivery is outbound.Delivery.DELIVERED
    assert larkmoor.send(word).delivery is outbound.Delivery.TOLD
    assert larkmoor.kinds == ["fhir.referral", UPDATE]


def test_word_that_is_refused_is_a_task_and_no_step(larkmoor: Larkmoor) -> None:
    larkmoor.send(with_partner(larkmoor))
    (word,) = larkmoor.decide(Step.CLOSURE, Facts(reason=Reason.TREATED_ELSEWHERE)).sends
    larkmoor.office.refuses = True
    assert larkmoor.send(word) == outbound.Sent(outbound.Delivery.TOLD)
    (row,) = [one for one in larkmoor.rows(MessageLog) if str(one.id) == word]
    assert row.state == MessageState.REFUSED
    (review,) = [one for one in larkmoor.rows(Task) if one.kind == "review"]
    assert review.action.startswith("Tell Quillon Digestive Health by phone")
    assert review.why == "Quillon did not take it."
