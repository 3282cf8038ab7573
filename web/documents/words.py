"""Documents in words: their types, where they came from, what a filing led to."""

from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.as_paper import phone_words
from activities.records.decision import Decision, Outcome
from activities.records.document_reference import DocumentReference, DocumentStatus, DocumentType, Source
from activities.records.organization import Organization
from activities.records.service_request import ServiceRequest
from rules.referral.steps import STAGE_WORDS
from rules.referral.vocabulary import Stage, Step
from web.documents.present import Notice
from web.fields import Choice
from web.present import MINUTE, Tag, Tone, moment_words, wait_words

TYPE_WORDS = {
    DocumentType.CONSULT_NOTE: "Consult note",
    DocumentType.REFERRAL_LETTER: "Referral letter",
    DocumentType.RESULT: "Laboratory result",
    DocumentType.IMAGING_REPORT: "Imaging report",
    DocumentType.ID_CARD: "Insurance or ID card",
    DocumentType.AUTHORIZATION: "Authorization",
    DocumentType.OTHER: "Something else",
}
TYPES = tuple(Choice(kind, words) for kind, words in TYPE_WORDS.items())
SOURCE_WORDS = {
    Source.FAX: "Fax",
    Source.UPLOAD: "Uploaded",
    Source.PARTNER: "Sent electronically",
    Source.OURS: "Made here",
}
REJECTIONS = (
    Choice("not-for-us", "Not for us: the sender is told"),
    Choice("advertisement", "Advertisement"),
    Choice("duplicate", "We have it already"),
    Choice("illegible", "Cannot be read: asked to send again"),
    Choice("blank", "Blank page or cover sheet"),
)
REJECTION_WORDS = {one.value: one.label for one in REJECTIONS}


def pages_words(pages: int) -> str:
    """`1 page`, `3 pages`."""
    return f"{pages} page" if pages == 1 else f"{pages} pages"


def sender_words(received_from: str, sender: Organization | None) -> str:
    """The partner's name, else the number it came from."""
    return sender.name if sender else phone_words(received_from) or "Sender not known"


def age_words(at: datetime, now: datetime) -> str:
    """How long something has waited: `just now`, `4 h 10 min ago`, `2 days ago`."""
    return f"{wait_words(now - at)} ago" if now - at >= MINUTE else "just now"


def document_line(row: DocumentReference, now: datetime, zone: ZoneInfo) -> str:
    """`Consult note · Nov 4 · 3 pages · fax from (208) 555-0190`."""
    source = SOURCE_WORDS[Source(row.source)]
    came = f"{source} from {phone_words(row.received_from)}" if row.received_from else source
    return " · ".join((moment_words(row.received_at, now, zone), pages_words(row.pages), came))


def status_tags(row: DocumentReference) -> tuple[Tag, ...]:
    """What kind of document it is, and that it does not count when it was filed in error."""
    kind = Tag(TYPE_WORDS[DocumentType(row.type)], Tone.NEUTRAL, "file-text")
    if row.status == DocumentStatus.ENTERED_IN_ERROR:
        return kind, Tag("Filed in error", Tone.DANGER, "circle-x")
    return (kind,)


def filed_notice(row: DocumentReference, request: ServiceRequest | None, decision: Decision | None) -> Notice:
    """What a filing led to, the case's answer included."""
    if request is None:
        return Notice("Filed in the patient's chart.", f"/documents/{row.id}", "Open the document")
    where = f"Filed to {request.number}."
    said = report_words(row, request, decision)
    warn = bool(said) and (decision is None or decision.outcome in (Outcome.REFUSED, Outcome.PARKED))
    return Notice(f"{where} {said}".strip(), f"/referrals/{request.id}", "Open the case", warn)


def report_words(row: DocumentReference, request: ServiceRequest, decision: Decision | None) -> str:
    """Whether a consult note moved its referral; empty for any other document."""
    if row.type != DocumentType.CONSULT_NOTE or row.source == Source.OURS:
        return ""
    if decision is None:
        return f"The referral is {STAGE_WORDS[Stage(request.stage)]}, so it was not moved: look at the note there."
    if decision.outcome in (Outcome.REFUSED, Outcome.PARKED):
        return f"The report was not recorded: {decision.answer} Look at the note on the case."
    if decision.outcome is None:
        return "The report is being recorded; the case shows it in a moment."
    if decision.name == Step.LATE_NOTE:
        return "The referral has ended: somebody reviews the note there."
    return "The report is recorded: the referring clinician reviews it next."
