"""Rows of the store as the contents of letters and packets, and the whole packet of a referral as one PDF."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.formats import scan
from activities.formats.pdf.content import Cover, Enclosure, Party, ReferralPacket, Subject
from activities.formats.pdf.render import render
from activities.records.case_event import consent_of
from activities.records.chart_leaving import leaving
from activities.records.document_reference import (
    DocumentReference,
    DocumentType,
    NewDocument,
    Source,
    of_case,
    open_content,
    store_document,
)
from activities.records.location import Location
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.patient_contact import ContactRole
from activities.records.queries.summary import Summary, summary
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from rules.consent import may_leave
from rules.referral.vocabulary import Consent, Priority

PRIORITIES = {Priority.STAT: "STAT", Priority.URGENT: "Urgent", Priority.ROUTINE: "Routine"}
LANGUAGES = {"en": "English", "es": "Spanish"}
SEPARATELY = "(sent separately)"


@dataclass(frozen=True)
class PaperPacket:
    """Cover, request and enclosures as one PDF."""

    data: bytes
    pages: int


@dataclass(frozen=True)
class Attached:
    """The documents that go with a packet, as one list for the request and their bytes in that order."""

    enclosures: tuple[Enclosure, ...]
    contents: tuple[bytes, ...]


def paper_packet(
    session: Session,
    ring: KeyRing,
    context: Context,
    request: ServiceRequest,
    partner: Organization,
    at: datetime,
    said: Consent | None = None,
) -> PaperPacket:
    """What is faxed or posted to a partner at an instant: cover, request, and the case's documents from outside.

    `said` is what is being said of the patient's consent; without it, what was said in the case holds.
    """
    zone = ZoneInfo(session.get_one(Tenant, context.tenant).zone)
    consent = said or consent_of(session, request.id)
    chart = summary(session, request.patient_id)
    assert chart is not None
    chart = leaving(chart, consent)
    attached = _attached(session, ring, context, request, zone, consent)
    ours = sender(session, request.site)
    body = render(packet_content(request, chart, ours, party(partner), attached.enclosures, at.astimezone(zone)), at)
    pages = 1 + sum(scan.read(part).pages for part in (body, *attached.contents))
    priority = Priority(request.priority)
    urgency = "" if priority is Priority.ROUTINE else PRIORITIES[priority]
    cover = Cover(ours, party(partner), request.number, pages, at.astimezone(zone).date(), urgency)
    return PaperPacket(scan.join((render(cover, at), body, *attached.contents)), pages)


def store_packet(
    session: Session,
    ring: KeyRing,
    context: Context,
    request: ServiceRequest,
    partner: Organization,
    at: datetime,
    said: Consent | None = None,
) -> UUID:
    """Renders the packet once and keeps it as a document of the case; answers the document's id."""
    made = paper_packet(session, ring, context, request, partner, at, said)
    document = NewDocument(
        type=DocumentType.REFERRAL_LETTER,
        title=f"Referral packet for {partner.name}",
        content_type=scan.ScanType.PDF,
        pages=made.pages,
        source=Source.OURS,
        received_at=at,
        patient_id=request.patient_id,
        case_id=request.id,
        author=context.actor,
    )
    return store_document(session, ring, context, document, made.data)


def packet_content(
    request: ServiceRequest,
    chart: Summary,
    ours: Party,
    recipient: Party,
    enclosures: tuple[Enclosure, ...],
    at: datetime,
) -> ReferralPacket:
    """The request as a specialist reads it, with a chart that may leave."""
    return ReferralPacket(
        sender=ours,
        recipient=recipient,
        number=request.number,
        priority=PRIORITIES[Priority(request.priority)],
        service=request.service,
        question=request.question,
        requester=Party(request.requester, npi=request.requester_npi),
        requested_on=at.date(),
        patient=_told(chart),
        diagnoses=tuple(request.diagnoses),
        problems=tuple(one.words for one in chart.problems) or None,
        medications=tuple(one.words for one in chart.medications) or None,
        allergies=_allergies(chart),
        insurance=tuple(one.words for one in chart.coverages),
        enclosures=enclosures,
    )


def sender(session: Session, site: str = "") -> Party:
    """Our clinic as a letterhead names it, at the site of a case where that is known."""
    own = session.scalars(select(Organization).where(Organization.partner.is_(False)).limit(1)).one()
    place = session.scalar(select(Location).where(Location.site == site)) if site else None
    lines = (place.address,) if place and place.address else ()
    return Party(own.name, lines, phone_words(place.phone if place and place.phone else own.phone), own.fax, own.npi)


def party(row: Organization) -> Party:
    """A partner of the directory."""
    return Party(row.name, (), phone_words(row.phone), phone_words(row.fax), row.npi)


def subject(row: Patient) -> Subject:
    """A patient as a partner may know her."""
    return Subject(
        name=f"{row.family}, {row.given}",
        birth_date=row.birth_date,
        sex=row.sex,
        mrn=row.mrn,
        phone=phone_words(row.phone),
        language=LANGUAGES.get(row.language, row.language),
        interpreter=row.interpreter,
    )


def _told(chart: Summary) -> Subject:
    """The patient of a packet, with how to reach her."""
    told = chart.open_telecoms
    phones = [one for one in told or () if one.system == "phone"]
    phone = chart.patient.phone if told is None else phones[0].value if phones else ""
    guardian = next((one for one in chart.contacts if one.role == ContactRole.GUARDIAN), None)
    ways = [f"Guardian {guardian.name}, {phone_words(guardian.phone)}" if guardian else ""]
    ways += ["By voice only" if any(one.voice_only for one in phones) else ""]
    contact = "; ".join(way for way in ways if way)
    return replace(subject(chart.patient), phone=phone_words(phone), contact=contact, address=_home(chart))


def addressee(chart: Summary) -> Party:
    """The patient as an envelope names her."""
    return Party(f"{chart.patient.given} {chart.patient.family}", _home(chart))


def _home(chart: Summary) -> tuple[str, ...]:
    """Where post reaches her; empty where no address is known."""
    home = next((one for one in chart.addresses if one.use == "home"), next(iter(chart.addresses), None))
    return (*home.lines, f"{home.city} {home.state} {home.postal_code}".strip()) if home else ()


def _allergies(chart: Summary) -> tuple[str, ...] | None:
    """Empty when she was asked and knows of none, None when nobody has asked."""
    if chart.allergies:
        return tuple(one.words for one in chart.allergies)
    return () if chart.none_known_on else None


def phone_words(number: str) -> str:
    """`(208) 555-0115` for a North American number; any other stays as it is."""
    found = re.fullmatch(r"\+?1?(\d{3})(\d{3})(\d{4})", re.sub(r"[^\d+]", "", number))
    return f"({found[1]}) {found[2]}-{found[3]}" if found else number


def _attached(
    session: Session,
    ring: KeyRing,
    context: Context,
    request: ServiceRequest,
    zone: ZoneInfo,
    consent: Consent | None,
) -> Attached:
    """The case's documents that were not made here; one that cannot be put on paper is named as sent separately."""
    enclosures, contents = [], []
    for row in reversed(of_case(session, request.id)):
        if row.source == Source.OURS or not may_leave(row.sensitivity, consent):
            continue
        data = open_content(session, ring, context, row.hash)
        try:
            contents.append(scan.join((data,)))
            enclosures.append(_enclosure(row, zone))
        except scan.ScanRefused:
            enclosures.append(Enclosure(f"{row.title} {SEPARATELY}", row.pages))
    return Attached(tuple(enclosures), tuple(contents))


def _enclosure(row: DocumentReference, zone: ZoneInfo) -> Enclosure:
    return Enclosure(row.title, row.pages, row.received_at.astimezone(zone).date())
