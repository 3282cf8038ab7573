"""The FHIR door: what it lets in, and that every refusal has the right status and names its cause."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask import Flask
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from activities.formats.fhir.referral_bundle import build_referral, build_update
from activities.formats.fhir.render import render
from tests.fhir_door import FakeDoor, Issuer, a_task, door_app, outcome
from tests.formats.fhir.referrals import a_referral
from web.access import door_of
from web.fhir.arrivals import MAX_BUNDLE
from web.fhir.door import ArrivalKind, Fate, Interface, Page
from web.fhir.door import Readable as Kind
from web.fhir.door import Stored as Kept

BASE = "https://careloop.example/fhir"
JSON = "application/fhir+json"
EVERYTHING = "system/*.cruds"


@dataclass
class Room:
    """The door with one Task of partner `quillon` behind it."""

    door: FakeDoor
    app: Flask
    issuer: Issuer

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        token = options.pop("token", None) or self.issuer.token(BASE, scope=options.pop("scope", EVERYTHING))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": JSON} | options.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.app.test_client().open(f"/fhir{path}", method=method, data=data, headers=headers, **options)

    def put(self, task: Any, version: str = "1", **options: Any) -> TestResponse:
        headers = {"If-Match": f'W/"{version}"'} | options.pop("headers", {})
        return self.ask("PUT", "/Task/t1", task, headers=headers, **options)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer("https://identity.example")


@pytest.fixture
def room(issuer: Issuer) -> Room:
    door = FakeDoor()
    door.put("quillon", a_task(BASE, "t1"))
    door.put("other-partner", a_task(BASE, "t2"))
    door.put("heron-partner", a_task(BASE, "t3"))
    return Room(door, door_app(door, BASE, issuer, issuer.client()), issuer)


def accepted(**changes: Any) -> dict[str, Any]:
    return {**a_task(BASE, "t1"), "status": "accepted", **changes}


def refusal(response: TestResponse, status: int, path: str | None = None) -> str:
    assert response.status_code == status, response.text
    assert response.content_type == JSON
    (issue, *_) = outcome(response.data)
    if path is not None:
        assert issue["expression"] == [path]
    return str(issue["diagnostics"])


def test_metadata_is_open_and_valid(room: Room) -> None:
    response = room.app.test_client().get("/fhir/metadata")
    statement = CapabilityStatement.model_validate_json(response.data)
    assert (response.status_code, statement.fhirVersion) == (200, "4.0.1")
    assert response.headers["Cache-Control"] == "no-store"


def test_every_view_names_its_scope_or_is_public(room: Room) -> None:
    views = {name: view for name, view in room.app.view_functions.items() if name.startswith("fhir.")}
    assert len(views) == 11
    assert all(door_of(view) is not None for view in views.values())


def test_a_task_is_read_with_its_etag(room: Room) -> None:
    response = room.ask("GET", "/Task/t1", scope="system/Task.r")
    assert (response.status_code, response.headers["ETag"]) == (200, 'W/"1"')
    assert json.loads(response.data) == a_task(BASE, "t1")


def test_a_task_that_has_not_changed_is_not_sent_again(room: Room) -> None:
    response = room.ask("GET", "/Task/t1", headers={"If-None-Match": 'W/"1"'})
    assert (response.status_code, response.data) == (304, b"")


@pytest.mark.parametrize("task_id", ["t2", "t3", "none", "not%20an%20id"])
def test_what_is_not_for_this_partner_is_not_there(room: Room, task_id: str) -> None:
    assert refusal(room.ask("GET", f"/Task/{task_id}"), 404) == "There is no Task with this id for you."


def test_an_update_is_applied_and_answered_with_the_new_version(room: Room) -> None:
    response = room.put(accepted())
    assert (response.status_code, response.headers["ETag"]) == (200, 'W/"2"')
    assert json.loads(response.data)["status"] == "accepted"
    (arrival,) = room.door.arrivals
    assert (arrival.resource_id, arrival.version) == ("t1", "1")
    assert json.loads(arrival.raw) == accepted()


def test_an_update_repeated_to_the_letter_gets_the_first_answer(room: Room) -> None:
    first, second = room.put(accepted()), room.put(accepted())
    assert (second.status_code, second.data) == (200, first.data)
    assert len(room.door.arrivals) == 1


def test_a_stale_etag_is_refused(room: Room) -> None:
    room.put(accepted())
    words = refusal(room.put(accepted(status="rejected")), 412)
    assert 'W/"2"' in words
    assert len(room.door.arrivals) == 1


def test_an_update_without_if_match_is_refused(room: Room) -> None:
    assert "If-Match" in refusal(room.ask("PUT", "/Task/t1", accepted()), 428)


@pytest.mark.parametrize("given", ["*", "3", 'W/"1", W/"2"', '"a b"'])
def test_an_if_match_that_is_not_one_etag_is_refused(room: Room, given: str) -> None:
    refusal(room.put(accepted(), headers={"If-Match": given}), 400)


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"colour": "red"}, 400, "Task.colour"),
        ({"status": "finished"}, 400, "Task.status"),
        ({"note": [{"text": 3}]}, 400, "Task.note[0].text"),
        ({"id": "t2"}, 400, "Task.id"),
        ({"for": {"reference": "Patient/p2"}}, 422, "Task.for"),
        ({"priority": "stat"}, 422, "Task.priority"),
        ({"owner": {"reference": "Organization/other"}}, 422, "Task.owner"),
        ({"modifierExtension": [{"url": "https://p.example/x", "valueCode": "y"}]}, 422, "Task.modifierExtension"),
        (
            {"contained": [{"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p2"}}]},
            422,
            "Task.contained[0].subject",
        ),
    ],
)
def test_an_update_that_does_not_fit_is_refused_by_its_path(
    room: Room, change: dict[str, Any], status: int, path: str
) -> None:
    refusal(room.put(accepted(**change)), status, path)
    assert room.door.arrivals == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000])
def test_unreadable_bytes_are_refused(room: Room, body: bytes) -> None:
    refusal(room.put(body), 400)


def test_a_huge_body_is_refused(room: Room) -> None:
    refusal(room.put(b" " * (MAX_BUNDLE + 1)), 413)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/fhir+xml"},
        {"Content-Type": None},
        {"Content-Type": f"{JSON}; charset=latin-1"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_is_refused(room: Room, headers: dict[str, str | None]) -> None:
    refusal(room.put(accepted(), headers=headers), 415)


def test_a_caller_that_takes_no_json_is_refused(room: Room) -> None:
    refusal(room.ask("GET", "/Task/t1", headers={"Accept": "application/fhir+xml"}), 406)
    refusal(room.ask("GET", "/Task/t1?_format=xml"), 406)
    assert room.ask("GET", "/Task/t1?_format=application/fhir+json").status_code == 200


def test_a_call_without_token_is_refused_with_a_challenge(room: Room) -> None:
    response = room.app.test_client().get("/fhir/Task/t1")
    refusal(response, 401)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="fhir"'


@pytest.mark.parametrize("token", ["rubbish", "a.b.c"])
def test_rubbish_for_a_token_is_refused(room: Room, token: str) -> None:
    response = room.ask("GET", "/Task/t1", token=token)
    refusal(response, 401)
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_forged_token_is_refused(room: Room) -> None:
    refusal(room.ask("GET", "/Task/t1", token=Issuer(room.issuer.url).token(BASE)), 401)


def test_an_expired_token_is_refused(room: Room) -> None:
    refusal(room.ask("GET", "/Task/t1", token=room.issuer.token(BASE, life=-120)), 401)


def test_a_token_for_another_server_is_refused(room: Room) -> None:
    refusal(room.ask("GET", "/Task/t1", token=room.issuer.token("https://other.example/fhir")), 401)


def test_a_missing_scope_is_refused_by_name(room: Room) -> None:
    response = room.put(accepted(), scope="system/Task.rs")
    assert "system/Task.u" in refusal(response, 403)
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_a_client_of_no_clinic_is_refused(room: Room) -> None:
    refusal(room.ask("GET", "/Task/t1", token=room.issuer.token(BASE, "stranger")), 403)


@pytest.mark.parametrize(
    ("fate", "status"), [(Fate.RECORDED, 202), (Fate.WAITING, 202), (Fate.REFUSED, 409), (Fate.STALE, 412)]
)
def test_what_the_engine_says_is_told(room: Room, fate: Fate, status: int) -> None:
    room.door.fate = room.door.later = fate
    response = room.put(accepted())
    assert response.status_code == status
    (issue,) = outcome(response.data)
    assert issue["severity"] == ("information" if status == 202 else "error")


def test_an_update_the_engine_takes_a_moment_for_is_waited_for(room: Room) -> None:
    room.door.fate, room.door.later = Fate.RECORDED, Fate.APPLIED
    assert room.put(accepted()).status_code == 200


def test_a_search_finds_only_what_is_the_partners(room: Room) -> None:
    response = room.ask("GET", "/Task?status=requested&_count=5")
    Bundle.model_validate_json(response.data)
    assert [entry["resource"]["id"] for entry in json.loads(response.data)["entry"]] == ["t1"]
    assert (room.door.searches[0].statuses, room.door.searches[0].count) == (("requested",), 5)


def test_a_search_by_post_says_nothing_in_its_address(room: Room) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = room.ask("POST", "/Task/_search", b"patient=p1", headers=form)
    links = {link["relation"]: link["url"] for link in json.loads(response.data)["link"]}
    assert links == {"self": f"{BASE}/Task", "next": f"{BASE}/Task?_cursor=c2"}
    assert room.door.searches[0].patients == ("p1",)


def test_an_unknown_search_parameter_is_refused_by_name(room: Room) -> None:
    assert "colour" in refusal(room.ask("GET", "/Task?colour=red"), 400)


def test_a_referral_is_taken_whole(room: Room) -> None:
    raw = render(build_referral(a_referral()))
    assert room.ask("POST", "/", raw).status_code == 200
    assert room.door.arrivals[0].raw == raw


def test_a_referral_without_its_patient_is_refused(room: Room) -> None:
    bundle = build_referral(a_referral())
    refusal(room.ask("POST", "", {**bundle, "entry": bundle["entry"][1:]}), 422, "Bundle.entry")


Bundled = dict[str, Any]


def entry(bundle: Bundled, kind: str) -> Bundled:
    found: Bundled = next(one for one in bundle["entry"] if one["resource"]["resourceType"] == kind)
    return found


def spoil(bundle: Bundled, change: str) -> None:
    """Makes a good referral unfit in one way."""
    patient, task, request = (entry(bundle, kind) for kind in ("Patient", "Task", "ServiceRequest"))
    match change:
        case "no request":
            del patient["request"]
        case "no resource":
            bundle["entry"].append({"request": {"method": "DELETE", "url": "Patient/1"}})
        case "delete":
            patient["request"] = {"method": "DELETE", "url": "Patient/1"}
        case "another kind":
            patient["request"]["url"] = "Person"
        case "somebody's patient":
            patient["request"] = {"method": "PUT", "url": "Patient/1"}
        case "another task":
            task["request"] = {"method": "PUT", "url": "Task?identifier=urn:ietf:rfc:3986|https://elsewhere/Task/1"}
        case "an observation":
            code = {"text": "Potassium"}
            patient["resource"] = {"resourceType": "Observation", "status": "final", "code": code}
        case "a name for nothing":
            task["resource"]["owner"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000009"}
        case "a name twice":
            request["fullUrl"] = task["fullUrl"]
            task["resource"]["focus"] = {"reference": task["fullUrl"]}
        case "no family name":
            del patient["resource"]["name"]
        case "a year of birth":
            patient["resource"]["birthDate"] = "1990"
        case "not born yet":
            patient["resource"]["birthDate"] = "2190-01-01"
        case "no number":
            request["resource"]["identifier"] = [{"value": "R-1"}]
        case "no service":
            request["resource"]["code"] = {"coding": [{"system": "https://q.example/codes"}]}
        case "no address":
            task["resource"]["identifier"] = [{"system": "https://q.example/task", "value": "1"}]
        case "accepted already":
            task["resource"]["status"] = "accepted"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("no request", "Bundle.entry[0].request"),
        ("no resource", "Bundle.entry[10].resource"),
        ("delete", "Bundle.entry[0].request"),
        ("another kind", "Bundle.entry[0].request"),
        ("somebody's patient", "Bundle.entry[0].request"),
        ("another task", "Bundle.entry[9].request"),
        ("an observation", "Bundle.entry[0].resource"),
        ("a name for nothing", "Bundle.entry[9].resource.owner.reference"),
        ("a name twice", "Bundle.entry[9].fullUrl"),
        ("no family name", "Patient.name"),
        ("a year of birth", "Patient.birthDate"),
        ("not born yet", "Patient.birthDate"),
        ("no number", "ServiceRequest.identifier"),
        ("no service", "ServiceRequest.code"),
        ("no address", "Task.identifier"),
        ("accepted already", "Task.status"),
    ],
)
def test_a_malformed_referral_is_refused_by_the_path_of_its_fault(room: Room, change: str, path: str) -> None:
    bundle = build_referral(a_referral())
    spoil(bundle, change)
    refusal(room.ask("POST", "", bundle), 422, path)
    assert room.door.arrivals == []


def test_word_of_a_referral_is_told_from_a_new_one(room: Room) -> None:
    referral = a_referral()
    task = {**entry(build_referral(referral), "Task")["resource"], "status": "accepted"}
    assert room.ask("POST", "", build_update(referral, task)).status_code == 200
    (arrival,) = room.door.arrivals
    assert (arrival.kind, arrival.address) == (ArrivalKind.REFERRAL_UPDATE, referral.task.address)


def test_a_referral_and_word_of_it_stand_in_one_line(room: Room) -> None:
    referral = a_referral()
    bundle = build_referral(referral)
    room.ask("POST", "", bundle)
    room.ask("POST", "", build_update(referral, entry(bundle, "Task")["resource"]))
    first, second = room.door.arrivals
    assert first.line == second.line != b""


def a_document(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "identifier": [{"system": "https://q.example/doc", "value": "7"}],
        "subject": {"reference": patient},
        "content": [{"attachment": {"contentType": "text/plain", "data": "cmVwb3J0"}}],
    }


def test_a_document_is_made_at_an_address(room: Room) -> None:
    response = room.ask("POST", "/DocumentReference", a_document("Patient/p1"))
    assert (response.status_code, response.headers["Location"]) == (201, f"{BASE}/DocumentReference/new1")


def test_a_document_without_its_bytes_is_refused(room: Room) -> None:
    document = a_document("Patient/p1")
    document["content"] = [{"attachment": {"contentType": "text/plain", "title": "Letter"}}]
    refusal(room.ask("POST", "/DocumentReference", document), 422, "DocumentReference.content[0].attachment")


@pytest.mark.parametrize("patient", ["Patient/p2", "p1", "https://elsewhere.example/Patient/p1"])
def test_a_document_about_a_foreign_patient_is_refused(room: Room, patient: str) -> None:
    refusal(room.ask("POST", "/DocumentReference", a_document(patient)), 422, "DocumentReference.subject")


def test_a_condition_on_another_identifier_is_refused(room: Room) -> None:
    headers = {"If-None-Exist": "identifier=https://q.example/doc|8"}
    refusal(room.ask("POST", "/DocumentReference", a_document("Patient/p1"), headers=headers), 412)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Observation/1", 404),
        ("GET", "/Task/t1/_history", 405),
        ("DELETE", "/Task/t1", 405),
        ("PATCH", "/Task/t1", 405),
        ("POST", "/Patient", 405),
        ("POST", "/metadata", 405),
    ],
)
def test_what_is_not_offered_is_said_in_fhir(room: Room, method: str, path: str, status: int) -> None:
    refusal(room.ask(method, path), status)


def test_a_client_that_asks_too_often_is_told_in_fhir(room: Room) -> None:
    @room.app.before_request
    def limit() -> None:
        raise TooManyRequests(retry_after=7)

    response = room.ask("GET", "/Task/t1")
    assert "wait" in refusal(response, 429)
    assert response.headers["Retry-After"] == "7"


class BrokenDoor(FakeDoor):
    def read(self, interface: Interface, kind: Kind, resource_id: str) -> Kept | None:
        raise RuntimeError("Achterbeek")

    def search(self, interface: Interface, asked: object) -> Page:
        raise RuntimeError("Achterbeek")


def test_a_failure_of_ours_says_nothing_of_the_patient(issuer: Issuer, capsys: pytest.CaptureFixture[str]) -> None:
    room = Room(BrokenDoor(), door_app(BrokenDoor(), BASE, issuer, issuer.client()), issuer)
    response = room.ask("GET", "/Task/t1")
    refusal(response, 500)
    written = capsys.readouterr()
    assert "Achterbeek" not in response.text + written.out + written.err
