"""A Monday's work queue of the demo clinic, as view data."""

from datetime import datetime

from tests.pages.people_shown import BOISE, JOELLE, NADIA, NOBODY, NOW, PATIENTS, TOBIAS, ago, boise
from web.fields import Choice
from web.present import Act, EmptyState, Owner, due_words, priority_tag, status_tag
from web.tasks.present import (
    QUEUE_HEADS,
    Changes,
    FilterChip,
    FilterChoice,
    QueuePage,
    QueueRow,
    SortChoice,
    Undo,
    ViewGroup,
    ViewLink,
    bulk_acts,
)

OPEN = ("claim", "assign", "snooze", "complete")
LOCKED = ("claim", "assign", "snooze")
WHY_NOT = "the missing record has to be sent first"

Line = tuple[int, str, datetime, str, str, str, str, Owner, tuple[str, ...]]
LINES: tuple[Line, ...] = (
    (0, "stat", ago(minutes=42), "Confirm the referral arrived", "Nephrology · R-20931",
     "No delivery receipt 1 h after sending", "Sent, no receipt", NADIA, OPEN),
    (5, "urgent", boise(20, 17), "Send the liver panel", "Gastroenterology · R-20877",
     "Specialist asked on Nov 21 (1st of 3 asks)", "Needs information", NADIA, LOCKED),
    (3, "urgent", ago(hours=3), "Call patient, attempt 3 of 3", "Cardiology · R-20894",
     "2 attempts, 2 channels, no answer; limit 48 h", "Not reached", NOBODY, OPEN),
    (10, "routine", boise(20, 17), "Get the signed release", "Behavioral health · R-20795",
     "Packet holds records that need consent", "Needs information", NADIA, OPEN),
    (2, "urgent", boise(23, 12), "Call Dr. Eskild’s office", "Orthopedics · R-20418",
     "Seen Nov 4; report 12 days late; fax chase failed", "Report late", NADIA, OPEN),
    (1, "urgent", boise(23, 12, 30), "Choose another specialist", "Cardiology · R-20902",
     "Declined Nov 22: no capacity before Dec 23", "Declined", NOBODY, OPEN),
    (6, "urgent", boise(23, 13, 30), "Get referral number from plan", "Gastroenterology · R-20911",
     "Plan wants a gatekeeper number; asked 2 days ago", "Coverage check", TOBIAS, OPEN),
    (8, "routine", boise(23, 15), "Rebook after no-show", "Cardiology · R-20733",
     "Missed Nov 22; third of 3 visits", "No-show", NADIA, OPEN),
    (4, "routine", boise(23, 17), "Tell patient the plan", "Orthopedics · R-20602",
     "Advice reviewed Nov 22 by Dr. Oyelaran; 2 follow-ups ordered", "Tell patient", NADIA, OPEN),
    (7, "routine", boise(23, 17), "Match consult note to a case", "Unmatched document D-5517",
     "2 possible referrals for the same patient", "Needs matching", NOBODY, OPEN),
    (9, "urgent", boise(23, 17), "Book the accepted visit", "Ophthalmology · R-20915",
     "Accepted Nov 20; urgent: book in 2 business days", "To schedule", TOBIAS, OPEN),
    (11, "routine", boise(24, 9), "Send appointment letter", "Dermatology · R-20688",
     "Not reached by phone on days 0, 2 and 7", "Not reached", NADIA, OPEN),
    (5, "routine", boise(24, 12), "Confirm the breast clinic visit", "Breast clinic · R-20713",
     "Visit is Nov 30; patient has not confirmed", "Scheduled", JOELLE, OPEN),
    (7, "routine", boise(25, 17), "Check triage with the specialist", "Dermatology · R-20751",
     "No answer in 5 business days (Nov 26 holiday skipped)", "In triage", JOELLE, OPEN),
)  # fmt: skip


def row(number: int, line: Line, *, selected: bool) -> QueueRow:
    patient, priority, due, words, case, why, status, owner, acts = line
    return QueueRow(
        token=f"0199-{number:04}:3",
        url=f"/referrals/{case.rsplit(' ', 1)[-1]}",
        priority=priority_tag(priority),
        due=due_words(due, NOW, BOISE),
        patient=PATIENTS[patient].line(),
        next_words=words,
        case_words=case,
        why=why,
        status=status_tag(status),
        owner=owner,
        acts=acts,
        why_not="" if "complete" in acts else WHY_NOT,
        selected=selected,
        mark="changed" if number == 8 else "",
        taken_by="Tobias W." if number == 10 else "",
    )


def link(label: str, count: int, *, current: bool = False) -> ViewLink:
    return ViewLink(label, f"/tasks?view={label.lower().replace(' ', '-')}", count, current)


VIEWS = (
    ViewGroup("My team", (link("Due or overdue", 46, current=True), link("Unassigned", 41), link("All open", 212))),
    ViewGroup("Mine", (link("My work", 23), link("Waiting on me today", 9), link("Snoozed", 14))),
    ViewGroup(
        "Shared views",
        (
            link("STAT and urgent", 19),
            link("Awaiting information", 17),
            link("No-shows to rebook", 8),
            link("Reports late", 14),
            link("Declined by specialist", 5),
            link("Unmatched documents", 6),
        ),
    ),
    ViewGroup("Personal views", (link("Cardiology, Boise", 11), link("Interpreter needed", 7))),
)
CHIPS = (
    FilterChip("Due", "to Nov 25", "/tasks?without=due"),
    FilterChip("Priority", "STAT, Urgent, Routine", "/tasks?without=priority"),
    FilterChip("Owner", "Me, Unassigned +2", "/tasks?without=owner"),
    FilterChip("Site", "Boise, Coeur d’Alene", "/tasks?without=site"),
)
FILTERS = (
    FilterChoice(
        "priority",
        "Priority",
        (Choice("stat", "STAT"), Choice("urgent", "Urgent"), Choice("routine", "Routine")),
        ("stat", "urgent", "routine"),
    ),
    FilterChoice("owner", "Owner", (Choice("me", "Me"), Choice("unassigned", "Unassigned")), ("me", "unassigned")),
)
BULK = bulk_acts(
    {slug: f"/tasks/{slug}" for slug in ("claim", "assign", "snooze", "complete")},
    people=(Choice("tw", "Tobias Wrenfield"), Choice("ja", "Joelle Ambersley")),
    moments=(Choice("2026-11-24T08:00", "Tomorrow 8:00 AM"), Choice("2026-11-30T08:00", "Mon, Nov 30")),
)


def queue(*, selected: tuple[int, ...] = (), live: bool = True, rows: int = len(LINES)) -> QueuePage:
    """The queue with some rows selected; `live` adds the waiting changes and an undo."""
    return QueuePage(
        title="Due or overdue",
        url="/tasks",
        views=VIEWS,
        heads=QUEUE_HEADS,
        rows=tuple(row(n, line, selected=n in selected) for n, line in enumerate(LINES[:rows])),
        total=46,
        first=1,
        last=rows,
        overdue="12 overdue",
        rest="21 due today · 13 by Wed, Nov 25",
        chips=CHIPS,
        filters=FILTERS,
        keep=(("view", "due"),),
        clear_url="/tasks?view=due",
        sorts=(
            SortChoice("Most urgent first", "/tasks?sort=urgent", True),
            SortChoice("Oldest first", "/tasks?sort=age"),
        ),
        bulk=BULK,
        primary=Act("New referral", "/referrals/new", "plus", "N", filled=True),
        changes=Changes("/tasks", 2, 1) if live else None,
        changes_url="/tasks/changes" if live else "",
        next_url="/tasks?after=x",
        undo=Undo("Haverstrand, Lumi", "snoozed until Mon, Nov 30", "/tasks/undo", "t") if live else None,
    )


def empty_queue() -> QueuePage:
    """A view with nothing in it."""
    return QueuePage(
        title="No-shows to rebook",
        url="/tasks",
        views=(),
        heads=QUEUE_HEADS,
        rows=(),
        total=0,
        rest="0 in this view",
        last_words="Last one closed today 9:52 AM by Tobias W.",
        empty=EmptyState(
            "Nobody is waiting to be rebooked",
            "A patient appears here 30 minutes after a missed visit, or at once when staff mark a no-show. "
            "The first call is due the same day for STAT, in 1 business day for urgent and 3 for routine.",
            (
                Act("Go to Due or overdue (46)", "/tasks", "arrow-right", filled=True),
                Act("Show closed today (6)", "/tasks?view=closed"),
            ),
            "calendar-check",
        ),
    )
