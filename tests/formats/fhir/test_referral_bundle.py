"""A referral survives the wire, and its bytes are the same each time."""

from dataclasses import replace
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

from activities.formats.fhir.bundle import build_searchset, token
from activities.formats.fhir.datatypes import Identifier, PersonName
from activities.formats.fhir.practitioner import PractitionerContent
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.referral_bundle import build_referral, read_referral
from activities.formats.fhir.render import Unbuildable, render
from tests.formats.fhir.referrals import a_referral

GOLDEN = Path(__file__).parent.parent / "golden" / "referral-transaction.json"


def test_a_referral_is_rendered_to_the_golden_bytes() -> None:
    assert render(build_referral(a_referral())) == GOLDEN.read_bytes().rstrip(b"\n")


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert render(build_referral(a_referral())) == render(build_referral(a_referral()))


def test_the_bundle_is_valid_r4b_by_the_library() -> None:
    Bundle.model_validate_json(render(build_referral(a_referral())))


def test_what_is_sent_is_what_is_read() -> None:
    sent = a_referral()
    received = read_referral(read_resource(render(build_referral(sent)), "Bundle"))
    assert received.patient == sent.patient
    assert received.practitioner == sent.practitioner
    assert received.organizations == (sent.sender, sent.recipient)
    assert received.request.number == sent.request.number
    assert received.request.question == sent.request.question
    assert received.request.reasons == sent.request.reasons
    assert received.task.addresses == (sent.task.address,)
    assert received.documents[0].data == sent.documents[0].data
    assert received.coverages[0].subscriber_id == "SYN03-441"
    assert received.conditions[0].code == sent.conditions[0].code


def test_every_entry_is_made_once_however_often_it_is_sent() -> None:
    for entry in build_referral(a_referral())["entry"]:
        request = entry["request"]
        assert request["method"] == "PUT" or request["ifNoneExist"].startswith("identifier=")


def test_every_reference_names_an_entry_of_the_bundle() -> None:
    bundle = build_referral(a_referral())
    named = {entry["fullUrl"] for entry in bundle["entry"]}
    text = render(bundle).decode()
    assert {f"urn:uuid:{part[:36]}" for part in text.split("urn:uuid:")[1:]} == named


def test_a_token_escapes_what_separates_tokens() -> None:
    assert token(Identifier("https://a|b", "R,1$")) == "https://a\\|b|R\\,1\\$"


def test_a_part_that_is_not_fhir_is_not_sent() -> None:
    wrong = replace(a_referral(), patient=replace(a_referral().patient, gender="lady"))
    with pytest.raises(Unbuildable, match=r"Patient\.gender"):
        build_referral(wrong)


def test_a_referral_without_number_cannot_be_sent() -> None:
    nameless = replace(a_referral(), request=replace(a_referral().request, number=Identifier("", "")))
    with pytest.raises(ValueError, match="ServiceRequest"):
        build_referral(nameless)


def test_a_practitioner_without_npi_travels_by_name() -> None:
    named = replace(a_referral(), practitioner=PractitionerContent(PersonName("Dory", ("Anselm",))))
    received = read_referral(build_referral(named))
    assert (received.practitioner, received.request.requester.display) == (None, "Anselm Dory")


def test_a_bundle_about_two_patients_is_refused() -> None:
    bundle = build_referral(a_referral())
    other = {**bundle["entry"][0], "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    with pytest.raises(Refused) as refused:
        read_referral({**bundle, "entry": [*bundle["entry"], other]})
    assert refused.value.status == 422


def test_a_task_for_somebody_else_is_refused_by_its_path() -> None:
    bundle = build_referral(a_referral())
    task = bundle["entry"][-1]["resource"]
    task["for"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    with pytest.raises(Refused) as refused:
        read_referral(bundle)
    assert refused.value.issues[0].expression == "Task.for"


def test_a_page_of_results_links_to_the_next() -> None:
    found = [{"resourceType": "Task", "id": "1", "status": "requested", "intent": "order"}]
    page = build_searchset(found, "https://c.example/fhir", "https://c.example/fhir/Task", "https://c.example/n", 7)
    assert page["entry"][0]["fullUrl"] == "https://c.example/fhir/Task/1"
    assert [link["relation"] for link in page["link"]] == ["self", "next"]
    assert page["total"] == 7
