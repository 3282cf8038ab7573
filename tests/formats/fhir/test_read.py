"""The strict reader: it names the path of what does not fit, and never fails in any other way."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.formats.fhir.read import MAX_BYTES, Refused, read_json, read_resource
from activities.formats.fhir.render import render

TASK: dict[str, Any] = {"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order"}


def refused(raw: bytes | dict[str, Any], resource_type: str = "Task") -> Refused:
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    with pytest.raises(Refused) as caught:
        read_resource(body, resource_type)
    return caught.value


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"colour": "red"}, "Task.colour"),
        ({"for_fhir": {"reference": "Patient/1"}}, "Task.for_fhir"),
        ({"fhir_comments": "x"}, "Task.fhir_comments"),
        ({"status": "finished"}, "Task.status"),
        ({"status": 3}, "Task.status"),
        ({"status": True}, "Task.status"),
        ({"lastModified": 5}, "Task.lastModified"),
        ({"lastModified": "2026-02-30T10:00:00Z"}, "Task.lastModified"),
        ({"lastModified": "2026-02-01T10:00:00"}, "Task.lastModified"),
        ({"authoredOn": "yesterday"}, "Task.authoredOn"),
        ({"note": {"text": "x"}}, "Task.note"),
        ({"note": []}, "Task.note"),
        ({"note": [{"text": "a\u0000b"}]}, "Task.note[0].text"),
        ({"note": [{"text": ""}]}, "Task.note[0].text"),
        ({"note": [None]}, "Task.note[0]"),
        ({"businessStatus": [{}]}, "Task.businessStatus"),
        ({"businessStatus": {}}, "Task.businessStatus"),
        ({"businessStatus": {"coding": [{"sytem": "x"}]}}, "Task.businessStatus.coding[0].sytem"),
        ({"restriction": {"repetitions": "3"}}, "Task.restriction.repetitions"),
        ({"restriction": {"repetitions": 0}}, "Task.restriction.repetitions"),
        ({"output": [{"type": {"text": "x"}}]}, "Task.output[0]"),
        ({"output": [{"type": {"text": "x"}, "valueString": "a", "valueBoolean": True}]}, "Task.output[0]"),
        ({"output": [{"valueString": "a"}]}, "Task.output[0].type"),
        ({"contained": [{"resourceType": "Secret"}]}, "Task.contained[0].resourceType"),
        ({"contained": [{"resourceType": "Patient", "gender": "lady"}]}, "Task.contained[0].gender"),
        ({"id": "not an id"}, "Task.id"),
        ({"intent": None}, "Task.intent"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(change: dict[str, Any], path: str) -> None:
    failed = refused({**TASK, **change})
    assert failed.status == 400
    assert path in [issue.expression for issue in failed.issues]


def test_a_missing_element_is_refused_by_its_path() -> None:
    failed = refused({"resourceType": "Task", "status": "requested"})
    assert failed.issues[0].expression == "Task.intent"


def test_another_resource_type_is_refused() -> None:
    assert refused({"resourceType": "Patient"}).issues[0].expression == "Task.resourceType"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"resourceType":"Task","resourceType":"Task"}',
        b'{"a":NaN}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 60 + b"1" + b"}" * 60,
    ],
)
def test_unreadable_bytes_are_refused(raw: bytes) -> None:
    assert refused(raw).status == 400


def test_a_huge_body_is_refused_before_it_is_parsed() -> None:
    assert refused(b" " * (MAX_BYTES + 1)).status == 413


def test_an_unknown_extension_is_kept_to_the_letter() -> None:
    raw = b'{"extension":[{"url":"https://p.example/score","valueDecimal":1.10}],"id":"t1","intent":"order","resourceType":"Task","status":"requested"}'
    assert render(read_resource(raw, "Task")) == raw


def test_an_unknown_modifier_extension_is_refused() -> None:
    failed = refused({**TASK, "modifierExtension": [{"url": "https://p.example/not", "valueBoolean": True}]})
    assert (failed.status, failed.issues[0].expression) == (422, "Task.modifierExtension")


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    failed = refused({**TASK, "description": "\u0001Achterbeek", "Achterbeek Rosalind": 1})
    assert all("Achterbeek" not in issue.diagnostics + issue.expression for issue in failed.issues)


def test_a_companion_of_a_primitive_is_read() -> None:
    told = {"extension": [{"url": "https://p.example/why", "valueCode": "masked"}]}
    assert read_resource(json.dumps({**TASK, "_authoredOn": told}).encode(), "Task")["_authoredOn"] == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("status", "intent", "id", "for", "focus", "note", "output", "contained", "extension", "meta", "_status"),
        *("businessStatus", "coding", "text", "reference", "valueReference", "type", "period", "authoredOn"),
        *("restriction", "identifier", "resourceType", "system", "start"),
    ]
)
SHAPED = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, "", "Task", "Patient", "2026-01-01", "x y", "urn:uuid:1", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_the_reader_fail_otherwise(raw: bytes) -> None:
    try:
        read_json(raw)
        read_resource(raw, "Task")
    except Refused as failed:
        assert failed.status in (400, 413, 422)
        assert failed.issues


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, SHAPED, max_size=6), st.sampled_from(["Task", "Patient", "Bundle", "DocumentReference"]))
def test_no_shape_of_resource_makes_the_reader_fail_otherwise(elements: dict[str, Any], kind: str) -> None:
    raw = json.dumps({"status": "requested", "intent": "order", **elements, "resourceType": kind}).encode()
    try:
        render(read_resource(raw, kind))
    except Refused as failed:
        assert failed.status in (400, 422)
        assert failed.issues
