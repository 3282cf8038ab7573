"""The chart's tables: whose they are, what was known when, what is sealed, and what leaves with a referral."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from psycopg import errors
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from activities.records.allergy import AllergyIntolerance
from activities.records.base import new_id
from activities.records.chart_leaving import contents, leaving
from activities.records.coverage import Coverage, member_of, with_member
from activities.records.patient_identifier import IdentifierSystem, PatientIdentifier, opened_value, ssn_row, with_ssn
from activities.records.queries.summary import Summary, summary
from activities.records.ring import Unreadable
from activities.records.sealed import SealedField, open_field
from rules.consent import Sensitivity
from rules.referral.vocabulary import Consent
from tests import make
from tests.two_clinics import Store

SSN, MEMBER = "900-12-3456", "SYN01-44 71"


def chart_of(store: Store, patient: object, at: datetime | None = None) -> Summary:
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        found = summary(session, patient, at)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_chart_is_its_own_clinics_alone(store: Store) -> None:
    patient = make.patient(store.parts)
    make.condition(store.parts, patient)
    with store.parts.sessions.begin(make.HERONFIELD) as session:
        assert summary(session, patient) is None
    theirs = make.condition(store.parts, make.patient(store.parts, make.HERONFIELD), make.HERONFIELD)
    with store.intruder() as connection:
        assert connection.execute("select id from condition where id = %s", (theirs,)).fetchall() == []


def test_nobody_writes_into_another_clinics_chart(store: Store) -> None:
    theirs = store.theirs["patient"]
    with pytest.raises(IntegrityError):
        make.allergy(store.parts, theirs, substance="Penicillin")


def test_what_was_known_of_allergies_at_a_past_moment_can_be_asked(store: Store) -> None:
    patient = make.patient(store.parts)
    make.allergy(store.parts, patient)
    before = datetime.now(UTC)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(AllergyIntolerance).where(AllergyIntolerance.patient_id == patient).values(
            none_known=False, substance="Latex"))  # fmt: skip
    then, now = chart_of(store, patient, before), chart_of(store, patient)
    assert (then.allergies, then.none_known_on) == ((), make.NOW.date())
    assert ([one.words for one in now.allergies], now.none_known_on) == (["Latex"], None)


def test_no_known_allergies_and_a_named_one_cannot_be_the_same_row(store: Store) -> None:
    patient = make.patient(store.parts)
    with pytest.raises(IntegrityError):
        make.allergy(store.parts, patient, substance="Latex", none_known=True)


def test_nobody_has_asked_is_not_none_known(store: Store) -> None:
    chart = chart_of(store, make.patient(store.parts))
    assert (chart.allergies, chart.none_known_on) == ((), None)


def test_the_severest_allergy_and_the_primary_coverage_come_first(store: Store) -> None:
    patient = make.patient(store.parts)
    make.allergy(store.parts, patient, substance="Latex", severity="mild")
    make.allergy(store.parts, patient, substance="Penicillin", reaction="anaphylaxis", severity="severe")
    make.coverage(store.parts, patient, payer="Coppergate", plan="supplement", rank=2)
    make.coverage(store.parts, patient, payer="Medicare", plan="Part B", rank=1)
    make.coverage(store.parts, patient, payer="Lapsed", status="cancelled")
    make.coverage(store.parts, patient, payer="Ended", ends_on=date(2020, 1, 1))
    chart = chart_of(store, patient)
    assert [one.words for one in chart.allergies] == ["Penicillin: anaphylaxis", "Latex"]
    assert chart.coverage == "Medicare Part B, Coppergate supplement"


def test_a_social_security_number_is_found_however_typed_and_never_stored_plain(store: Store) -> None:
    patient, ring = make.patient(store.parts), store.parts.ring
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.add(ssn_row(ring, "larkmoor", patient, SSN))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert with_ssn(session, ring, "larkmoor", "900123456") == [patient]
        assert with_ssn(session, ring, "larkmoor", "900123457") == []
        row = session.scalars(select(PatientIdentifier).where(PatientIdentifier.patient_id == patient)).one()
        assert opened_value(ring, row) == SSN
    assert_nowhere_plain(store, "patient_identifier", SSN)


def test_a_social_security_number_in_plain_is_refused_by_the_store(store: Store) -> None:
    patient = make.patient(store.parts)
    row = PatientIdentifier(tenant="larkmoor", patient_id=patient, system=IdentifierSystem.SSN, value=SSN)
    with pytest.raises(IntegrityError), store.parts.sessions.begin(make.LARKMOOR) as session:
        session.add(row)


def test_a_member_id_is_found_by_its_digest_and_never_stored_plain(store: Store) -> None:
    patient, ring = make.patient(store.parts), store.parts.ring
    coverage = make.coverage(store.parts, patient, member=MEMBER)
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        assert with_member(session, ring, "larkmoor", "syn01 4471") == [patient]
        row = session.get_one(Coverage, coverage)
        assert member_of(ring, row) == MEMBER
        row.plan = "gold"
    assert_nowhere_plain(store, "coverage", MEMBER)


def test_equal_values_of_two_clinics_and_of_two_kinds_have_different_digests(store: Store) -> None:
    ring = store.parts.ring
    ours = make.coverage(store.parts, make.patient(store.parts), member="123456789")
    theirs = make.coverage(store.parts, make.patient(store.parts, make.HERONFIELD), make.HERONFIELD, member="123456789")
    digests = set()
    for context, identity in ((make.LARKMOOR, ours), (make.HERONFIELD, theirs)):
        with store.parts.sessions.begin(context) as session:
            digests.add(session.get_one(Coverage, identity).member_blind)
    digests.add(ssn_row(ring, "larkmoor", new_id(), "123456789").blind)
    assert len(digests) == 3


def test_a_sealed_value_opens_in_no_other_row(store: Store) -> None:
    ring = store.parts.ring
    row = ssn_row(ring, "larkmoor", new_id(), SSN)
    assert row.sealed is not None
    with pytest.raises(Unreadable):
        open_field(ring, "larkmoor", SealedField.SSN, new_id(), row.sealed)
    with pytest.raises(Unreadable):
        open_field(ring, "heronfield", SealedField.SSN, row.id, row.sealed)


def test_part_2_items_stay_behind_until_written_consent_is_on_file(store: Store) -> None:
    patient = make.patient(store.parts)
    make.condition(store.parts, patient, code="J45.30", text="Asthma", sensitivity=[Sensitivity.BEHAVIORAL])
    make.condition(store.parts, patient, code="F10.21", text="Alcohol", sensitivity=[Sensitivity.PART_2])
    make.medication(store.parts, patient, medication="naltrexone", sensitivity=[Sensitivity.PART_2])
    chart = chart_of(store, patient)
    assert chart.part_2
    for consent in (None, Consent.WITHHELD):
        left = leaving(chart, consent)
        assert ([one.code for one in left.problems], left.medications) == (["J45.30"], ())
    assert leaving(chart, Consent.ON_FILE) == replace(chart, names=())


def test_what_leaves_is_the_minimum(store: Store) -> None:
    patient = make.patient(store.parts, phone="+12085550190")
    make.condition(store.parts, patient, code="I10")
    make.condition(store.parts, patient, code="M81.8", text="Osteoporosis")
    make.condition(store.parts, patient, code="J18.9", text="Pneumonia", clinical_status="resolved")
    make.medication(store.parts, patient, status="stopped")
    make.coverage(store.parts, patient, member=MEMBER)
    make.coverage(store.parts, patient, payer="Second", rank=2)
    make.telecom(store.parts, patient, value="+12085550123", confidential=True)
    make.telecom(store.parts, patient, value="+12085550117", wrong=True)
    left = leaving(chart_of(store, patient), None)
    told = contents(store.parts.ring, "https://careloop.example/fhir", left, ["I10"])
    assert [one.code.words for one in told.conditions] == ["Essential hypertension"]
    assert [one.code.words for one in told.problems] == ["Osteoporosis"]
    assert [one.subscriber_id for one in told.coverages] == [MEMBER]
    assert (told.medications, told.allergies, left.open_telecoms) == ((), (), ())


def test_an_unknown_label_is_refused_by_the_store(store: Store) -> None:
    with pytest.raises(IntegrityError):
        make.condition(store.parts, make.patient(store.parts), sensitivity=["harmless"])


def assert_nowhere_plain(store: Store, table: str, value: str) -> None:
    """Neither in the table nor in its history, whatever the punctuation."""
    bare = "".join(letter for letter in value if letter.isalnum())
    with store.superuser() as connection:
        for name in (table, f"{table}_history"):
            rows = connection.execute(f"select t::text, row_to_json(t)::text from {name} t".encode()).fetchall()
            assert not [
                row for row in rows if value in str(row) or bare in str(row) or value.encode().hex() in str(row)
            ]


def test_the_application_deletes_no_condition(store: Store) -> None:
    with store.intruder() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("delete from condition")


def test_every_change_of_a_coverage_is_kept(store: Store) -> None:
    coverage = make.coverage(store.parts, make.patient(store.parts))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        session.execute(update(Coverage).where(Coverage.id == coverage).values(status="cancelled"))
    with store.parts.sessions.begin(make.LARKMOOR) as session:
        query = text("select status, version from coverage_history where id = :id")
        assert [tuple(row) for row in session.execute(query, {"id": coverage})] == [("active", 1)]
