"""What one side says is laid over the Task of the other side, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.formats.fhir.datatypes import Coding, Concept, Reference
from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.systems import LOINC
from activities.formats.fhir.task import build_task, read_facts, read_task
from activities.formats.fhir.task_answer import Saying, build_answer, merged, says
from activities.formats.fhir.task_step import Business, TaskStatus
from activities.formats.fhir.task_update import new_documents, without_bytes
from rules.referral.vocabulary import Priority, Reason, Step
from tests.formats.fhir.referrals import AT, a_task

VISIT = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)
Json = dict[str, Any]


def theirs() -> Json:
    """The referrer's Task, about their own patient."""
    return build_task(
        replace(
            a_task(),
            focus=Reference("ServiceRequest/s9"),
            patient=Reference("Patient/p9"),
            requester=Reference("Organization/l"),
            owner=Reference("Organization/h"),
        )
    )


def ours() -> Json:
    return {**theirs(), "for": {"reference": "Patient/here"}, "focus": {"reference": "ServiceRequest/here"}}


def saying(**fields: Any) -> Saying:
    said: dict[str, Any] = {"key": "1-a", "at": AT, "author": "Heronfield"} | fields
    return Saying(**said)


def report(data: bytes = b"%PDF findings") -> DocumentContent:
    kind = Concept((Coding(LOINC, "11488-4"),))
    return DocumentContent(Reference(""), kind, "application/pdf", "Report", data=data)


SAYINGS = [
    (saying(status=TaskStatus.ACCEPTED), Step.ACCEPTANCE),
    (saying(status=TaskStatus.REJECTED, reason=Reason.NO_CAPACITY, note="Not before May."), Step.DECLINE),
    (saying(status=TaskStatus.IN_PROGRESS, business=Business.VISIT_SCHEDULED, appointment_at=VISIT), Step.APPOINTMENT),
    (saying(status=TaskStatus.IN_PROGRESS, business=Business.VISIT_COMPLETE, visited_at=VISIT), Step.VISIT),
    (saying(status=TaskStatus.ACCEPTED, business=Business.OUTREACH, outreach="voicemail"), Step.ATTEMPT),
    (saying(status=TaskStatus.COMPLETED, document=report()), Step.REPORT),
    (
        saying(status=TaskStatus.ACCEPTED, business=Business.PRIORITY_CHANGED, wanted=Priority.STAT, note="Today."),
        Step.PRIORITY_CHANGE,
    ),
]


@pytest.mark.parametrize(("said", "step"), SAYINGS)
def test_what_is_said_is_what_is_understood(said: Saying, step: Step) -> None:
    read = read_task(merged(theirs(), build_answer(ours(), said)))
    facts = read_facts(read)
    assert read.step is step
    assert (facts.reason, facts.note, facts.priority) == (said.reason, said.note, said.wanted)
    assert facts.at == (said.appointment_at or said.visited_at)
    assert facts.outcome == said.outreach


@pytest.mark.parametrize(("said", "step"), SAYINGS)
def test_saying_it_twice_is_saying_it_once(said: Saying, step: Step) -> None:
    answer = build_answer(ours(), said)
    once = merged(theirs(), answer)
    assert not says(theirs(), answer)
    assert says(once, answer)
    assert merged(once, answer) == once


def test_what_the_referrer_said_stays_as_it_is() -> None:
    before = theirs()
    after = merged(before, build_answer(ours(), saying(status=TaskStatus.ACCEPTED)))
    for name in ("identifier", "groupIdentifier", "focus", "for", "requester", "owner", "description", "restriction"):
        assert after.get(name) == before.get(name)


def test_what_is_attached_is_about_their_patient() -> None:
    said = saying(status=TaskStatus.IN_PROGRESS, business=Business.VISIT_SCHEDULED, appointment_at=VISIT)
    after = merged(theirs(), build_answer(ours(), said))
    assert after["contained"][0]["participant"][0]["actor"] == {"reference": "Patient/p9"}


def test_the_visit_booked_last_counts() -> None:
    task = theirs()
    for number, at in enumerate((VISIT, VISIT + timedelta(days=7))):
        said = saying(
            key=f"{number}-a", status=TaskStatus.IN_PROGRESS, business=Business.VISIT_SCHEDULED, appointment_at=at
        )
        task = merged(task, build_answer(ours(), said))
    assert read_task(task).appointment_at == VISIT + timedelta(days=7)


def test_the_same_attempt_twice_is_two_attempts() -> None:
    task = theirs()
    for number, outcome in enumerate(("voicemail", "reached", "voicemail")):
        said = saying(key=f"{number}-a", status=TaskStatus.ACCEPTED, business=Business.OUTREACH, outreach=outcome)
        task = merged(task, build_answer(ours(), said))
    assert read_facts(read_task(task)).outcome == "voicemail"


def test_a_business_status_is_over_when_another_is_said() -> None:
    asked = build_answer(
        ours(), saying(status=TaskStatus.RECEIVED, business=Business.AWAITING_INFORMATION, note="ECG?")
    )
    accepted = build_answer(ours(), saying(key="2-a", status=TaskStatus.ACCEPTED))
    assert "businessStatus" not in merged(merged(theirs(), asked), accepted)


def test_a_note_alone_leaves_the_standing() -> None:
    before = merged(theirs(), build_answer(ours(), saying(status=TaskStatus.COMPLETED, document=report())))
    after = merged(before, build_answer(before, saying(key="2-a", note="One more word.")))
    assert (after["status"], after["note"][-1]["text"]) == ("completed", "One more word.")


def test_documents_are_kept_by_their_hash_and_known_again() -> None:
    first = merged(theirs(), build_answer(ours(), saying(status=TaskStatus.COMPLETED, document=report())))
    kept = without_bytes(first)
    attachment = kept["contained"][0]["content"][0]["attachment"]
    assert ("data" in attachment, attachment["size"]) == (False, len(report().data))
    amended = saying(key="2-a", status=TaskStatus.COMPLETED, document=report(b"%PDF amended"))
    second = merged(first, build_answer(ours(), amended))
    assert [one.data for one in new_documents(kept, read_task(second))] == [b"%PDF amended"]


@pytest.mark.parametrize("left", [Business.INFORMATION_SUPPLIED, Business.VISIT_REQUESTED])
def test_a_code_of_the_referrers_that_is_left_says_nothing(left: Business) -> None:
    task = merged(theirs(), build_answer(ours(), saying(status=TaskStatus.RECEIVED, business=left)))
    assert read_task({**task, "status": "accepted"}).step is Step.ACCEPTANCE
