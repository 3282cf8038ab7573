"""One document in words, and the documents of a case as its page lists them."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from activities.records.as_paper import phone_words
from activities.records.document_reference import DocumentReference, DocumentStatus, DocumentType, Source
from activities.records.queries.summary import Summary
from activities.records.service_request import ServiceRequest
from rules.access import Permission
from web.access import Person
from web.documents.file_page import LARGE, SMALL
from web.documents.present import DocumentView, Notice, PageView
from web.documents.words import SOURCE_WORDS, TYPE_WORDS, document_line, pages_words, status_tags
from web.fields import FormView
from web.present import Act, moment_words
from web.referrals.page import banner
from web.referrals.present import Fact


def document_view(
    row: DocumentReference,
    chart: Summary | None,
    case: ServiceRequest | None,
    author: str,
    form: FormView | None,
    notice: Notice | None,
    person: Person,
    now: datetime,
    zone: ZoneInfo,
) -> DocumentView:
    """The whole page."""
    url = f"/documents/{row.id}"
    return DocumentView(
        title=row.title,
        tags=status_tags(row),
        subline=document_line(row, now, zone),
        patient=banner(chart, now.astimezone(zone).date()) if chart else None,
        facts=_facts(row, case, author, now, zone),
        pages=tuple(_page(row, url, number) for number in range(1, row.pages + 1)),
        acts=_acts(row, url, case, person),
        back_url=f"/referrals/{row.case_id}" if row.case_id else "/documents",
        form=form,
        notice=notice,
    )


def named(author: str) -> UUID | None:
    """The account an author's id names; None for anything else."""
    try:
        return UUID(author)
    except ValueError:
        return None


def _page(row: DocumentReference, url: str, number: int) -> PageView:
    address = f"{url}/pages/{number}.png"
    return PageView(number, row.pages, f"{address}?width={LARGE}", f"{address}?width={SMALL}", waiting=False)


def _facts(
    row: DocumentReference, case: ServiceRequest | None, author: str, now: datetime, zone: ZoneInfo
) -> tuple[Fact, ...]:
    facts = [Fact("Kind", (TYPE_WORDS[DocumentType(row.type)],))]
    if case:
        facts.append(Fact("Case", (f"{case.number} · {case.service}",)))
    facts.append(Fact("Came by", (SOURCE_WORDS[Source(row.source)],)))
    if row.received_from:
        facts.append(Fact("From", (phone_words(row.received_from),)))
    made = "Made" if row.source == Source.OURS else "Received"
    facts.append(Fact(made, (moment_words(row.received_at, now, zone),)))
    if author:
        facts.append(Fact("By" if row.source == Source.OURS else "Filed by", (author,)))
    facts.append(Fact("Size", (f"{pages_words(row.pages)}, {_size_words(row.size)}",)))
    if row.status_reason:
        facts.append(Fact("Filed in error", (row.status_reason,)))
    return tuple(facts)


def _size_words(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, size // 1024)} KB"


def _acts(row: DocumentReference, url: str, case: ServiceRequest | None, person: Person) -> tuple[Act, ...]:
    acts = [Act("Download", f"{url}/file", "download", filled=True)]
    if case:
        acts.append(Act("Open the case", f"/referrals/{case.id}", "arrows-exchange"))
    if person.may(Permission.DOCUMENT_WRITE) and row.status == DocumentStatus.CURRENT:
        acts.append(Act("Filed in error…", f"{url}/withdrawal", "file-x", quiet=True, opens_here=True))
    return tuple(acts)
