"""What the address of a work queue asks for: a view, filters, an order, a place; and the address again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from activities.records.queries.worklist import Column, Filters, Sort
from rules.referral.vocabulary import Priority, Stage
from web.access import Person
from web.present import end_of_day
from web.signed_in import DUE_SOON

URL = "/queue"
ME, UNASSIGNED = "me", "unassigned"


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
    View("snoozed", "Snoozed", "Mine"),
    View("urgent", "STAT and urgent", "Shared views"),
    View("information", "Awaiting information", "Shared views"),
    View("no-shows", "No-shows to rebook", "Shared views"),
    View("reports", "Reports late", "Shared views"),
    View("declined", "Declined by specialist", "Shared views"),
)
SORTS = {
    "": None,
    "due": Sort(Column.DUE),
    "-due": Sort(Column.DUE, descending=True),
    "age": Sort(Column.AGE),
    "-age": Sort(Column.AGE, descending=True),
    "patient": Sort(Column.PATIENT),
    "-patient": Sort(Column.PATIENT, descending=True),
}


@dataclass(frozen=True)
class Asked:
    """`after` is the last row of the page before, `first` the number of this page's first row."""

    view: View
    owner: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    sort: str = ""
    after: UUID | None = None
    first: int = 1

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The filters in force, by their parameter."""
        named = {"owner": self.owner, "priority": self.priority, "stage": self.stage, "site": self.site}
        return {name: values for name, values in named.items() if values}

    def pairs(self, without: str = "") -> list[tuple[str, str]]:
        """View, filters and order as parameters."""
        named = [(name, one) for name, values in self.chosen().items() if name != without for one in values]
        return [("view", self.view.slug), *named, *([("sort", self.sort)] if self.sort else [])]


def read(parameters: Mapping[str, Sequence[str]]) -> Asked:
    """The address's parameters; values we do not know are left out."""

    def known(name: str, allowed: set[str] | None = None) -> tuple[str, ...]:
        return tuple(one for one in parameters.get(name, ()) if allowed is None or one in allowed)

    def first(name: str) -> str:
        return next(iter(known(name)), "")

    return Asked(
        view=next((one for one in VIEWS if one.slug == first("view")), VIEWS[0]),
        owner=tuple(one for one in known("owner") if one in (ME, UNASSIGNED) or as_id(one)),
        priority=known("priority", set(Priority)),
        stage=known("stage", set(Stage)),
        site=known("site"),
        sort=first("sort") if first("sort") in SORTS else "",
        after=as_id(first("after")),
        first=int(first("first")) if first("first").isdecimal() else 1,
    )


def filters(asked: Asked, person: Person, now: datetime, zone: ZoneInfo) -> Filters:
    """The view's own filters, narrowed by those of the address."""
    base = view_filters(asked.view, person, now, zone)
    if asked.owner:
        named = (person.account if one == ME else as_id(one) for one in asked.owner if one != UNASSIGNED)
        base = replace(base, owners=tuple(one for one in named if one), unassigned=UNASSIGNED in asked.owner)
    return replace(
        base,
        priorities=asked.priority or base.priorities,
        stages=asked.stage or base.stages,
        sites=asked.site or base.sites,
    )


def view_filters(view: View, person: Person, now: datetime, zone: ZoneInfo) -> Filters:
    """What a view shows."""
    tonight = end_of_day(now, zone)
    match view.slug:
        case "due":
            return Filters(due_by=tonight + DUE_SOON)
        case "unassigned":
            return Filters(unassigned=True)
        case "mine":
            return Filters(owners=(person.account,))
        case "today":
            return Filters(owners=(person.account,), due_by=tonight)
        case "snoozed":
            return Filters(owners=(person.account,), snoozed=True)
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


def url(asked: Asked, without: str = "", **more: str) -> str:
    """The address of a queue; `more` are parameters beside its own."""
    return f"{URL}?{urlencode([*asked.pairs(without), *more.items()])}"


def as_id(word: str) -> UUID | None:
    """None for what is no id."""
    try:
        return UUID(word)
    except ValueError:
        return None
