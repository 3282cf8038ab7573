"""What the address of the referral list asks for: a view, filters, an order, a place; and the address again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from activities.records.queries.referral_list import Column, Filters, Sort
from rules.referral.vocabulary import RETURNED, WITH_PARTNER, Priority, Stage
from web.tasks.asked import as_id

URL = "/referrals"
AGES = {"30": "over 30 days", "60": "over 60 days", "90": "over 90 days", "180": "over 180 days"}


@dataclass(frozen=True)
class View:
    """A named set of filters; `sort` is its order unless another is asked for."""

    slug: str
    label: str
    group: str
    sort: str = "due"


VIEWS = (
    View("open", "All open", "Referrals"),
    View("late", "Past their deadline", "Referrals"),
    View("partner", "With the specialist", "Referrals"),
    View("returned", "Came back", "Referrals"),
    View("reports", "Reports awaited", "Referrals"),
    View("closed", "Ended", "Referrals", "-since"),
)


@dataclass(frozen=True)
class Asked:
    """`after` is the last row of the page before, `first` the number of this page's first row."""

    view: View
    stage: tuple[str, ...] = ()
    partner: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    age: tuple[str, ...] = ()
    sort: str = ""
    after: UUID | None = None
    first: int = 1

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The filters in force, by their parameter."""
        names = ("stage", "partner", "priority", "site", "age")
        return {name: values for name in names if (values := getattr(self, name))}

    def pairs(self, without: str = "") -> list[tuple[str, str]]:
        """View, filters and order as parameters."""
        named = [(name, one) for name, values in self.chosen().items() if name != without for one in values]
        return [("view", self.view.slug), *named, *([("sort", self.sort)] if self.sort else [])]

    @property
    def order(self) -> Sort:
        """The order in force."""
        word = self.sort or self.view.sort
        return Sort(Column(word.removeprefix("-")), word.startswith("-"))


def read(parameters: Mapping[str, Sequence[str]]) -> Asked:
    """The address's parameters; values we do not know are left out."""

    def known(name: str, allowed: set[str] | None = None) -> tuple[str, ...]:
        return tuple(one for one in parameters.get(name, ()) if allowed is None or one in allowed)

    def first(name: str) -> str:
        return next(iter(known(name)), "")

    return Asked(
        view=next((one for one in VIEWS if one.slug == first("view")), VIEWS[0]),
        stage=known("stage", set(Stage)),
        partner=tuple(one for one in known("partner") if as_id(one)),
        priority=known("priority", set(Priority)),
        site=known("site"),
        age=known("age", set(AGES))[:1],
        sort=first("sort") if first("sort").removeprefix("-") in set(Column) else "",
        after=as_id(first("after")),
        first=int(first("first")) if first("first").isdecimal() else 1,
    )


def filters(asked: Asked, now: datetime) -> Filters:
    """The view's own filters, narrowed by those of the address."""
    view = asked.view.slug
    stages: dict[str, tuple[str, ...]] = {
        "partner": tuple(WITH_PARTNER - {Stage.AWAITING_INFO}),
        "returned": tuple(RETURNED),
        "reports": (Stage.SEEN,),
    }
    return Filters(
        open=view != "closed",
        stages=asked.stage or stages.get(view, ()),
        partners=tuple(known for one in asked.partner if (known := as_id(one))),
        priorities=asked.priority,
        sites=asked.site,
        opened_before=now - timedelta(days=int(asked.age[0])) if asked.age else None,
        late_at=now if view == "late" else None,
    )


def url(asked: Asked, without: str = "", **more: str) -> str:
    """The address of a list; `more` are parameters beside its own."""
    return f"{URL}?{urlencode([*asked.pairs(without), *more.items()])}"
