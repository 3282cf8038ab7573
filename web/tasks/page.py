"""The work queue in words, filled from the store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from activities.records.account import Account
from activities.records.queries.worklist import Changes as Found
from activities.records.queries.worklist import Counts, WorkItem
from activities.records.queries.worklist import Moved as MovedRow
from rules.access import Permission
from rules.referral.vocabulary import Priority, Stage
from web.access import Person
from web.fields import Choice
from web.present import (
    UNASSIGNED,
    Act,
    EmptyState,
    PatientLine,
    age_and_sex,
    due_words,
    family_first,
    priority_tag,
    us_date,
)
from web.referrals.words import STAGE_WORDS, stage_tag
from web.signed_in import Clinic, owner
from web.tasks.asked import ME, URL, VIEWS, Asked, url
from web.tasks.asked import UNASSIGNED as NOBODY
from web.tasks.present import (
    QUEUE_HEADS,
    BulkAct,
    Changes,
    ColumnHead,
    FilterChip,
    FilterChoice,
    MovedOwner,
    QueuePage,
    QueueRow,
    SortChoice,
    Undo,
    ViewGroup,
    ViewLink,
    bulk_acts,
)

PAGE = 50
NO_PATIENT = PatientLine("No patient", "", "", "")
LABELS = {"owner": "Owner", "priority": "Priority", "stage": "Status", "site": "Site"}
SORT_LABELS = {"": "Most urgent first", "due": "Due first", "age": "Oldest first", "patient": "By patient"}


@dataclass(frozen=True)
class Read:
    """What the page is made of besides its rows."""

    counts: Counts
    per_view: Mapping[str, int]
    sites: tuple[str, ...]
    people: tuple[Account, ...]


def queue_page(
    asked: Asked, items: list[WorkItem], read: Read, person: Person, now: datetime, of: Clinic,
    undo: Undo | None = None, notice: str = "",
) -> QueuePage:  # fmt: skip
    """The whole screen; `items` may be one more than a page."""
    shown, counts = items[:PAGE], read.counts
    last = asked.first + len(shown) - 1
    return QueuePage(
        title=asked.view.label,
        url=url(asked),
        views=_views(asked, read.per_view),
        heads=_heads(asked),
        rows=tuple(_row(one, asked, person, now, of) for one in shown),
        total=counts.total,
        first=asked.first if shown else 0,
        last=last if shown else 0,
        overdue=f"{counts.overdue} overdue" if counts.overdue else "",
        rest=_rest(counts),
        chips=_chips(asked, of, read.people),
        filters=_filters(asked, of, read),
        keep=(("view", asked.view.slug), *((("sort", asked.sort),) if asked.sort else ())),
        clear_url=f"{URL}?view={asked.view.slug}",
        sorts=_sorts(asked),
        bulk=_bulk(read.people, person, now, of),
        primary=Act("New referral", "/referrals/new", "plus", key="N", filled=True)
        if person.may(Permission.REFERRAL_CREATE)
        else None,
        changes_url=_changes_url(asked, shown, now),
        previous_url=url(asked) if asked.after else "",
        next_url=url(asked, after=str(shown[-1].task.id), first=str(last + 1)) if len(items) > PAGE else "",
        undo=undo,
        notice=notice,
        empty=None if shown else _empty(asked),
    )


def changes_page(asked: Asked, found: Found, counts: Counts, person: Person) -> Changes:
    """What waits behind the button, the counts, and who took what is shown."""
    moved = tuple(_moved(one, person) for one in found.moved)
    overdue = f"{counts.overdue} overdue" if counts.overdue else ""
    return Changes(url(asked), found.new, found.changed, moved, overdue, _rest(counts))


def _moved(row: MovedRow, person: Person) -> MovedOwner:
    if not row.open:
        return MovedOwner(str(row.id), words="done")
    if row.owner is None:
        return MovedOwner(str(row.id), words="given back")
    if row.owner == person.account:
        return MovedOwner(str(row.id), owner=owner(row.owner_name, mine=True))
    return MovedOwner(str(row.id), words=f"taken by {owner(row.owner_name).name}")


def _row(item: WorkItem, asked: Asked, person: Person, now: datetime, of: Clinic) -> QueueRow:
    task, patient = item.task, item.patient
    line = NO_PATIENT
    if patient:
        age = age_and_sex(patient.birth_date, patient.sex, now.astimezone(of.zone).date())
        line = PatientLine(family_first(patient.family, patient.given), us_date(patient.birth_date), age, patient.mrn)
    holder = owner(item.owner, mine=task.owner == person.account) if item.owner else UNASSIGNED
    return QueueRow(
        token=str(task.id),
        url=f"/referrals/{task.case_id}?{urlencode(asked.pairs())}",
        priority=priority_tag(task.priority),
        due=due_words(task.due_at, now, of.zone),
        patient=line,
        next_words=task.action,
        case_words=f"{task.subject} · {task.number}",
        why=task.why,
        status=stage_tag(task.stage, late=task.due_at < now),
        owner=holder,
        acts=_acts(item, person),
    )


def _acts(item: WorkItem, person: Person) -> tuple[str, ...]:
    """The bulk acts that are legal for a row now."""
    if not person.may(Permission.TASK_CLAIM):
        return ()
    hold = "claim" if item.task.owner is None else "release" if item.task.owner == person.account else ""
    give = "assign" if person.may(Permission.TASK_ASSIGN) else ""
    done = "complete" if person.may(Permission.REFERRAL_ACT) else ""
    return tuple(one for one in (hold, give, "snooze", done) if one)


def _rest(counts: Counts) -> str:
    later = counts.total - counts.overdue - counts.today
    parts = ((counts.today, "due today"), (later, "later"))
    return " · ".join(f"{count} {words}" for count, words in parts if count)


def _views(asked: Asked, per_view: Mapping[str, int]) -> tuple[ViewGroup, ...]:
    groups: dict[str, list[ViewLink]] = {}
    for view in VIEWS:
        link = ViewLink(view.label, f"{URL}?view={view.slug}", per_view[view.slug], view == asked.view)
        groups.setdefault(view.group, []).append(link)
    return tuple(ViewGroup(title, tuple(links)) for title, links in groups.items())


def _heads(asked: Asked) -> tuple[ColumnHead, ...]:
    """Priority sorts by urgency, due and patient by themselves; a second click turns the order round."""
    sorts = {"priority": "", "due": "due", "patient": "patient"}
    return tuple(
        replace(head, url=_sort_url(asked, sorts[head.slug]), order=_order(asked, sorts[head.slug]))
        if head.slug in sorts
        else head
        for head in QUEUE_HEADS
    )


def _order(asked: Asked, sort: str) -> str:
    if not sort:
        return "" if asked.sort else "ascending"
    return {sort: "ascending", f"-{sort}": "descending"}.get(asked.sort, "")


def _sort_url(asked: Asked, sort: str) -> str:
    return url(replace(asked, sort=f"-{sort}" if sort and asked.sort == sort else sort))


def _sorts(asked: Asked) -> tuple[SortChoice, ...]:
    return tuple(
        SortChoice(label, url(replace(asked, sort=sort)), asked.sort.removeprefix("-") == sort)
        for sort, label in SORT_LABELS.items()
    )


def _chips(asked: Asked, of: Clinic, people: tuple[Account, ...]) -> tuple[FilterChip, ...]:
    return tuple(
        FilterChip(LABELS[name], ", ".join(_word(name, one, of, people) for one in values), url(asked, without=name))
        for name, values in asked.chosen().items()
    )


def _filters(asked: Asked, of: Clinic, read: Read) -> tuple[FilterChoice, ...]:
    chosen = asked.chosen()
    options = {
        "owner": (ME, NOBODY, *(str(one.id) for one in read.people)),
        "priority": tuple(Priority),
        "stage": tuple(stage for stage in Stage if stage in STAGE_WORDS),
        "site": read.sites,
    }
    return tuple(
        FilterChoice(
            name,
            LABELS[name],
            tuple(Choice(one, _word(name, one, of, read.people)) for one in values),
            chosen.get(name, ()),
        )
        for name, values in options.items()
        if values
    )


def _word(name: str, value: str, of: Clinic, people: tuple[Account, ...]) -> str:
    match name:
        case "stage":
            return STAGE_WORDS[Stage(value)]
        case "priority":
            return priority_tag(value).word
        case "site":
            return of.site(value)
    known = next((one.name for one in people if str(one.id) == value), "")
    return owner(known).name if known else value.capitalize()


def _bulk(people: tuple[Account, ...], person: Person, now: datetime, of: Clinic) -> tuple[BulkAct, ...]:
    acts = {slug: f"/tasks/{slug}" for slug in ("claim", "release", "snooze")}
    acts |= {"assign": "/tasks/assignment"} if person.may(Permission.TASK_ASSIGN) else {}
    acts |= {"complete": "/tasks/completion"} if person.may(Permission.REFERRAL_ACT) else {}
    choices = tuple(Choice(str(one.id), one.name, one.title) for one in people if one.id != person.account)
    return bulk_acts(acts if person.may(Permission.TASK_CLAIM) else {}, choices, moments(now, of))


def moments(now: datetime, of: Clinic) -> tuple[Choice, ...]:
    """Until when one may snooze."""
    morning = datetime.combine(now.astimezone(of.zone).date() + timedelta(days=1), time(8), of.zone)
    return (
        Choice((now + timedelta(hours=2)).isoformat(timespec="seconds"), "for 2 hours"),
        Choice(morning.isoformat(), "until tomorrow, 8:00 AM"),
        Choice((morning + timedelta(days=6)).isoformat(), "for a week"),
    )


def _changes_url(asked: Asked, shown: list[WorkItem], now: datetime) -> str:
    """Compares the rows shown, each with its version, with the store."""
    rows = ".".join(f"{one.task.id.hex}-{one.task.version}" for one in shown)
    return f"{URL}/changes?{urlencode([*asked.pairs(), ('since', now.isoformat()), ('shown', rows)])}"


def _empty(asked: Asked) -> EmptyState:
    if asked.chosen():
        count = len(asked.chosen())
        return EmptyState(
            f"No rows match {'this filter' if count == 1 else f'these {count} filters'}",
            "Clear them to see the whole view.",
            (Act("Clear", f"{URL}?view={asked.view.slug}"),),
            good=False,
        )
    title, words = EMPTY.get(asked.view.slug, EMPTY["all"])
    ways = () if asked.view is VIEWS[0] else (Act("Go to Due or overdue", URL, "arrow-right", filled=True),)
    return EmptyState(title, words, ways)


EMPTY = {
    "all": ("Nothing to do here", "Work appears when a referral needs a person or a deadline passes."),
    "due": (
        "Nothing is due",
        "A referral appears here two days before its next action is due, and at once when a partner answers.",
    ),
    "unassigned": ("Everything has an owner", "A task appears here when nobody of its pool has claimed it yet."),
    "mine": ("You hold nothing", "Claim a task in Due or overdue, or a colleague hands one over to you."),
    "today": ("Nothing waits on you today", "What you hold appears here on the day it is due."),
    "snoozed": ("Nothing is snoozed", "What you snooze rests here and comes back by itself."),
    "information": (
        "No specialist waits for information",
        "A referral appears here when a specialist asks for records, and stays until they are sent.",
    ),
    "no-shows": (
        "Nobody is waiting to be rebooked",
        "A patient appears here when a visit was missed: the first call is due the same day for STAT, in 1 business "
        "day for urgent and 3 for routine.",
    ),
    "reports": (
        "No report is late",
        "A referral appears here when the report is not there by its day: 1 day after the visit for STAT, 3 for "
        "urgent, 7 for routine.",
    ),
    "declined": (
        "Nothing was declined",
        "A referral appears here when a specialist declines it or names somebody else.",
    ),
}
