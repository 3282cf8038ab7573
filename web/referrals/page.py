"""The case page of a referral, filled from the store."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from activities.records.patient import Patient
from activities.records.queries.case import Case
from activities.records.service_request import ServiceRequest
from rules.access import Permission, clinician
from rules.referral.steps import legal
from rules.referral.table import STEPS
from rules.referral.vocabulary import ENDED, By, Evidence, Progress, Reason, Stage, Step
from rules.referral.waits import waiting, worded
from web.access import Person
from web.documents.lines import document_lines, paper_acts
from web.fields import FormView
from web.present import (
    UNASSIGNED,
    Act,
    Owner,
    Tag,
    Tone,
    age_and_sex,
    age_words,
    due_words,
    family_first,
    moment_words,
    priority_tag,
    us_date,
)
from web.referrals.forms import REASON_WORDS
from web.referrals.present import (
    ALLERGIES_NOT_RECORDED,
    CasePage,
    Fact,
    Mark,
    NextAction,
    PatientBanner,
    Proof,
    StepMark,
    allergy_tag,
)
from web.referrals.words import STAGE_WORDS, since_words, stage_tag, timeline
from web.signed_in import owner

POOL_WORDS = {"referral_coordinator": "Referral coordinators", "clinician": "Clinicians"}
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
# What the page offers beside the one filled button; the rest lies under "More".
QUIET = (Step.CLOSURE, Step.CANCELLATION, Step.EXPIRY, Step.PRIORITY_CHANGE, Step.NEW_RECIPIENT)


def by_of(person: Person) -> By:
    """Whether this person's steps are a clinician's."""
    return By.CLINICIAN if clinician(person.roles) else By.STAFF


def banner(patient: Patient, today: date) -> PatientBanner:
    """Who the page is about."""
    allergies = tuple(_allergy(words) for words in patient.allergies) or (ALLERGIES_NOT_RECORDED,)
    spoken = {"en": "", "es": "Speaks Spanish"}.get(patient.language, f"Speaks {patient.language}")
    alerts = [Tag(f"{spoken}, interpreter" if patient.interpreter else spoken, Tone.WARN, "language")] if spoken else []
    alerts += [Tag(words, Tone.OUTLINE, "info-circle") for words in patient.alerts]
    return PatientBanner(
        name=family_first(patient.family, patient.given),
        birth_date=us_date(patient.birth_date),
        age=age_words(patient.birth_date, today),
        age_sex=age_and_sex(patient.birth_date, patient.sex, today),
        sex=patient.sex.capitalize(),
        mrn=patient.mrn,
        allergies=allergies,
        alerts=tuple(alerts),
        coverage=patient.coverage,
    )


def case_page(
    case: Case,
    progress: Progress,
    person: Person,
    now: datetime,
    zone: ZoneInfo,
    form: FormView | None = None,
    problem: str = "",
    done: str = "",
) -> CasePage:
    """The whole page; `form` is an open step, `problem` why the last decision was refused."""
    request = case.request
    days = timeline(case, now, zone)
    return CasePage(
        number=request.number,
        title=f"{request.service} referral",
        tags=(priority_tag(request.priority), stage_tag(request.stage)),
        subline=f"from {request.requester} to {case.partner.name}",
        patient=banner(case.patient, now.astimezone(zone).date()),
        steps=line(case, now, zone),
        next_action=next_action(case, progress, person, now, zone),
        timeline=days,
        entries=len(case.events),
        question=request.question,
        asked=_asked(request),
        proofs=proofs(progress.evidence, now, zone),
        documents=document_lines(request, case.documents, case.events, now, zone),
        paper=paper_acts(request, person),
        attach_url=f"/referrals/{request.id}/attachments" if person.may(Permission.DOCUMENT_WRITE) else "",
        form=form,
        back_url="/queue",
        problem=problem,
        done=done,
        closed_words=_closed_words(request, now, zone),
    )


def line(case: Case, now: datetime, zone: ZoneInfo) -> tuple[StepMark, ...]:
    """The line of steps: done ones with their date, the current one late when its deadline has passed."""
    stage = Stage(case.request.stage)
    here = next((n for n, (_, stages, _) in enumerate(LINE) if stage in stages), len(LINE))
    at = {event.step: event.at for event in reversed(case.events)}
    late = case.process.next_due is not None and case.process.next_due < now
    marks = []
    for number, (name, _, step) in enumerate(LINE):
        done = stage is Stage.CLOSED or number < here
        if done:
            marks.append(StepMark(name, since_words(at[step], now, zone) if step in at else "", Mark.DONE))
        elif number == here:
            marks.append(
                StepMark(name, "late" if late else STAGE_WORDS[stage].lower(), Mark.LATE if late else Mark.CURRENT)
            )
        else:
            marks.append(StepMark(name, "", Mark.TO_COME))
    return tuple(marks)


def next_action(case: Case, progress: Progress, person: Person, now: datetime, zone: ZoneInfo) -> NextAction | None:
    """The one thing to do, with the buttons that are legal for this person now."""
    wait = waiting(progress)
    if wait is None:
        return None
    task = case.task
    due_at = task.due_at if task else case.process.next_due
    return NextAction(
        words=case.process.next_action,
        why=f"{worded(wait, progress, case.partner.name, zone.key).why}.",
        due=due_words(due_at, now, zone) if due_at else None,
        owner=_owner(case, person),
        if_missed=f"Goes to {POOL_WORDS[wait.pool].lower()}",
        acts=_acts(case, progress, person, wait.step),
        phone=case.partner.phone if wait.person else "",
        phone_words=f"{case.partner.name}:" if wait.person else "",
    )


def _owner(case: Case, person: Person) -> Owner:
    holder = case.process.next_owner
    if case.task and case.task.owner:
        holder = str(case.task.owner)
    if name := case.names.get(holder):
        return owner(name, mine=holder == str(person.account))
    return Owner(POOL_WORDS.get(holder, UNASSIGNED.name), "")


def _acts(case: Case, progress: Progress, person: Person, first: Step) -> tuple[Act, ...]:
    steps = list(legal(progress, by_of(person)))
    ordered = [one for one in steps if one is first] + [one for one in steps if one is not first and one not in QUIET]
    ordered += [one for one in steps if one in QUIET and one is not first]
    base = f"/referrals/{case.request.id}"
    return tuple(
        Act(
            STEPS[step].label,
            f"{base}/{step}",
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


def _allergy(words: str) -> Tag:
    substance, _, reaction = words.partition(": ")
    return allergy_tag(substance, reaction, severe="anaphylaxis" in reaction)


def _asked(request: ServiceRequest) -> tuple[Fact, ...]:
    facts = [Fact("Diagnoses", tuple(request.diagnoses) or ("Not entered yet",)), Fact("Service", (request.service,))]
    return tuple(facts)


def _closed_words(request: ServiceRequest, now: datetime, zone: ZoneInfo) -> str:
    if Stage(request.stage) not in ENDED or request.closed_at is None:
        return ""
    reason = f": {REASON_WORDS[Reason(request.close_reason)].lower()}" if request.close_reason else ""
    return f"{STAGE_WORDS[Stage(request.stage)]} {moment_words(request.closed_at, now, zone)}{reason}"
