"""A partner's Task becomes a step of the referral, or nothing is guessed."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.formats.fhir import systems
from activities.formats.fhir.read import check_resource
from activities.formats.fhir.task import build_task, read_facts, read_task
from activities.formats.fhir.task_step import STEPS, Business, TaskStatus, business_concept, read_step
from activities.formats.fhir.task_update import MUTABLE, foreign_patients, refused_changes, updated
from rules.referral.vocabulary import Reason, Step
from tests.formats.fhir.referrals import a_task

BASE = "https://careloop.example/fhir"


def answered(**elements: Any) -> dict[str, Any]:
    task = {"resourceType": "Task", "id": "t1", "intent": "order", "for": {"reference": "Patient/p1"}, **elements}
    check_resource(task, "Task")
    return task


def business(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def report(patient: str = "Patient/p1") -> dict[str, Any]:
    text = base64.b64encode(b"Findings").decode()
    return {
        "resourceType": "DocumentReference",
        "id": "r",
        "status": "current",
        "subject": {"reference": patient},
        "content": [{"attachment": {"contentType": "text/plain", "data": text}}],
    }


@pytest.mark.parametrize(("pair", "step"), STEPS.items())
def test_every_pair_of_the_table_is_read_as_its_step(pair: tuple[TaskStatus, Business | None], step: Step) -> None:
    status, meant = pair
    assert read_step(status, None if meant is None else business_concept(meant)) is step


@pytest.mark.parametrize(
    ("status", "code", "step"),
    [
        ("accepted", "3.0", Step.ACCEPTANCE),
        ("rejected", "4.0", Step.DECLINE),
        ("in-progress", "5.1.1", Step.APPOINTMENT),
        ("in-progress", "5.1.2", Step.NO_SHOW),
        ("cancelled", "6.0", Step.CANCELLATION_CONFIRMED),
        ("rejected", "3.0", None),
        ("in-progress", "9.9", None),
    ],
)
def test_the_numbers_of_bser_are_read(status: str, code: str, step: Step | None) -> None:
    assert read_task(answered(status=status, businessStatus=business(systems.BSER, code))).step is step


@pytest.mark.parametrize(
    "status", ["ready", "failed", "on-hold", "entered-in-error", "draft", "requested", "in-progress"]
)
def test_a_bare_status_that_says_nothing_is_no_step(status: str) -> None:
    answer = read_task(answered(status=status))
    assert (answer.step, answer.raw) == (None, status)


def test_an_unknown_business_status_is_shown_as_it_came() -> None:
    answer = read_task(answered(status="accepted", businessStatus={"text": "on the list"}))
    assert (answer.step, answer.raw) == (None, "accepted · on the list")


def test_codings_that_contradict_each_other_are_no_step() -> None:
    both = {"coding": [{"system": systems.BSER, "code": "5.1.2"}, {"system": systems.COW, "code": "visit-scheduled"}]}
    assert read_task(answered(status="in-progress", businessStatus=both)).step is None


def test_an_appointment_is_read_from_the_contained_resource() -> None:
    visit = {
        "resourceType": "Appointment",
        "id": "v",
        "status": "booked",
        "start": "2026-03-09T09:00:00-07:00",
        "end": "2026-03-09T09:30:00-07:00",
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    }
    answer = read_task(
        answered(
            status="in-progress",
            businessStatus=business(systems.COW, "visit-scheduled"),
            contained=[visit],
            output=[{"type": {"text": "appointment"}, "valueReference": {"reference": "#v"}}],
        )
    )
    assert answer.step is Step.APPOINTMENT
    assert read_facts(answer).at == datetime(2026, 3, 9, 16, 0, tzinfo=UTC)


def test_a_date_without_a_time_is_no_appointment_time() -> None:
    output = [{"type": {"text": "appointment"}, "valueDateTime": "2026-03-09"}]
    answer = read_task(
        answered(status="accepted", businessStatus=business(systems.COW, "visit-scheduled"), output=output)
    )
    assert (answer.appointment_at, answer.outputs[0].words) == (None, "2026-03-09")


def test_a_report_comes_with_its_document() -> None:
    output = [{"type": {"text": "report"}, "valueReference": {"reference": "#r"}}]
    answer = read_task(answered(status="completed", contained=[report()], output=output))
    assert answer.step is Step.REPORT
    assert answer.documents[0].document is not None
    assert answer.documents[0].document.data == b"Findings"


def test_completed_without_a_document_is_no_report() -> None:
    answer = read_task(answered(status="completed"))
    assert (answer.step, answer.raw) == (None, "completed without a report")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (business(systems.STATUS_REASON, "no-capacity"), Reason.NO_CAPACITY),
        (business("https://p.example", "17"), Reason.OTHER),
        ({"text": "Closed for the summer"}, Reason.OTHER),
    ],
)
def test_a_reason_is_ours_or_other(reason: dict[str, Any], expected: Reason) -> None:
    facts = read_facts(read_task(answered(status="rejected", statusReason=reason)))
    assert facts.reason is expected


def test_the_words_of_a_foreign_reason_are_not_lost() -> None:
    facts = read_facts(read_task(answered(status="rejected", statusReason={"text": "Closed for the summer"})))
    assert facts.note == "Closed for the summer"


def test_a_task_of_ours_is_read_back() -> None:
    answer = read_task(build_task(a_task()))
    assert (answer.status, answer.step, answer.number) == (TaskStatus.REQUESTED, None, "R-20418")


@pytest.mark.parametrize("name", ["for", "focus", "owner", "requester", "identifier", "priority", "intent", "code"])
def test_what_we_said_may_not_be_changed_or_left_out(name: str) -> None:
    stored = {**build_task(a_task()), "for": {"reference": "Patient/p1"}, "focus": {"reference": "ServiceRequest/s"}}
    stored |= {"owner": {"reference": "Organization/o"}, "requester": {"reference": "Organization/q"}}
    changed = {**stored, name: "x"}
    missing = {key: value for key, value in stored.items() if key != name}
    for received in (changed, missing):
        assert [issue.expression for issue in refused_changes(stored, received, BASE)] == [f"Task.{name}"]


def test_what_the_partner_says_may_change() -> None:
    stored = build_task(a_task())
    received = {**stored, **dict.fromkeys(MUTABLE, "x"), "_status": {}}
    assert refused_changes(stored, received, BASE) == ()


def test_an_absolute_reference_to_us_is_the_same_reference() -> None:
    stored = answered(status="requested")
    received = {**stored, "for": {"reference": f"{BASE}/Patient/p1"}}
    assert refused_changes(stored, received, BASE) == ()


def test_a_report_about_somebody_else_is_refused_by_its_path() -> None:
    stored = answered(status="accepted")
    received = {**stored, "contained": [report("Patient/p2")]}
    assert [one.expression for one in foreign_patients(stored, received, BASE)] == ["Task.contained[0].subject"]
    assert foreign_patients(stored, {**stored, "contained": [report(f"{BASE}/Patient/p1")]}, BASE) == ()


def test_the_updated_task_keeps_our_words_and_the_partners_extensions() -> None:
    stored = answered(status="requested", description="ours", note=[{"text": "old"}])
    told = [{"url": "https://p.example/x", "valueString": "kept"}]
    received = answered(status="accepted", extension=told, meta={"tag": [{"code": "a"}], "versionId": "1"})
    after = updated(stored, received, "2", "2026-03-02T16:30:00Z")
    assert (after["description"], after["status"], after["extension"]) == ("ours", "accepted", told)
    assert after["meta"] == {"tag": [{"code": "a"}], "versionId": "2", "lastUpdated": "2026-03-02T16:30:00Z"}
    assert "note" not in after
