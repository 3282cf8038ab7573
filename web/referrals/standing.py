"""Where a referral stands: its line of steps, its proofs, its deadline, now and at a past moment."""

from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.queries.case import Case
from rules.referral.vocabulary import Direction, Evidence, Priority, Progress, Stage, Step
from web.present import late_words, moment_words
from web.referrals.present import Mark, Proof, StepMark
from web.referrals.words import STAGE_WORDS, since_words

LINE = (
    ("Ready", (Stage.DRAFT, Stage.COVERAGE), Step.SENDING),
    ("Sent", (Stage.SENT,), Step.DELIVERY),
    ("Triage", (Stage.TRIAGE, Stage.AWAITING_INFO, Stage.DECLINED, Stage.REDIRECTED, Stage.ADVICE), Step.ACCEPTANCE),
    ("Scheduled", (Stage.SCHEDULING, Stage.OUTREACH, Stage.NO_SHOW), Step.APPOINTMENT),
    ("Seen", (Stage.SCHEDULED,), Step.VISIT),
    ("Report", (Stage.SEEN,), Step.REPORT),
    ("Review", (Stage.REPORT_RECEIVED,), Step.REVIEW),
    ("Patient told", (Stage.REVIEWED,), Step.PATIENT_NOTICE),
    ("Closed", (Stage.PATIENT_TOLD, Stage.CLOSED), Step.FOLLOW_UP),
)
# A referral made to us is done when the report has gone.
INCOMING_LINE = (*LINE[2:6], ("Closed", (Stage.CLOSED,), Step.REPORT))


def line(case: Case, now: datetime, zone: ZoneInfo) -> tuple[StepMark, ...]:
    """The line of steps: done ones with their date, the current one late when its deadline has passed."""
    stage = Stage(case.request.stage)
    steps = LINE if case.request.direction == Direction.OUT else INCOMING_LINE
    here = next((n for n, (_, stages, _) in enumerate(steps) if stage in stages), len(steps))
    at = {event.step: event.at for event in reversed(case.events)}
    due = due_of(case)
    late = f"{late_words(now - due)} late" if due and due < now else ""
    marks = []
    for number, (name, _, step) in enumerate(steps):
        done = stage is Stage.CLOSED or number < here
        if done:
            marks.append(StepMark(name, since_words(at[step], now, zone) if step in at else "", Mark.DONE))
        elif number == here:
            marks.append(StepMark(name, late or STAGE_WORDS[stage].lower(), Mark.LATE if late else Mark.CURRENT))
        else:
            marks.append(StepMark(name, "", Mark.TO_COME))
    return tuple(marks)


def proofs(evidence: Evidence, now: datetime, zone: ZoneInfo) -> tuple[Proof, ...]:
    """What the loop closes on."""
    said = (
        ("Report received, or why none will come", evidence.report),
        ("Matched to this referral", evidence.matched),
        ("Reviewed with a plan", evidence.reviewed),
        ("Patient told", evidence.told),
        ("Follow-ups ordered or declined", evidence.followed),
    )
    return tuple(Proof(words, at is not None, moment_words(at, now, zone) if at else "") for words, at in said)


def progress_then(case: Case) -> Progress:
    """Where a case stood at a past moment, as far as its records and events tell."""
    at = {Step(event.step): event.at for event in reversed(case.events)}
    report = at.get(Step.REPORT) or at.get(Step.NO_REPORT) or at.get(Step.ADVICE_ACCEPTANCE)
    request = case.request
    evidence = Evidence(
        report=report,
        matched=report,
        reviewed=at.get(Step.REVIEW) or at.get(Step.ADVICE_ACCEPTANCE),
        told=at.get(Step.PATIENT_NOTICE),
        followed=at.get(Step.FOLLOW_UP),
    )
    return Progress(
        stage=Stage(request.stage),
        priority=Priority(request.priority),
        direction=Direction(request.direction),
        since=request.stage_since,
        opened=request.opened_at,
        visit_at=request.visit_at,
        evidence=evidence,
    )


def due_of(case: Case) -> datetime | None:
    """The deadline: that of the process moves on with every rung an overdue task climbs."""
    return case.task.due_at if case.task else case.process.next_due


def is_late(case: Case, now: datetime) -> bool:
    due = due_of(case)
    return due is not None and due < now
