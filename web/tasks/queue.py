"""The work queue, filled from the store: views, filters from the address, rows in words."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from activities.records.queries.worklist import Counts, Filters, Place, WorkItem
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
from web.signed_in import owner
from web.tasks.present import (
    QUEUE_HEADS,
    FilterChip,
    FilterChoice,
    QueuePage,
    QueueRow,
    ViewGroup,
    ViewLink,
    bulk_acts,
)

PAGE = 50
SOON = timedelta(days=2)
NOBODY = PatientLine("No patient", "", "", "")


@dataclass(frozen=True)
class View:
    """A named set of filters."""

    slug: str
    label: str
    group: str


VIEWS = (
    View("due", "Due or overdue", "My team"),
    View("unassigned", "Unassigned", "My team"),
    View("all", "All open", "My team"),
    View("mine", "My work", "Mine"),
    View("today", "Waiting on me today", "Mine"),
    View("urgent", "STAT and urgent", "Shared views"),
    View("information", "Awaiting information", "Shared views"),
    View("no-shows", "No-shows to rebook", "Shared views"),
    View("reports", "Reports late", "Shared views"),
    View("declined", "Declined by specialist", "Shared views"),
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    view: View
    owner: tuple[str, ...]
    priority: tuple[str, ...]
    stage: tuple[str, ...]
    site: tuple[str, ...]
    after: Place | None

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The filters in force, by their parameter."""
        named = {"owner": self.owner, "priority": self.priority, "stage": self.stage, "site": self.site}
        return {name: values for name, values in named.items() if values}


def read(parameters: Mapping[str, Sequence[str]]) -> Asked:
    """The address's parameters; values we do not know are left out."""

    def known(name: str, allowed: set[str] | None = None) -> tuple[str, ...]:
        return tuple(one for one in parameters.get(name, ()) if allowed is None or one in allowed)

    wanted = known("view")[:1]
    return Asked(
        view=next((one for one in VIEWS if (one.slug,) == wanted), VIEWS[0]),
        owner=known("owner", {"me", "unassigned"}),
        priority=known("priority", set(Priority)),
        stage=known("stage", set(Stage)),
        site=known("site"),
        after=_place(next(iter(known("after")), "")),
    )


def filters(asked: Asked, person: Person, now: datetime, zone: ZoneInfo) -> Filters:
    """The view's own filters, narrowed by those of the address."""
    base = view_filters(asked.view, person, now, zone)
    if asked.owner:
        mine = (person.account,) if "me" in asked.owner else ()
        base = replace(base, owners=mine, unassigned="unassigned" in asked.owner)
    return replace(
        base,
        priorities=asked.priority or base.priorities,
        stages=asked.stage or base.stages,
        sites=asked.site or base.sites,
    )


def view_filters(view: View, person: Person, now: datetime, zone: ZoneInfo) -> Filters:
    """What a view shows."""
    match view.slug:
        case "due":
            return Filters(due_by=_tonight(now, zone) + SOON)
        case "unassigned":
            return Filters(unassigned=True)
        case "mine":
            return Filters(owners=(person.account,))
        case "today":
            return Filters(owners=(person.account,), due_by=_tonight(now, zone))
        case "urgent":
            return Filters(priorities=(Priority.STAT, Priority.URGENT))
        case "information":
            return Filters(stages=(Stage.AWAITING_INFO,))
        case "no-shows":
            return Filters(stages=(Stage.NO_SHOW,))
        case "reports":
            return Filters(stages=(Stage.SEEN,))
        case "declined":
            return Filters(stages=(Stage.DECLINED, Stage.REDIRECTED))
    return Filters()


def tonight(now: datetime, zone: ZoneInfo) -> datetime:
    """The end of the clinic's day."""
    return _tonight(now, zone)


def queue_page(
    asked: Asked,
    items: list[WorkItem],
    counts: Counts,
    per_view: Mapping[str, int],
    person: Person,
    sites: tuple[str, ...],
    now: datetime,
    zone: ZoneInfo,
    notice: str = "",
) -> QueuePage:
    """The whole screen."""
    more = len(items) > PAGE
    shown = items[:PAGE]
    rest = [f"{counts.today} due today"] if counts.today else []
    later = counts.total - counts.overdue - counts.today
    rest += [f"{later} later"] if later else []
    return QueuePage(
        title=asked.view.label,
        url=_url(asked),
        views=_views(asked, per_view),
        heads=QUEUE_HEADS,
        rows=tuple(_row(one, person, now, zone) for one in shown),
        total=counts.total,
        first=1 if shown else 0,
        last=len(shown),
        overdue=f"{counts.overdue} overdue" if counts.overdue else "",
        rest=" · ".join(rest),
        chips=_chips(asked),
        filters=_filters(asked, sites),
        keep=(("view", asked.view.slug),),
        clear_url=f"/queue?view={asked.view.slug}",
        bulk=bulk_acts({"claim": "/tasks/claim", "snooze": "/tasks/snooze"}, moments=_moments(now, zone)),
        primary=Act("New referral", "/referrals/new", "plus", key="N", filled=True),
        next_url=_url(asked, after=_key(shown[-1], now)) if more else "",
        notice=notice,
        empty=None if shown else _empty(asked),
    )


def _row(item: WorkItem, person: Person, now: datetime, zone: ZoneInfo) -> QueueRow:
    task, patient = item.task, item.patient
    today = now.astimezone(zone).date()
    line = NOBODY
    if patient:
        age = age_and_sex(patient.birth_date, patient.sex, today)
        line = PatientLine(family_first(patient.family, patient.given), us_date(patient.birth_date), age, patient.mrn)
    holder = owner(item.owner, mine=task.owner == person.account) if item.owner else UNASSIGNED
    return QueueRow(
        token=str(task.id),
        url=f"/referrals/{task.case_id}",
        priority=priority_tag(task.priority),
        due=due_words(task.due_at, now, zone),
        patient=line,
        next_words=task.action,
        case_words=f"{task.subject} · {task.number}",
        why=task.why,
        status=stage_tag(task.stage),
        owner=holder,
    )


def _views(asked: Asked, per_view: Mapping[str, int]) -> tuple[ViewGroup, ...]:
    groups: dict[str, list[ViewLink]] = {}
    for view in VIEWS:
        link = ViewLink(view.label, f"/queue?view={view.slug}", per_view[view.slug], view == asked.view)
        groups.setdefault(view.group, []).append(link)
    return tuple(ViewGroup(title, tuple(links)) for title, links in groups.items())


def _chips(asked: Asked) -> tuple[FilterChip, ...]:
    labels = {"owner": "Owner", "priority": "Priority", "stage": "Status", "site": "Site"}
    return tuple(
        FilterChip(labels[name], ", ".join(_word(name, one) for one in values), _url(asked, without=name))
        for name, values in asked.chosen().items()
    )


def _filters(asked: Asked, sites: tuple[str, ...]) -> tuple[FilterChoice, ...]:
    chosen = asked.chosen()
    options = {
        "owner": ("me", "unassigned"),
        "priority": tuple(Priority),
        "stage": tuple(stage for stage in Stage if stage in STAGE_WORDS),
        "site": sites,
    }
    labels = {"owner": "Owner", "priority": "Priority", "stage": "Status", "site": "Site"}
    return tuple(
        FilterChoice(name, labels[name], tuple(Choice(one, _word(name, one)) for one in values), chosen.get(name, ()))
        for name, values in options.items()
        if values
    )


def _word(name: str, value: str) -> str:
    match name:
        case "stage":
            return STAGE_WORDS[Stage(value)]
        case "priority":
            return priority_tag(value).word
        case "owner":
            return value.capitalize()
    return value


def _moments(now: datetime, zone: ZoneInfo) -> tuple[Choice, ...]:
    morning = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(8), zone)
    return (
        Choice((now + timedelta(hours=2)).isoformat(), "for 2 hours"),
        Choice(morning.isoformat(), "until tomorrow, 8:00 AM"),
        Choice((morning + timedelta(days=6)).isoformat(), "for a week"),
    )


def _empty(asked: Asked) -> EmptyState:
    if asked.chosen():
        count = len(asked.chosen())
        return EmptyState(
            f"No rows match {'this filter' if count == 1 else f'these {count} filters'}",
            "Clear them to see the whole view.",
            (Act("Clear", f"/queue?view={asked.view.slug}"),),
            good=False,
        )
    return EmptyState("Nothing to do here", "Work appears when a referral needs a person or a deadline passes.")


def _url(asked: Asked, without: str = "", after: str = "") -> str:
    pairs = [("view", asked.view.slug)]
    pairs += [(name, one) for name, values in asked.chosen().items() if name != without for one in values]
    pairs += [("after", after)] if after else []
    return f"/queue?{urlencode(pairs)}"


def _key(item: WorkItem, now: datetime) -> str:
    task = item.task
    words = f"{int(task.due_at < now)}|{task.rank}|{task.due_at.isoformat()}|{task.id}"
    return urlsafe_b64encode(words.encode()).decode()


def _place(key: str) -> Place | None:
    try:
        overdue, rank, due_at, identity = urlsafe_b64decode(key).decode().split("|")
        return Place(overdue == "1", int(rank), datetime.fromisoformat(due_at), UUID(identity))
    except ValueError:
        return None


def _tonight(now: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(zone).date(), time(23, 59, 59), zone)
