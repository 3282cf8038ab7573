"""One received file in words: its pages, whose they may be, the form."""

from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.document_inbox import DocumentInbox, InboxPage, PageState
from activities.records.document_reference import Source
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.queries.inbox import ShownPage, SuggestedCase, Suggestions
from rules.access import Permission
from web.access import Person
from web.documents.asked import Asked, Refused
from web.documents.present import CaseChoice, FileView, Notice, PageView
from web.documents.words import REJECTION_WORDS, REJECTIONS, SOURCE_WORDS, TYPES, age_words, pages_words, sender_words
from web.fields import FieldKind, FieldView
from web.present import Act, Tag, Tone, age_and_sex, family_first, moment_words, us_date
from web.referrals.words import stage_tag

LARGE, SMALL = 1000, 200
FILED, REJECTED = Tag("Filed", Tone.OK, "circle-check"), Tag("Rejected", Tone.NEUTRAL, "ban")


def file_view(
    file: DocumentInbox,
    sender: Organization | None,
    pages: list[ShownPage],
    found: Suggestions,
    asked: Asked,
    refused: Refused,
    person: Person,
    now: datetime,
    zone: ZoneInfo,
    notice: Notice | None,
) -> FileView:
    """The whole page, with what was typed and chosen kept."""
    url = f"/documents/inbox/{file.id}"
    writes = person.may(Permission.DOCUMENT_WRITE)
    waits = writes and any(one.page.state == PageState.WAITING for one in pages)
    source = SOURCE_WORDS[Source(file.source)]
    return FileView(
        title=f"{source} from {sender_words(file.received_from, sender)}",
        subline=f"{moment_words(file.received_at, now, zone)} · {age_words(file.received_at, now)}"
        f" · {pages_words(file.pages)}",
        url=url,
        pages=tuple(_page(one, file, url, asked, writes) for one in pages),
        fields=_fields(asked, refused) if waits else (),
        words=asked.words,
        cases=tuple(_case(one, asked, now, zone) for one in found.cases),
        patients=tuple(_patient(one, asked, now, zone) for one in found.patients),
        nobody=_nobody(asked, sender, found),
        reasons=REJECTIONS,
        token=str(asked.token),
        download=Act("Download", f"{url}/original", "download", quiet=True),
        problem=refused.problem or file.problem,
        pages_error=refused.pages,
        cases_error=refused.cases,
        reason_error=refused.reason,
        notice=notice,
    )


def _page(one: ShownPage, file: DocumentInbox, url: str, asked: Asked, writes: bool) -> PageView:
    page = one.page
    waits = page.state == PageState.WAITING
    address = f"{url}/pages/{page.number}.png?turn={page.rotation}"
    return PageView(
        number=page.number,
        count=file.pages,
        picture_url=f"{address}&width={LARGE}",
        small_url=f"{address}&width={SMALL}",
        waiting=waits and writes,
        chosen=asked.fresh or page.number in asked.pages,
        tag=_tag(page),
        link=f"/documents/{page.document_id}" if page.document_id else "",
        words=one.document.title if one.document else REJECTION_WORDS.get(page.reason, page.reason),
        left=f"{page.number}:{(page.rotation - 90) % 360}" if waits and writes else "",
        right=f"{page.number}:{(page.rotation + 90) % 360}" if waits and writes else "",
        back=f"{url}/pages/{page.number}/return" if writes and page.state == PageState.REJECTED else "",
    )


def _tag(page: InboxPage) -> Tag | None:
    return {PageState.FILED: FILED, PageState.REJECTED: REJECTED}.get(PageState(page.state))


def _fields(asked: Asked, refused: Refused) -> tuple[FieldView, ...]:
    kind = (str(asked.type),) if asked.type else ()
    title = (asked.title,) if asked.title else ()
    return (
        FieldView("type", "What is it?", FieldKind.CHOICE, kind, TYPES, error=refused.type),
        FieldView("title", "Title", values=title, hint="For example Knee MRI, right", required=False, longest=120),
    )


def _case(one: SuggestedCase, asked: Asked, now: datetime, zone: ZoneInfo) -> CaseChoice:
    value, request = f"case:{one.request.id}", one.request
    who = family_first(one.patient.family, one.patient.given)
    tag = stage_tag(request.stage)
    if one.report_due and one.process.next_due and one.process.next_due < now:
        tag = Tag("Report late", Tone.DANGER, "report-off")
    seen = f"seen {moment_words(request.visit_at, now, zone)}" if request.visit_at and one.report_due else ""
    partner = "" if one.from_sender else f"with {one.partner.name}"
    return CaseChoice(
        value=value,
        lead=who,
        words=" · ".join(part for part in (request.service, request.number, partner, seen) if part),
        second=_about(one.patient, now, zone),
        tag=tag,
        chosen=asked.whose == value,
    )


def _patient(row: Patient, asked: Asked, now: datetime, zone: ZoneInfo) -> CaseChoice:
    value = f"patient:{row.id}"
    who = family_first(row.family, row.given)
    return CaseChoice(value, who, "Into the chart, no case", _about(row, now, zone), chosen=asked.whose == value)


def _about(row: Patient, now: datetime, zone: ZoneInfo) -> str:
    today = now.astimezone(zone).date()
    return f"{us_date(row.birth_date)} · {age_and_sex(row.birth_date, row.sex, today)} · {row.mrn}"


def _nobody(asked: Asked, sender: Organization | None, found: Suggestions) -> str:
    """What to do where nothing is suggested."""
    if found.cases or found.patients:
        return ""
    if asked.words:
        return "Nobody matches. Check the spelling, or search by birth date alone."
    if sender:
        return f"Nothing is open with {sender.name}. Search for the patient."
    return "The sender is not in the directory. Search for the patient named on the pages."
