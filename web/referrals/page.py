"""The case page of a referral, filled from the store."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from activities.records.allergy import Severity
from activities.records.as_paper import phone_words
from activities.records.queries.case import Case
from activities.records.queries.summary import Summary
from activities.records.service_request import ServiceRequest
from rules.access import Permission, clinician
from rules.referral.steps import legal
from rules.referral.vocabulary import ENDED, By, Direction, Evidence, Priority, Progress, Reason, Stage, Step
from rules.referral.waits import waiting, worded
from web.access import Person
from web.documents.lines import document_lines, paper_acts
from web.fields import FormView
from web.present import (
    Act,
    Owner,
    Tag,
    Tone,
    age_and_sex,
    age_words,
    due_words,
    family_first,
    late_words,
    moment_words,
    priority_tag,
    us_date,
)
from web.referrals.forms import REASON_WORDS
from web.referrals.present import (
    ALLERGIES_NOT_RECORDED,
    SOURCE_LABELS,
    CasePage,
    Fact,
    Mark,
    NextAction,
    PatientBanner,
    Proof,
    Source,
    StepMark,
    TaskActs,
    TimelineFilter,
    allergy_tag,
    no_known_allergies,
)
from web.referrals.shown import NOWHERE, Neighbours, Shown
from web.referrals.sides import label
from web.referrals.timeline import Told
from web.referrals.words import STAGE_WORDS, since_words, stage_tag
from web.signed_in import owner
from web.tasks import asked as queue

POOL_WORDS = {
    "referral_coordinator": "Referral coordinators",
    "clinician": "Clinicians",
    "intake": "Intake",
    "medical_director": "Medical director",
    "organization_admin": "Administrators",
}
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
# What the page offers beside the one filled button; the rest lies under "More".
QUIET = (Step.CLOSURE, Step.CANCELLATION, Step.EXPIRY, Step.PRIORITY_CHANGE, Step.NEW_RECIPIENT)


@dataclass(frozen=True)
class Around:
    """What the page shows beside the case itself."""

    shown: Shown
    told: Told
    beside: Neighbours = NOWHERE
    task: TaskActs | None = None
    changes_url: str = ""


def pool_words(pool: str) -> str:
    """Who works in a pool, as people say it."""
    return POOL_WORDS.get(pool) or pool.replace("_", " ").capitalize() or "Nobody yet"


def by_of(person: Person) -> By:
    """Whether this person's steps are a clinician's."""
    return By.CLINICIAN if clinician(person.roles) else By.STAFF


def banner(chart: Summary, today: date) -> PatientBanner:
    """Who the page is about."""
    patient = chart.patient
    spoken = {"en": "", "es": "Speaks Spanish"}.get(patient.language, f"Speaks {patient.language}")
    alerts = [Tag(f"{spoken}, interpreter" if patient.interpreter else spoken, Tone.WARN, "language")] if spoken else []
    alerts += [Tag("Restricted: each look is reviewed", Tone.WARN, "eye")] if patient.vip else []
    alerts += [Tag("Part 2: some records need written consent", Tone.WARN, "lock")] if chart.part_2 else []
    alerts += [Tag(words, Tone.OUTLINE, "info-circle") for words in patient.alerts]
    return PatientBanner(
        name=family_first(patient.family, patient.given),
        birth_date=us_date(patient.birth_date),
        age=age_words(patient.birth_date, today),
        age_sex=age_and_sex(patient.birth_date, patient.sex, today),
        sex=patient.sex.capitalize(),
        mrn=patient.mrn,
        allergies=_allergies(chart),
        alerts=tuple(alerts),
        coverage=chart.coverage,
    )


def case_page(
    case: Case,
    progress: Progress,
    person: Person,
    now: datetime,
    zone: ZoneInfo,
    around: Around,
    form: FormView | None = None,
    problem: str = "",
    done: str = "",
) -> CasePage:
    """The whole page; `form` is an open step, `problem` why the last decision was refused.

    Of a past moment, `now` is that moment.
    """
    request, shown = case.request, around.shown
    who = banner(case.chart, now.astimezone(zone).date())
    chart = f"/patients/{case.patient.id}" if person.may(Permission.PATIENT_READ) else ""
    return CasePage(
        number=request.number,
        title=f"{request.service} referral",
        tags=(priority_tag(request.priority), stage_tag(request.stage)),
        subline=_subline(case),
        patient=replace(who, chart_url=chart),
        steps=line(case, now, zone),
        next_action=next_action(case, progress, person, now, zone, shown),
        timeline=around.told.days,
        entries=around.told.count,
        filters=_filters(shown),
        question=request.question,
        asked=_asked(request),
        proofs=proofs(progress.evidence, now, zone) if progress.direction is Direction.OUT else (),
        documents=document_lines(request, case.documents, case.events, now, zone),
        paper=paper_acts(request, person),
        attach_url=f"/referrals/{request.id}/attachments" if person.may(Permission.DOCUMENT_WRITE) else "",
        form=form,
        back_url=queue.url(shown.within) if shown.within else "/queue",
        previous_url=shown.but(case_id=around.beside.previous).url() if around.beside.previous else "",
        next_url=shown.but(case_id=around.beside.next).url() if around.beside.next else "",
        place=around.beside.words,
        task=around.task,
        as_of=moment_words(shown.as_of, now, zone) if shown.as_of else "",
        as_of_value=f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        as_of_keeps=tuple(shown.within.pairs()) if shown.within else (),
        as_of_url=shown.but(as_of=None).url(),
        now_url=shown.but(as_of=None).url(),
        more_url=shown.but(everything=True).url() if around.told.more else "",
        changes_url=around.changes_url,
        live_ids=f"{request.id} {case.task.id}" if case.task else str(request.id),
        problem=problem,
        done=done,
        closed_words=_closed_words(request, now, zone),
    )


def _subline(case: Case) -> str:
    request = case.request
    if request.direction == Direction.IN:
        theirs = f" (their {request.their_number})" if request.their_number else ""
        return f"from {request.requester}, {case.partner.name}{theirs}"
    return f"from {request.requester} to {case.partner.name}"


def _filters(shown: Shown) -> tuple[TimelineFilter, ...]:
    whole = TimelineFilter("All", shown.but(show=None).url(), shown.show is None)
    parts = (TimelineFilter(SOURCE_LABELS[one], shown.but(show=one).url(), shown.show is one) for one in Source)
    return (whole, *parts)


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


def line(case: Case, now: datetime, zone: ZoneInfo) -> tuple[StepMark, ...]:
    """The line of steps: done ones with their date, the current one late when its deadline has passed."""
    stage = Stage(case.request.stage)
    steps = LINE if case.request.direction == Direction.OUT else INCOMING_LINE
    here = next((n for n, (_, stages, _) in enumerate(steps) if stage in stages), len(steps))
    at = {event.step: event.at for event in reversed(case.events)}
    due = case.task.due_at if case.task else case.process.next_due
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


def next_action(
    case: Case, progress: Progress, person: Person, now: datetime, zone: ZoneInfo, shown: Shown
) -> NextAction | None:
    """The one thing to do, with the buttons that are legal for this person now."""
    wait = waiting(progress)
    if wait is None:
        return None
    task, told = case.task, worded(wait, progress, case.partner.name, zone.key)
    due_at = task.due_at if task else case.process.next_due
    return NextAction(
        words=case.process.next_action or told.action,
        why=f"{told.why}.",
        due=due_words(due_at, now, zone) if due_at else None,
        owner=_owner(case, person),
        if_missed=f"Goes to {pool_words(wait.pool).lower()}",
        acts=_acts(shown, progress, person, wait.step) if person.may(Permission.REFERRAL_ACT) else (),
        phone=phone_words(case.partner.phone) if wait.person else "",
        phone_words=f"{case.partner.name}:" if wait.person else "",
    )


def _owner(case: Case, person: Person) -> Owner:
    holder = case.process.next_owner
    if case.task and case.task.owner:
        holder = str(case.task.owner)
    if name := case.names.get(holder):
        return owner(name, mine=holder == str(person.account))
    return Owner(pool_words(holder), "")


def _acts(shown: Shown, progress: Progress, person: Person, first: Step) -> tuple[Act, ...]:
    steps = list(legal(progress, by_of(person)))
    ordered = [one for one in steps if one is first] + [one for one in steps if one is not first and one not in QUIET]
    ordered += [one for one in steps if one in QUIET and one is not first]
    return tuple(
        Act(
            label(step, progress.direction),
            shown.but(show=None, everything=False).url(f"/{step}"),
            key="E" if step is first else "",
            filled=step is first,
            quiet=step in QUIET and step is not first,
            opens_here=True,
        )
        for step in ordered
    )


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


def _allergies(chart: Summary) -> tuple[Tag, ...]:
    if chart.none_known_on:
        return (no_known_allergies(us_date(chart.none_known_on)),)
    severe = Severity.SEVERE
    named = [allergy_tag(one.substance, one.reaction, severe=one.severity == severe) for one in chart.allergies]
    return tuple(named) or (ALLERGIES_NOT_RECORDED,)


def _asked(request: ServiceRequest) -> tuple[Fact, ...]:
    facts = [Fact("Diagnoses", tuple(request.diagnoses) or ("Not entered yet",)), Fact("Service", (request.service,))]
    return tuple(facts)


def _closed_words(request: ServiceRequest, now: datetime, zone: ZoneInfo) -> str:
    if Stage(request.stage) not in ENDED or request.closed_at is None:
        return ""
    reason = f": {REASON_WORDS[Reason(request.close_reason)].lower()}" if request.close_reason else ""
    return f"{STAGE_WORDS[Stage(request.stage)]} {moment_words(request.closed_at, now, zone)}{reason}"
