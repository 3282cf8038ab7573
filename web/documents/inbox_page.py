"""The inbox list in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from activities.records.as_paper import phone_words
from activities.records.document_inbox import Ledger
from activities.records.document_reference import Source
from activities.records.queries.inbox import OpenWith, WaitingFile
from rules.access import Permission
from web.access import Person
from web.documents.present import InboxLine, InboxView, Notice
from web.documents.words import SOURCE_WORDS, age_words, pages_words, sender_words
from web.present import Act, EmptyState, moment_words

OLD = timedelta(days=1)
EMPTY = EmptyState("Every page is filed", "Faxes, scans and uploads wait here until somebody says whose they are.")


def inbox_view(
    files: list[WaitingFile],
    likely: Mapping[UUID, OpenWith],
    balance: Ledger,
    person: Person,
    now: datetime,
    zone: ZoneInfo,
    notice: Notice | None,
) -> InboxView:
    """The whole list; `likely` is what is open with each known sender."""
    writes = person.may(Permission.DOCUMENT_WRITE)
    upload = Act("Upload…", "/documents/upload", "upload", key="U", filled=True) if writes else None
    return InboxView(
        lines=tuple(_line(one, likely, writes, now, zone) for one in files),
        ledger=ledger_words(balance),
        balances=balance.balances,
        upload=upload,
        empty=EMPTY,
        notice=notice,
    )


def ledger_words(balance: Ledger) -> str:
    """`128 pages received = 117 filed + 9 waiting + 2 rejected`."""
    sign = "=" if balance.balances else "is not"
    parts = f"{balance.filed} filed + {balance.waiting} waiting + {balance.rejected} rejected"
    return f"{pages_words(balance.received)} received {sign} {parts}"


def _line(one: WaitingFile, likely: Mapping[UUID, OpenWith], writes: bool, now: datetime, zone: ZoneInfo) -> InboxLine:
    file, url = one.file, f"/documents/inbox/{one.file.id}"
    number = phone_words(file.received_from) if one.sender else file.name
    acts = [Act("Download", f"{url}/original", "download")]
    if writes:
        acts.append(Act("I have seen to it", f"{url}/seen", "check", posts=True))
    return InboxLine(
        url=url,
        sender=sender_words(file.received_from, one.sender),
        second=" · ".join(part for part in (SOURCE_WORDS[Source(file.source)], number) if part),
        at=file.received_at,
        received=moment_words(file.received_at, now, zone),
        age=age_words(file.received_at, now),
        old=now - file.received_at > OLD,
        pages=_waiting(one),
        likely=_likely(likely.get(one.sender.id) if one.sender else None, known=one.sender is not None),
        problem=file.problem,
        acts=tuple(acts),
    )


def _waiting(one: WaitingFile) -> str:
    if one.waiting == one.file.pages:
        return pages_words(one.waiting)
    return f"{one.waiting} of {pages_words(one.file.pages)}"


def _likely(found: OpenWith | None, *, known: bool) -> str:
    """What is open with the sender."""
    if not known:
        return "No partner in the directory has this number"
    if found is None or not found.open:
        return "Nothing is open with this sender"
    due = f"{found.reports_due} {'report is' if found.reports_due == 1 else 'reports are'} due" * bool(
        found.reports_due
    )
    rest = f"{found.open} open {'referral' if found.open == 1 else 'referrals'}"
    return ", ".join(part for part in (due, rest) if part)
