"""A referral to a partner who has only a fax: its packet is rendered once and kept with the case."""

from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader

from activities.records.as_paper import phone_words
from activities.records.document_reference import (
    DocumentReference,
    DocumentType,
    NewDocument,
    Source,
    of_case,
    open_content,
    store_document,
)
from activities.records.organization import Organization, Transport
from activities.records.service_request import ServiceRequest
from activities.referral.packet import Packet, Prepared
from infra.bootstrap import Parts
from rules.referral.vocabulary import Progress, Stage
from tests import make
from tests.documents import referral
from tests.scans import scanned

ATTACHED, FROM_US = "Knee MRI", "Letter of ours"


class Sent:
    """A case with one document from outside and one of ours, and its packet as a partner gets it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        make.clinics(parts)
        self.patient = make.patient(parts)

    def to(self, transport: Transport) -> tuple[Prepared, list[DocumentReference]]:
        partner = make.organization(self.parts, transport=transport, fax="(208) 555-0190", fhir_address="http://x/fhir")
        case = referral(self.parts, self.patient, partner, Stage.SENT)
        packet = Packet(self.parts.ring, self.parts.settings.public_url)
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            for title, source in ((ATTACHED, Source.FAX), (FROM_US, Source.OURS)):
                self._store(case, title, source)
            request, organization = session.get_one(ServiceRequest, case), session.get_one(Organization, partner)
            prepared = packet.prepare(session, make.LARKMOOR, request, organization, Progress(round=1))
            stored = [one for one in of_case(session, case) if one.type == DocumentType.REFERRAL_LETTER]
        return prepared, stored

    def _store(self, case: UUID, title: str, source: Source) -> None:
        new = NewDocument(
            DocumentType.IMAGING_REPORT,
            title,
            "application/pdf",
            2,
            source,
            make.NOW,
            patient_id=self.patient,
            case_id=case,
        )
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            store_document(session, self.parts.ring, make.LARKMOOR, new, scanned(2))

    def pages(self, row: DocumentReference) -> list[str]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            data = open_content(session, self.parts.ring, make.LARKMOOR, row.hash)
        return [page.extract_text() for page in PdfReader(BytesIO(data)).pages]


@pytest.fixture
def sent(parts: Parts) -> Sent:
    return Sent(parts)


def test_the_packet_for_a_fax_is_kept_with_the_case(sent: Sent) -> None:
    prepared, (packet,) = sent.to(Transport.PAPER)
    assert prepared.sends == ()
    assert (packet.source, packet.pages, packet.patient_id) == (Source.OURS, 4, sent.patient)
    cover, request, *enclosed = sent.pages(packet)
    assert "(208) 555-0190" in cover
    assert "Vailgood" not in cover
    assert "Vailgood, Terrence" in request
    assert ATTACHED in request
    assert FROM_US not in request
    assert len(enclosed) == 2


def test_a_connected_partner_gets_no_paper(sent: Sent) -> None:
    prepared, stored = sent.to(Transport.FHIR)
    assert len(prepared.sends) == 1
    assert stored == []


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12085550115", "(208) 555-0115"),
        ("208-555-0115", "(208) 555-0115"),
        ("(208) 555-0115", "(208) 555-0115"),
        ("+44 20 7946 0000", "+44 20 7946 0000"),
        ("", ""),
    ],
)
def test_a_telephone_number_is_written_as_people_write_it(number: str, shown: str) -> None:
    assert phone_words(number) == shown
