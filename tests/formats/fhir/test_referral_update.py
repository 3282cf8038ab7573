"""Word of a referral sent before: one step or none, and our Task afterwards."""

from typing import Any

import pytest

from activities.formats.fhir.bundle import resources
from activities.formats.fhir.datatypes import write_concept
from activities.formats.fhir.read import read_resource
from activities.formats.fhir.referral_bundle import build_referral, build_update, read_referral
from activities.formats.fhir.referral_update import asks_anew, new_note, read_word, taken
from activities.formats.fhir.render import render
from activities.formats.fhir.task_step import Business, business_concept
from rules.referral.vocabulary import Facts, Priority, Reason, Step
from tests.formats.fhir.referrals import a_referral

Json = dict[str, Any]
NOTE = {"authorString": "Larkmoor", "time": "2026-03-02T17:00:00Z", "text": "Here is the ECG."}


def stored() -> Json:
    ((_, task),) = resources(build_referral(a_referral()), "Task")
    return {**task, "status": "received"}


def business(code: Business) -> Json:
    return write_concept(business_concept(code)) or {}


def test_an_update_survives_the_wire_and_repeats_safely() -> None:
    whole = a_referral()
    bundle = read_resource(render(build_update(whole, stored())), "Bundle")
    received = read_referral(bundle)
    assert (received.task.addresses, received.request.number) == ((whole.task.address,), whole.request.number)
    asked = {entry["resource"]["resourceType"]: entry["request"] for entry in bundle["entry"]}
    assert asked["Task"]["url"].startswith("Task?identifier=urn:ietf:rfc:3986%7C")
    assert (asked["Task"]["method"], asked["ServiceRequest"]["method"]) == ("PUT", "PUT")
    assert asked["Patient"]["method"] == "POST"


@pytest.mark.parametrize(
    ("elements", "word"),
    [
        ({}, None),
        ({"note": [NOTE]}, (Step.INFORMATION, Facts(note="Here is the ECG."))),
        (
            {"businessStatus": business(Business.CANCELLATION_REQUESTED)},
            (Step.CANCELLATION, Facts(reason=Reason.OTHER)),
        ),
        ({"priority": "asap"}, None),
        ({"priority": "stat"}, (Step.PRIORITY_CHANGE, Facts(priority=Priority.STAT, note="No reason was given."))),
        ({"status": "cancelled"}, (Step.CLOSURE, Facts(reason=Reason.OTHER))),
        (
            {"status": "cancelled", "businessStatus": business(Business.NOT_SELECTED)},
            (Step.CLOSURE, Facts(reason=Reason.PATIENT_CHOICE)),
        ),
    ],
)
def test_each_word_is_one_step_or_none(elements: Json, word: tuple[Step, Facts] | None) -> None:
    assert read_word(stored(), {**stored(), **elements}) == word


@pytest.mark.parametrize(
    "elements",
    [{"note": [NOTE]}, {"businessStatus": business(Business.CANCELLATION_REQUESTED)}, {"status": "cancelled"}],
)
def test_a_word_taken_before_says_nothing_again(elements: Json) -> None:
    received = {**stored(), **elements}
    assert read_word(taken(stored(), received), received) is None


def test_how_far_the_work_is_stays_ours() -> None:
    ours = {**stored(), "status": "in-progress", "businessStatus": business(Business.VISIT_SCHEDULED)}
    late = {**stored(), "status": "received", "priority": "stat"}
    after = taken(ours, late)
    assert (after["status"], after["businessStatus"], after["priority"]) == (
        "in-progress",
        ours["businessStatus"],
        "stat",
    )


def test_asking_for_a_visit_is_told_from_the_first_request() -> None:
    assert not asks_anew({**stored(), "status": "requested"})
    assert asks_anew({**stored(), "status": "requested", "businessStatus": business(Business.VISIT_REQUESTED)})


def test_only_a_note_that_was_not_there_is_said_now() -> None:
    before = {**stored(), "note": [NOTE]}
    assert new_note(before, before) == ""
    assert new_note(stored(), before) == "Here is the ECG."
