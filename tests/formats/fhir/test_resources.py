"""Each resource is written as R4B and read back as it was."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.formats.fhir.datatypes import Identifier, PersonName, Reference, moment, read_moment
from activities.formats.fhir.document_reference import BinaryContent, build_binary, read_binary
from activities.formats.fhir.operation_outcome import (
    Issue,
    IssueType,
    build_operation_outcome,
    read_operation_outcome,
)
from activities.formats.fhir.patient import PatientContent, build_patient, read_patient
from activities.formats.fhir.read import Refused, check_resource
from activities.formats.fhir.render import render
from activities.formats.fhir.search import parse_search
from activities.formats.fhir.service_request import build_service_request, read_service_request
from tests.formats.fhir.referrals import a_referral

WORDS = st.from_regex(r"[A-Za-zÀ-ž'\-]{1,12}( [A-Za-zÀ-ž'\-]{1,12})?", fullmatch=True)


@given(
    st.builds(
        PatientContent,
        identifiers=st.tuples(st.builds(Identifier, st.just("https://a.example/mrn"), WORDS, st.just("MR"))),
        name=st.builds(PersonName, WORDS, st.lists(WORDS, max_size=3).map(tuple)),
        birth_date=st.dates(date(1900, 1, 1), date(2026, 1, 1)) | st.none(),
        gender=st.sampled_from(["male", "female", "other", "unknown", ""]),
        language=st.sampled_from(["", "es", "en-US"]),
        interpreter=st.booleans(),
    )
)
def test_a_patient_is_read_back_as_written(patient: PatientContent) -> None:
    assert read_patient(build_patient(patient)) == patient


def test_a_birth_year_alone_is_no_birth_date() -> None:
    assert read_patient({"resourceType": "Patient", "birthDate": "1958"}).birth_date is None


def test_a_service_request_is_read_back_as_written() -> None:
    request = replace(
        a_referral().request,
        subject=Reference("Patient/p1"),
        requester=Reference("Practitioner/d1", "Dr Valbrenna"),
        performer=Reference("Organization/o1"),
        due_at=datetime(2026, 3, 9, 12, 0, tzinfo=UTC),
        id="s1",
        version="4",
    )
    assert read_service_request(build_service_request(request)) == request


@given(st.binary(min_size=1, max_size=99))
def test_bytes_survive_a_binary(data: bytes) -> None:
    content = BinaryContent("application/pdf", data, "b1")
    built = build_binary(content)
    check_resource(built, "Binary")
    assert read_binary(built) == content


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1)))  # noqa: DTZ001
def test_a_moment_is_read_back_to_the_millisecond(at: datetime) -> None:
    written = moment(at)
    read = read_moment(written)
    assert read is not None
    assert abs((read - at).total_seconds()) < 0.001


def test_a_moment_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        moment(datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_outcome_names_severity_code_and_path() -> None:
    issue = Issue(IssueType.VALUE, "Task.status must be a code.", "Task.status")
    outcome = build_operation_outcome([issue])
    check_resource(outcome, "OperationOutcome")
    (read,) = read_operation_outcome(outcome)
    assert (read.severity, read.code, read.expression) == ("error", "value", "Task.status")


@pytest.mark.parametrize("body", [None, [], "x", {"resourceType": "OperationOutcome", "issue": [3, {"code": 5}]}])
def test_a_broken_outcome_of_a_partner_does_no_harm(body: object) -> None:
    assert all(one.words == "" for one in read_operation_outcome(body))


def test_the_same_resource_is_the_same_bytes_in_any_order() -> None:
    assert render({"b": 1, "a": [True, None, "ü"]}) == render({"a": [True, None, "ü"], "b": 1})


def test_search_parameters_are_read() -> None:
    asked = parse_search(
        "Task",
        [
            ("identifier", "https://a\\|b|R-1,R\\,2"),
            ("status", "requested,accepted"),
            ("patient", "Patient/p1"),
            ("_lastUpdated", "ge2026-03-01T00:00:00Z"),
            ("_count", "1000"),
        ],
    )
    assert asked.identifiers == (Identifier("https://a|b", "R-1"), Identifier("", "R,2"))
    assert asked.statuses == ("requested", "accepted")
    assert (asked.patients, asked.count) == (("p1",), 100)
    assert asked.since == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("status:not", "draft"),
        ("status", "finished"),
        ("status", ""),
        ("_count", "0"),
        ("_count", "many"),
        ("patient", "Group/1"),
        ("_lastUpdated", "2026"),
        ("identifier", "a,,b"),
    ],
)
def test_a_search_parameter_that_cannot_be_followed_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_search("Task", [(name, value)])
    assert refused.value.status == 400
    assert name in refused.value.issues[0].diagnostics


@given(st.lists(st.tuples(st.sampled_from(["identifier", "_id", "focus", "_lastUpdated", "x"]), st.text(max_size=20))))
def test_no_search_makes_the_parser_fail_otherwise(given_pairs: list[tuple[str, str]]) -> None:
    try:
        parse_search("Task", given_pairs)
    except Refused as refused:
        assert refused.status == 400
