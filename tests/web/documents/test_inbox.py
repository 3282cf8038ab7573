"""Filing what came by fax: for the right patient and case, once, and the referral moves with it."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from activities.records.document_reference import DocumentStatus
from rules.referral.vocabulary import Stage, Step
from tests import make
from tests.documents import FAX, received, referral
from tests.scans import fax
from tests.web.clinic import WebClinic
from tests.web.documents.desk import DocumentDesk, words
from web.handover import Answer, Fate


class Inbox(DocumentDesk):
    """Nadia's desk, with one open referral at the partner whose faxes come in."""

    def __init__(self, clinic: WebClinic, answer: Answer, stage: Stage = Stage.SEEN) -> None:
        super().__init__(clinic, answer=answer)
        self.partner = make.organization(self.parts, name="Dr Eskild", fax=FAX)
        self.patient = make.patient(self.parts, family="Straatmann", given="Wilhelm", mrn="LM-000103")
        self.case = referral(self.parts, self.patient, self.partner, stage, number="R-20418")


def inbox_with(clinic: WebClinic, fate: Fate = Fate.APPLIED, said: str = "", stage: Stage = Stage.SEEN) -> Inbox:
    return Inbox(clinic, Answer(fate, said), stage)


def test_the_list_shows_what_waits_from_whom_and_that_the_ledger_balances(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    received(desk.parts, 3)
    said = words(desk.get("/documents"))
    assert "Dr Eskild Fax · (208) 555-0190" in said
    assert "1 report is due, 1 open referral" in said
    assert "3 pages received = 0 filed + 3 waiting + 0 rejected" in said
    assert "Documents 1 files to file" in said


def test_an_empty_inbox_says_what_would_wait_here(clinic: WebClinic) -> None:
    assert "Every page is filed" in words(inbox_with(clinic).get("/documents"))


def test_a_file_suggests_the_sender_s_open_case_and_chooses_nothing(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    page = desk.get(f"/documents/inbox/{received(desk.parts, 2)}")
    assert f'value="case:{desk.case}"' in page.text
    assert f'value="case:{desk.case}" checked' not in page.text
    assert "Straatmann, Wilhelm" in words(page)
    assert page.text.count('name="page"') == len(re.findall(r'name="page" value="\d" checked', page.text)) == 2


def test_a_consult_note_is_filed_and_is_the_report_its_referral_waits_for(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file, token = received(desk.parts, 2), uuid4()
    answer = desk.file(file, 1, 2, type="consult-note", for_=f"case:{desk.case}", token=str(token))
    (document,) = desk.documents()
    assert (document.id, document.case_id, document.patient_id) == (token, desk.case, desk.patient)
    ((decision, step, facts),) = desk.decided()
    assert (decision, step, facts.document) == (token, Step.REPORT, str(token))
    assert answer.headers["Location"] == f"/documents?filed={token}"
    said = words(desk.get(answer.headers["Location"]))
    assert "Filed to R-20418. The report is recorded: the referring clinician reviews it next." in said


def test_the_same_form_twice_files_one_document_and_decides_once(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file, token = received(desk.parts, 1), str(uuid4())
    for _ in range(2):
        answer = desk.file(file, 1, type="consult-note", for_=f"case:{desk.case}", token=token)
        assert answer.status_code == 303
    assert len(desk.documents()) == len(desk.decided()) == 1


def test_another_kind_of_document_is_filed_and_moves_nothing(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    desk.file(received(desk.parts, 1), 1, type="result", title="Liver panel", for_=f"case:{desk.case}")
    assert [one.title for one in desk.documents()] == ["Liver panel"]
    assert desk.decided() == []


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.SENT, Stage.DECLINED])
def test_a_referral_that_takes_no_report_keeps_the_note_and_says_so(clinic: WebClinic, stage: Stage) -> None:
    desk = inbox_with(clinic, stage=stage)
    answer = desk.file(received(desk.parts, 1), 1, type="consult-note", for_=f"case:{desk.case}")
    assert len(desk.documents()) == 1
    assert desk.decided() == []
    assert "so it was not moved: look at the note there" in words(desk.get(answer.headers["Location"]))
    assert "not taken as the report: look at it" in words(desk.get(f"/referrals/{desk.case}"))


def test_a_note_for_an_ended_referral_is_a_late_note(clinic: WebClinic) -> None:
    desk = inbox_with(clinic, stage=Stage.CLOSED)
    desk.file(received(desk.parts, 1), 1, type="consult-note", for_=f"case:{desk.case}")
    assert [step for _, step, _ in desk.decided()] == [Step.LATE_NOTE]


def test_a_report_the_engine_refuses_leaves_the_document_filed_and_tells_why(clinic: WebClinic) -> None:
    desk = inbox_with(clinic, Fate.REFUSED, "This referral is being cancelled.")
    answer = desk.file(received(desk.parts, 1), 1, type="consult-note", for_=f"case:{desk.case}")
    assert len(desk.documents()) == 1
    said = words(desk.get(answer.headers["Location"]))
    assert "The report was not recorded: This referral is being cancelled. Look at the note on the case." in said


def test_pages_are_filed_one_document_after_the_other(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 3)
    first = desk.file(file, 1, 2, type="consult-note", for_=f"case:{desk.case}")
    assert first.headers["Location"].startswith(f"/documents/inbox/{file}?filed=")
    page = desk.get(first.headers["Location"])
    assert page.text.count('name="page"') == 1
    assert "Consult note" in words(page)
    last = desk.file(file, 3, type="id-card", for_=f"patient:{desk.patient}")
    assert last.headers["Location"].startswith("/documents?filed=")
    assert "Filed in the patient's chart." in words(desk.get(last.headers["Location"]))
    assert desk.ledger().filed == 3


def test_what_lacks_is_said_beside_its_field_and_nothing_is_filed(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    answer = desk.file(received(desk.parts, 2), title="Knee MRI", words="Straatmann")
    assert answer.status_code == 422
    said = words(answer)
    for wanted in ("Select the pages that belong to this document.", "Say what it is.", "Choose whose it is."):
        assert wanted in said
    assert 'value="Knee MRI"' in answer.text
    assert desk.documents() == []


def test_pages_somebody_else_has_filed_are_not_filed_again(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 1)
    desk.file(file, 1, type="result", for_=f"patient:{desk.patient}")
    answer = desk.file(file, 1, type="result", for_=f"patient:{desk.patient}")
    assert answer.status_code == 409
    assert "Somebody has filed or rejected one of these pages meanwhile" in words(answer)


def test_a_patient_is_found_by_name_and_birth_date_and_what_was_typed_stays(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    other = make.patient(desk.parts, family="Farnhamme", given="Odette")
    file = received(desk.parts, 2)
    found = desk.post(f"/documents/inbox/{file}/suggestions", words="farnhamme 09/30/1964", title="Card", page=["2"])
    assert f"patient:{other}" in found.text
    assert 'value="Card"' in found.text
    assert 'value="2" checked' in found.text
    assert 'value="1" checked' not in found.text
    assert desk.seen("Patient")[-1]["shown"] == [str(other)]


def test_a_page_is_turned_and_drawn_turned(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 1)
    upright = desk.get(f"/documents/inbox/{file}/pages/1.png?width=100").data
    page = desk.post(f"/documents/inbox/{file}/rotation", turn="1:90", title="Kept", page=["1"])
    assert 'value="1:180"' in page.text
    assert 'value="Kept"' in page.text
    assert desk.get(f"/documents/inbox/{file}/pages/1.png?width=100").data != upright
    assert desk.post(f"/documents/inbox/{file}/rotation", turn="1:45").status_code == 400


def test_pages_are_rejected_for_a_reason_and_can_wait_again(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 2)
    nothing = desk.post(f"/documents/inbox/{file}/rejection", page=["1"])
    assert (nothing.status_code, "Say why they are rejected." in words(nothing)) == (422, True)
    desk.post(f"/documents/inbox/{file}/rejection", page=["1"], reason="advertisement")
    assert desk.ledger().rejected == 1
    assert "Rejected Advertisement" in words(desk.get(f"/documents/inbox/{file}"))
    desk.post(f"/documents/inbox/{file}/pages/1/return")
    assert desk.ledger().waiting == 2


def test_a_file_that_cannot_be_read_waits_until_somebody_has_seen_to_it(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, data=b"PK\x03\x04 a letter")
    said = words(desk.get("/documents"))
    assert "Cannot be read" in said
    assert "Save it as PDF and send that." in said
    kept = desk.get(f"/documents/inbox/{file}/original")
    assert (kept.data, kept.mimetype) == (b"PK\x03\x04 a letter", "application/octet-stream")
    desk.post(f"/documents/inbox/{file}/seen")
    assert "Every page is filed" in words(desk.get("/documents"))


def test_a_document_filed_in_error_goes_back_to_the_inbox_and_out_of_the_case(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 1)
    desk.file(file, 1, type="result", title="Liver panel", for_=f"case:{desk.case}")
    (document,) = desk.documents()
    address = f"/documents/{document.id}/withdrawal"
    assert desk.post(address).status_code == 422
    back = desk.post(address, reason="It is his father's")
    assert back.headers["Location"] == f"/documents/inbox/{file}"
    assert desk.documents()[0].status == DocumentStatus.ENTERED_IN_ERROR
    assert "Liver panel" not in words(desk.get(f"/referrals/{desk.case}"))
    assert "Filed in error It is his father's" in words(desk.get(f"/documents/{document.id}"))


def test_every_look_is_in_the_audit(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 2)
    desk.get("/documents")
    desk.get(f"/documents/inbox/{file}")
    desk.get(f"/documents/inbox/{file}/pages/2.png")
    desk.get(f"/documents/inbox/{file}/original")
    assert [one["shown"] for one in desk.seen("DocumentInbox")] == [[str(file)]] * 3
    assert len(desk.seen("InboxPage")) == 1


def test_another_clinic_finds_none_of_it(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    file = received(desk.parts, 1)
    desk.file(received(desk.parts, data=fax(1, "Other")), 1, type="result", for_=f"case:{desk.case}")
    (document,) = desk.documents()
    theirs = DocumentDesk(clinic, "lettie.marchbank")
    assert "Every page is filed" in words(theirs.get("/documents"))
    for address in (
        f"/documents/inbox/{file}",
        f"/documents/inbox/{file}/pages/1.png",
        f"/documents/inbox/{file}/original",
        f"/documents/{document.id}",
        f"/documents/{document.id}/pages/1.png",
        f"/documents/{document.id}/file",
        f"/referrals/{desk.case}/packet.pdf",
        f"/referrals/{desk.case}/letters",
        f"/referrals/{desk.case}/attachments",
    ):
        assert theirs.get(address).status_code == 404, address
    patient = f"patient:{desk.patient}"
    own = received(desk.parts, 1, make.HERONFIELD)
    assert theirs.file(own, 1, type="result", for_=patient).status_code == 404


@pytest.mark.parametrize("address", ["/documents", "/documents/upload", f"/documents/inbox/{UUID(int=1)}"])
def test_who_has_no_right_to_documents_sees_none(clinic: WebClinic, address: str) -> None:
    assert DocumentDesk(clinic, "rune.castellane").get(address).status_code == 403


def test_a_file_waiting_since_yesterday_stands_out(clinic: WebClinic) -> None:
    desk = inbox_with(clinic)
    received(desk.parts, 1, at=clinic.clock.now - timedelta(days=2))
    assert '<span class="cl-warn cl-strong">2 days ago</span>' in desk.get("/documents").text
