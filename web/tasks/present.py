"""The work queue as a page: what tasks/queue.html and tasks/_rows.html render.

URL parameters of a queue: `view`, each filter's own name once per value (`owner=me&owner=unassigned`),
`sort`, `after` or `before` (the keyset of the next or previous page). Bulk acts POST `task` once per chosen row
(the row's `token`), the view's parameters, and `everything=view` when the whole view was chosen.
"""

from dataclasses import dataclass

from web.fields import Choice
from web.present import Act, Due, EmptyState, Owner, PatientLine, Tag


@dataclass(frozen=True)
class ViewLink:
    """A saved view with its count."""

    label: str
    url: str
    count: int
    current: bool = False


@dataclass(frozen=True)
class ViewGroup:
    """`My team`, `Mine`, `Shared views`, `Personal views`."""

    title: str
    views: tuple[ViewLink, ...]


@dataclass(frozen=True)
class FilterChip:
    """A filter in force: `Owner: Me, Unassigned +2`; `remove_url` is this view without it."""

    label: str
    values: str
    remove_url: str


@dataclass(frozen=True)
class FilterChoice:
    """A filter one may set; `name` is its URL parameter, `chosen` the values in force."""

    name: str
    label: str
    options: tuple[Choice, ...]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnHead:
    """A column's head; `url` sorts by it and `order` is `ascending`, `descending` or empty (`aria-sort`)."""

    slug: str
    label: str
    url: str = ""
    order: str = ""


@dataclass(frozen=True)
class SortChoice:
    """An order for the whole list, as named in the foot."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class BulkAct:
    """An act on the chosen rows, posted to `url`.

    `slug` (`claim`, `release`, `assign`, `snooze`, `complete`) is what a row's `acts` name. With `choices` the
    button opens a menu and the chosen one is sent as `choice_name` (a person, a moment).
    """

    slug: str
    label: str
    icon: str
    key: str
    url: str
    choice_name: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class QueueRow:
    """One task. `token` is what a bulk act sends for it: the task's id and the version that was shown.

    `next_words` is a verb with its object; `case_words` its second line (`Neurology · R-20931`); `why` the fact
    that put it here with a date or count. `acts` are the bulk acts legal now, `why_not` says why completing is
    not. `mark` is `new` or `changed` since last looked; `taken_by` names who just took it.
    """

    token: str
    url: str
    priority: Tag
    due: Due
    patient: PatientLine
    next_words: str
    case_words: str
    why: str
    status: Tag
    owner: Owner
    acts: tuple[str, ...] = ("claim", "assign", "snooze")
    why_not: str = ""
    mark: str = ""
    taken_by: str = ""
    selected: bool = False


@dataclass(frozen=True)
class Undo:
    """What was just done and can be undone: `subject` is heavy, `words` follow (`snoozed until Mon, Nov 30`).

    `back` is where one goes afterwards.
    """

    subject: str
    words: str
    url: str
    token: str
    seconds: int = 10
    back: str = ""


@dataclass(frozen=True)
class MovedOwner:
    """A row that is shown and somebody has changed: her, or words in her place (`taken by Mateo O.`, `done`)."""

    token: str
    owner: Owner | None = None
    words: str = ""


@dataclass(frozen=True)
class Changes:
    """What waits behind the button; `url` is the view with it.

    `moved` are marked in place at once; `overdue` and `rest` are the counts as they are now.
    """

    url: str
    new: int = 0
    changed: int = 0
    moved: tuple[MovedOwner, ...] = ()
    overdue: str = ""
    rest: str = ""

    @property
    def words(self) -> str:
        """`2 new, 1 changed: show`, or empty when nothing waits."""
        parts = [f"{count} {word}" for count, word in ((self.new, "new"), (self.changed, "changed")) if count]
        return f"{', '.join(parts)}: show" if parts else ""


@dataclass(frozen=True)
class QueuePage:
    """The whole screen.

    `overdue` and `rest` make the line beside the title (`12 overdue`, `21 due today · 13 by Wed, Nov 25`).
    `rows` are `QueueRow`s where tasks/_rows.html shows them; `total` counts the view, `first` and `last` the rows
    shown. `changes_url` answers tasks/_changes.html and is
    asked when the live stream says `changed`. `keep` repeats the URL's parameters (without filters) in the
    filter form. An empty `rows` needs `empty`, and may
    say in `last_words` who closed the last one.
    """

    title: str
    url: str
    views: tuple[ViewGroup, ...]
    heads: tuple[ColumnHead, ...]
    rows: tuple[object, ...]
    total: int
    first: int = 0
    last: int = 0
    overdue: str = ""
    rest: str = ""
    chips: tuple[FilterChip, ...] = ()
    filters: tuple[FilterChoice, ...] = ()
    keep: tuple[tuple[str, str], ...] = ()
    clear_url: str = ""
    sorts: tuple[SortChoice, ...] = ()
    bulk: tuple[BulkAct, ...] = ()
    primary: Act | None = None
    changes: Changes | None = None
    changes_url: str = ""
    previous_url: str = ""
    next_url: str = ""
    undo: Undo | None = None
    last_words: str = ""
    notice: str = ""
    empty: EmptyState | None = None

    @property
    def foot_keys(self) -> tuple[tuple[str, str], ...]:
        """The keys named in the foot: those of the bar only where there is one."""
        acts = tuple((act.key, act.slug) for act in self.bulk if act.key)
        chooses = (("X", "select"),) if acts else ()
        return (("J K", "move"), *chooses, ("Enter", "open"), *acts, ("?", "all keys"))

    @property
    def sort_words(self) -> str:
        """The order in force."""
        return next((sort.label for sort in self.sorts if sort.current), "")


QUEUE_HEADS = (
    ColumnHead("priority", "Priority"),
    ColumnHead("due", "Due"),
    ColumnHead("patient", "Patient"),
    ColumnHead("next", "What to do next"),
    ColumnHead("why", "Why it is here"),
    ColumnHead("status", "Status"),
    ColumnHead("owner", "Owner"),
)


def bulk_acts(
    urls: dict[str, str], people: tuple[Choice, ...] = (), moments: tuple[Choice, ...] = ()
) -> tuple[BulkAct, ...]:
    """The acts with their keys; one without a URL in `urls` (by slug) is left out.

    `people` are whom to assign to (`owner`), `moments` until when to snooze (`until`).
    """
    acts = (
        BulkAct("claim", "Claim", "hand-stop", "C", urls.get("claim", "")),
        BulkAct("release", "Release", "arrow-back-up", "", urls.get("release", "")),
        BulkAct("assign", "Assign…", "user-plus", "A", urls.get("assign", ""), "owner", people),
        BulkAct("snooze", "Snooze…", "bell-z", "H", urls.get("snooze", ""), "until", moments),
        BulkAct("complete", "Complete…", "check", "E", urls.get("complete", "")),
    )
    return tuple(act for act in acts if act.url)
