"""Partners and patients on the real application: the directory, its form, call sheets, the search."""

import re
from collections.abc import Iterator

import pytest

from activities.records.organization import Organization
from infra.bootstrap import build
from tests import make
from tests.postgres import Cluster
from tests.web.reader import Reader, Shown
from tests.web.test_case_page import text

ENTRY = {
    "transport": "paper",
    "phone": "(208) 555-0191",
    "fax": "208 555 0190",
    "hours": "8 AM to 4 PM",
    "services": "Orthopaedics, Hand surgery",
    "plans": "Medicaid",
    "next_open_on": "2026-12-07",
    "packet-0": "Imaging report\nMedication list\n",
}


@pytest.fixture(scope="module")
def shown(cluster: Cluster) -> Iterator[Shown]:
    settings = cluster.fresh()
    parts = build(settings, 8)
    yield Shown(parts)
    parts.sessions.engine.dispose()
    cluster.drop(settings)


@pytest.fixture
def nadia(shown: Shown) -> Reader:
    return shown.as_()


def eskild(shown: Shown) -> Organization:
    with shown.parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(Organization, shown.clinic.partners["eskild"])


def test_an_entry_is_saved_with_what_its_fields_mean_and_is_audited(shown: Shown, nadia: Reader) -> None:
    saved = nadia.post("/partners/{eskild}/entry", version=str(eskild(shown).version), **ENTRY)
    assert saved.status_code == 303
    row = eskild(shown)
    assert (row.phone, row.fax) == ("+12085550191", "+12085550190")
    assert row.services == ["Orthopaedics", "Hand surgery"]
    assert row.packet == {"Orthopaedics": ["Imaging report", "Medication list"]}
    changed = [one for one in shown.audited("Organization") if one.action == "U"][-1]
    assert changed.detail == {"fields": ["hours", "next_open_on", "packet", "plans", "services"]}


def test_a_stale_entry_overwrites_nothing_and_keeps_what_was_typed(shown: Shown, nadia: Reader) -> None:
    refused = nadia.post("/partners/{eskild}/entry", version="1", **{**ENTRY, "hours": "Noon only"})
    assert refused.status_code == 409
    assert "Somebody changed this entry" in refused.text
    assert 'value="Noon only"' in refused.text
    assert eskild(shown).hours != "Noon only"


def test_a_wrong_number_is_named_beside_its_field(shown: Shown, nadia: Reader) -> None:
    refused = nadia.post("/partners/{eskild}/entry", version="9", **{**ENTRY, "phone": "555-0191"})
    assert refused.status_code == 422
    assert "Enter the whole number with its area code" in refused.text


def test_only_who_may_change_the_directory_sees_its_form(shown: Shown) -> None:
    nurse = shown.as_("Marisol Teague, RN")
    assert nurse.get("/partners/{eskild}/entry").status_code == 403
    assert "Edit entry" not in nurse.get("/partners/{eskild}").text


def test_the_directory_measures_answers_from_what_happened(nadia: Reader) -> None:
    page = text(nadia.get("/partners/{eskild}").text)
    assert "2 d, median of 1 case" in page
    assert "No case in a year" in page


def test_one_call_sheet_holds_everything_to_ask(nadia: Reader) -> None:
    page = text(nadia.get("/partners/{eskild}/calls").text)
    assert "1 referral with Dr Bertrand Eskild" in page
    assert "1 report missing" in page
    assert "When does the report come?" in page
    assert "Called once" in page


def test_who_keeps_interfaces_sees_a_partner_but_no_patient_of_its(shown: Shown) -> None:
    page = shown.as_("Rune Castellane").get("/partners/{quillon}").text
    assert "Kowalbrandt" not in page
    assert "Open referrals" not in page


@pytest.mark.parametrize("words", ["straatm", "09/30/1964", "(208) 555-0115", "LM-000103", "R-20003", "20003"])
def test_a_patient_is_found_by_what_is_known_with_each_next_action(nadia: Reader, words: str) -> None:
    page = text(nadia.post("/patients/search", q=words).text)
    named = "Vailgood, Terrence" if "0115" in words else "Straatmann, Wilhelm"
    assert named in page
    assert ("Finish and send" if "0115" in words else "Call Dr Bertrand Eskild") in page


def test_a_search_is_audited_with_whom_it_showed(shown: Shown, nadia: Reader) -> None:
    nadia.post("/patients/search", q="Kowalbrandt")
    last = [one for one in shown.audited("Patient") if one.action == "R"][-1]
    assert last.detail == {"shown": [str(shown.clinic.patients["kowalbrandt"])], "query": "Kowalbrandt"}


def test_nobody_found_says_what_else_to_try(nadia: Reader) -> None:
    assert "No patient or case matches" in nadia.post("/patients/search", q="Nobody-Here").text


def test_another_clinics_patient_is_not_there(shown: Shown) -> None:
    lettie = shown.as_("Lettie Marchbank")
    assert lettie.get("/patients/{straatmann}").status_code == 404
    assert "No patient or case matches" in lettie.post("/patients/search", q="Straatmann").text


def test_no_address_of_a_patient_carries_her_name(nadia: Reader) -> None:
    page = nadia.post("/patients/search", q="Straatmann").text
    for address in re.findall(r'href="([^"]*)"', page):
        assert "straatmann" not in address.lower()
