"""Uploads, downloads, packets and letters."""

from io import BytesIO
from uuid import uuid4

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from activities.formats import scan
from activities.records.base import new_id
from activities.records.document_reference import DocumentType, Source
from activities.records.patient_address import PatientAddress
from rules.referral.vocabulary import Stage, Step
from tests import make
from tests.documents import referral
from tests.scans import fax, photo, scanned
from tests.web.clinic import WebClinic
from tests.web.documents.desk import DocumentDesk, words


class Case(DocumentDesk):
    """Nadia's desk and one referral to a partner who has only a fax."""

    def __init__(self, clinic: WebClinic) -> None:
        super().__init__(clinic)
        partner = make.organization(self.parts, name="Dr Eskild", phone="(208) 555-0191", fax="(208) 555-0190")
        self.patient = make.patient(
            self.parts,
            family="Ibarra",
            given="Marisela",
            language="es",
            interpreter=True,
            phone="+12085550114",
        )
        make.allergy(self.parts, self.patient, substance="Penicillin", reaction="rash")
        home = PatientAddress(
            id=new_id(),
            tenant="larkmoor",
            patient_id=self.patient,
            lines=["17 Alder Court"],
            city="Boise",
            state="ID",
            postal_code="83705",
        )
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            session.add(home)
        self.case = referral(self.parts, self.patient, partner, visit_at=make.NOW, priority="urgent", number="R-20418")
        self.url = f"/referrals/{self.case}"

    def attach(self, name: str, data: bytes, **form: str) -> TestResponse:
        return self.upload(f"{self.url}/attachments", (name, data), **form)


def text(answer: TestResponse) -> list[str]:
    assert answer.mimetype == "application/pdf"
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(answer.data)).pages]


@pytest.fixture
def case(clinic: WebClinic) -> Case:
    return Case(clinic)


def test_an_upload_waits_in_the_inbox(case: Case) -> None:
    answer = case.upload("/documents/upload", ("fax.tif", fax(2)))
    assert answer.headers["Location"].startswith("/documents/inbox/")
    assert case.ledger().waiting == 2


def test_of_several_files_the_page_says_what_became_of_each(case: Case) -> None:
    case.upload("/documents/upload", ("one.tif", fax(1)))
    said = words(
        case.upload("/documents/upload", ("one.tif", fax(1)), ("two.pdf", scanned(1)), ("x.docx", b"PK\x03\x04"))
    )
    assert "one.tif was here already." in said
    assert "two.pdf is in the inbox." in said
    assert "x.docx is kept, but cannot be filed. This is a Word, Excel or zip file." in said


def test_an_upload_without_a_file_is_asked_for_one(case: Case) -> None:
    answer = case.post("/documents/upload")
    assert (answer.status_code, "Choose a file." in words(answer)) == (422, True)


def test_a_consult_note_added_to_a_case_is_its_report(case: Case) -> None:
    token = str(uuid4())
    answer = case.attach("note.pdf", scanned(2), type="consult-note", token=token)
    (document,) = case.documents()
    assert (str(document.id), document.case_id, document.source) == (token, case.case, Source.UPLOAD)
    assert [(step, facts.document) for _, step, facts in case.decided()] == [(Step.REPORT, token)]
    assert "The report is recorded" in words(case.get(answer.headers["Location"]))


@pytest.mark.parametrize(
    ("name", "data", "form", "wanted"),
    [
        ("note.docx", b"PK\x03\x04", {"type": "result"}, "Save it as PDF and send that."),
        ("note.pdf", scanned(1), {}, "Say what it is."),
        ("", b"", {"type": "result"}, "Choose a file."),
    ],
)
def test_an_attachment_that_cannot_be_used_says_what_to_do(
    case: Case, name: str, data: bytes, form: dict[str, str], wanted: str
) -> None:
    answer = case.attach(name, data, **form)
    assert (answer.status_code, wanted in words(answer)) == (422, True)
    assert case.documents() == []


def test_a_document_is_shown_as_pictures_and_only_ever_downloaded(case: Case) -> None:
    case.attach("note.pdf", scanned(2), type="consult-note", title="Marisela's note")
    (document,) = case.documents()
    page = case.get(f"/documents/{document.id}")
    assert page.text.count(f"/documents/{document.id}/pages/") == 2
    assert "<embed" not in page.text
    assert "<iframe" not in page.text
    picture = case.get(f"/documents/{document.id}/pages/2.png?width=100")
    assert (picture.mimetype, picture.data[:4]) == ("image/png", b"\x89PNG")
    saved = case.get(f"/documents/{document.id}/file")
    assert saved.data == scanned(2)
    said = saved.headers["Content-Disposition"]
    assert said.startswith("attachment; filename=consult-note-")
    assert "Marisela" not in said
    assert case.get(f"/documents/{document.id}/pages/3.png").status_code == 404
    assert [one["query"] for one in case.seen("DocumentReference")] == ["", "page 2", "download", "page 3"]


def test_the_case_lists_its_documents_and_what_one_can_do(case: Case) -> None:
    case.attach("card.jpg", photo(), type="id-card", title="Insurance card")
    page = case.get(case.url)
    said = words(page)
    assert "Insurance card Insurance or ID card" in said
    for address in ("attachments", "packet.pdf", "letters"):
        assert f'href="{case.url}/{address}"' in page.text


def test_a_packet_is_cover_request_and_what_came_from_outside(case: Case) -> None:
    case.attach("mri.pdf", scanned(2), type="imaging-report", title="Knee MRI")
    pages = text(case.get(f"{case.url}/packet.pdf"))
    assert len(pages) == 4
    cover, request = pages[:2]
    for said in ("Urgent", "Dr Eskild", "(208) 555-0190", "R-20418", "Pages, with this one", " 4 "):
        assert said in cover
    assert "Ibarra" not in cover
    for said in ("Ibarra, Marisela", "Spanish, interpreter needed", "Penicillin: rash", "(208) 555-0114", "Knee MRI"):
        assert said in request
    assert [one.type for one in case.documents()] == [DocumentType.IMAGING_REPORT]


def test_a_letter_is_made_once_in_the_patient_s_language_and_kept_with_the_case(case: Case) -> None:
    form = case.get(f"{case.url}/letters/patient-appointment")
    assert 'value="es" checked' in form.text
    token = str(uuid4())
    for _ in range(2):
        answer = case.post(f"{case.url}/letters/patient-appointment", language="es", token=token)
    (letter,) = case.documents()
    assert (letter.source, letter.patient_id, letter.case_id) == (Source.OURS, case.patient, case.case)
    assert answer.headers["Location"] == f"/documents/{token}"
    (said,) = text(case.get(f"/documents/{token}/file"))
    assert "Su cita" in said
    assert "lunes, 23 de noviembre de 2026, a las 8:00 a. m." in said
    assert "Marisela Ibarra 17 Alder Court Boise ID 83705" in said
    assert "Nadia Ferro-Lund" in said


def test_a_letter_that_lacks_its_words_is_not_made(case: Case) -> None:
    for letter, wanted in (("patient-plan", "Write the plan."), ("partner-records-request", "Name the records")):
        answer = case.post(f"{case.url}/letters/{letter}", remark="Please call")
        assert (answer.status_code, wanted in words(answer)) == (422, True)
        assert "Please call" in answer.text
    assert case.documents() == []


def test_a_letter_to_the_partner_names_what_is_asked(case: Case) -> None:
    answer = case.post(f"{case.url}/letters/partner-records-request", records="Operative note\n\nMRI report")
    (said,) = text(case.get(f"{answer.headers['Location']}/file"))
    assert "Request for records" in said
    assert "• Operative note • MRI report" in said


def test_an_appointment_letter_waits_for_the_appointment(case: Case) -> None:
    bare = referral(case.parts, case.patient, make.organization(case.parts), Stage.SCHEDULING)
    assert "Record the appointment first." in words(case.get(f"/referrals/{bare}/letters"))
    assert case.post(f"/referrals/{bare}/letters/patient-appointment", language="en").status_code == 409


def test_letters_and_packets_go_no_further_than_the_chart(case: Case) -> None:
    """What we made ourselves is never enclosed in a packet."""
    case.post(f"{case.url}/letters/partner-report-missing")
    assert len(text(case.get(f"{case.url}/packet.pdf"))) == 2
    assert scan.read(case.get(f"{case.url}/packet.pdf").data).pages == 2
