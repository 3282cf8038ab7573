"""The list of all referrals in words, and the same by partner."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from activities.records.organization import Organization
from activities.records.queries.case_lines import CaseLine
from activities.records.queries.partners import Entry
from activities.records.queries.referral_list import Counts
from rules.access import Permission
from rules.referral.vocabulary import Direction, Priority, Stage
from web.access import Person
from web.fields import Choice
from web.patients.page import holder, is_late
from web.present import (
    Act,
    Due,
    EmptyState,
    Owner,
    PatientLine,
    Tag,
    age_and_sex,
    due_words,
    family_first,
    priority_tag,
    short_date,
    us_date,
)
from web.referrals.list_asked import AGES, URL, VIEWS, Asked, url
from web.referrals.words import STAGE_WORDS, stage_tag
from web.signed_in import Clinic
from web.tasks.present import ColumnHead, FilterChip, FilterChoice, QueuePage, SortChoice, ViewGroup, ViewLink

PAGE = 50
LABELS = {"stage": "Status", "partner": "Specialist", "priority": "Priority", "site": "Site", "age": "Age"}
HEADS = (
    ColumnHead("number", "Number"),
    ColumnHead("patient", "Patient"),
    ColumnHead("service", "Service"),
    ColumnHead("standing", "Status"),
    ColumnHead("next", "Next action"),
    ColumnHead("due", "Due"),
    ColumnHead("owner", "Owner"),
)
SORTED_BY = {"number": "number", "standing": "since", "due": "due"}
SORT_LABELS = {"due": "Due first", "since": "Longest in this status", "opened": "Oldest first", "number": "By number"}


@dataclass(frozen=True)
class ReferralRow:
    """A referral; `since` is since when it stands there. A routine one has no priority tag."""

    url: str
    number: str
    patient: PatientLine
    service: str
    partner: str
    priority: Tag | None
    status: Tag
    since: str
    action: str
    due: Due | None
    owner: Owner | None


@dataclass(frozen=True)
class PartnerLoad:
    """`6 referrals with Dr Bertrand Eskild`, `3 reports missing`; `calls_url` is their call sheet."""

    words: str
    missing: str
    late: str
    calls_url: str
    list_url: str


@dataclass(frozen=True)
class Read:
    """What the page is made of besides its rows."""

    counts: Counts
    per_view: Mapping[str, int]
    sites: tuple[str, ...]
    partners: tuple[Organization, ...]


def list_page(asked: Asked, lines: list[CaseLine], read: Read, person: Person, now: datetime, of: Clinic) -> QueuePage:
    """The whole screen; `lines` may be one more than a page."""
    shown = lines[:PAGE]
    last = asked.first + len(shown) - 1
    counts = read.counts
    return QueuePage(
        title=asked.view.label,
        url=url(asked),
        views=_views(asked, read.per_view),
        heads=tuple(_head(asked, one) for one in HEADS),
        rows=tuple(_row(one, person, now, of) for one in shown),
        total=counts.total,
        first=asked.first if shown else 0,
        last=last if shown else 0,
        overdue=f"{counts.late} overdue" if counts.late and asked.view.slug != "closed" else "",
        rest=f"{counts.total} in this view",
        chips=_chips(asked, of, read.partners),
        filters=_filters(asked, of, read),
        keep=(("view", asked.view.slug), *((("sort", asked.sort),) if asked.sort else ())),
        clear_url=f"{URL}?view={asked.view.slug}",
        sorts=_sorts(asked),
        primary=Act("New referral", "/referrals/new", "plus", key="N", filled=True)
        if person.may(Permission.REFERRAL_CREATE)
        else None,
        previous_url=url(asked) if asked.after else "",
        next_url=url(asked, after=str(shown[-1].request.id), first=str(last + 1)) if len(lines) > PAGE else "",
        empty=None if shown else _empty(asked),
    )


def _row(line: CaseLine, person: Person, now: datetime, of: Clinic) -> ReferralRow:
    request, patient = line.request, line.patient
    today = now.astimezone(of.zone).date()
    age = age_and_sex(patient.birth_date, patient.sex, today)
    return ReferralRow(
        url=f"/referrals/{request.id}",
        number=request.number,
        patient=PatientLine(family_first(patient.family, patient.given), us_date(patient.birth_date), age, patient.mrn),
        service=request.service,
        partner=f"from {line.partner}" if request.direction == Direction.IN else line.partner,
        priority=priority_tag(request.priority) if request.priority != Priority.ROUTINE else None,
        status=stage_tag(request.stage, late=is_late(line, now)),
        since=f"since {short_date(request.stage_since.astimezone(of.zone).date(), today)}",
        action=line.process.next_action,
        due=due_words(line.due, now, of.zone) if line.due and not request.closed_at else None,
        owner=None if request.closed_at else holder(line, person),
    )


def _views(asked: Asked, per_view: Mapping[str, int]) -> tuple[ViewGroup, ...]:
    links = tuple(ViewLink(one.label, f"{URL}?view={one.slug}", per_view[one.slug], one == asked.view) for one in VIEWS)
    return (ViewGroup("Referrals", links), by_partner(per_view["open"]))


def by_partner(count: int) -> ViewGroup:
    """The link to the same referrals by partner."""
    return ViewGroup("Grouped", (ViewLink("By specialist", f"{URL}/partners", count),))


def partner_loads(entries: list[Entry]) -> tuple[PartnerLoad, ...]:
    """The partners with open referrals, those who owe most reports first."""
    busy = sorted((one for one in entries if one.open), key=lambda one: (-one.reports, -one.late, one.partner.name))
    return tuple(
        PartnerLoad(
            words=f"{_counted(one.open, 'referral')} with {one.partner.name}",
            missing=f"{_counted(one.reports, 'report')} missing" if one.reports else "",
            late=f"{one.late} overdue" if one.late else "",
            calls_url=f"/partners/{one.partner.id}/calls",
            list_url=f"{URL}?partner={one.partner.id}",
        )
        for one in busy
    )


def _head(asked: Asked, head: ColumnHead) -> ColumnHead:
    word = SORTED_BY.get(head.slug)
    if word is None:
        return head
    now = asked.sort or asked.view.sort
    turned = f"-{word}" if now == word else word
    order = {word: "ascending", f"-{word}": "descending"}.get(now, "")
    return replace(head, url=url(replace(asked, sort=turned)), order=order)


def _sorts(asked: Asked) -> tuple[SortChoice, ...]:
    now = (asked.sort or asked.view.sort).removeprefix("-")
    return tuple(SortChoice(label, url(replace(asked, sort=word)), now == word) for word, label in SORT_LABELS.items())


def _chips(asked: Asked, of: Clinic, partners: tuple[Organization, ...]) -> tuple[FilterChip, ...]:
    return tuple(
        FilterChip(LABELS[name], ", ".join(_word(name, one, of, partners) for one in values), url(asked, without=name))
        for name, values in asked.chosen().items()
    )


def _filters(asked: Asked, of: Clinic, read: Read) -> tuple[FilterChoice, ...]:
    options = {
        "stage": tuple(Stage),
        "partner": tuple(str(one.id) for one in read.partners),
        "priority": tuple(Priority),
        "site": read.sites,
        "age": tuple(AGES),
    }
    return tuple(
        FilterChoice(
            name,
            LABELS[name],
            tuple(Choice(one, _word(name, one, of, read.partners)) for one in values),
            asked.chosen().get(name, ()),
        )
        for name, values in options.items()
        if values
    )


def _word(name: str, value: str, of: Clinic, partners: tuple[Organization, ...]) -> str:
    match name:
        case "stage":
            return STAGE_WORDS[Stage(value)]
        case "priority":
            return priority_tag(value).word
        case "site":
            return of.site(value)
        case "age":
            return AGES[value]
    return next((one.name for one in partners if str(one.id) == value), "another specialist")


def _empty(asked: Asked) -> EmptyState:
    if asked.chosen():
        count = len(asked.chosen())
        return EmptyState(
            f"No referral matches {'this filter' if count == 1 else f'these {count} filters'}",
            "Clear them to see the whole view.",
            (Act("Clear", f"{URL}?view={asked.view.slug}"),),
            good=False,
        )
    return EmptyState("No referral is here", "A referral appears in this view as soon as it stands as the view says.")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
