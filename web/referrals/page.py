"""The case page of a referral, filled from the store."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from activities.records.allergy import Severity
from activities.records.queries.case import Case
from activities.records.queries.summary import Summary
from activities.records.service_request import ServiceRequest
from rules.access import Permission
from rules.referral.vocabulary import ENDED, Direction, Progress, Reason, Stage
from web.access import Person
from web.documents.lines import document_lines, paper_acts
from web.fields import FormView
from web.present import (
    Tag,
    Tone,
    age_and_sex,
    age_words,
    family_first,
    moment_words,
    priority_tag,
    us_date,
)
from web.referrals.forms import REASON_WORDS
from web.referrals.next_action import next_action
from web.referrals.present import (
    ALLERGIES_NOT_RECORDED,
    SOURCE_LABELS,
    CasePage,
    Fact,
    PatientBanner,
    Source,
    TaskActs,
    TimelineFilter,
    allergy_tag,
    no_known_allergies,
)
from web.referrals.shown import NOWHERE, Neighbours, Shown
from web.referrals.standing import is_late, line, proofs
from web.referrals.timeline import Told
from web.referrals.words import STAGE_WORDS, stage_tag
from web.tasks import asked as queue


@dataclass(frozen=True)
class Around:
    """What the page shows beside the case itself."""

    shown: Shown
    told: Told
    beside: Neighbours = NOWHERE
    task: TaskActs | None = None
    changes_url: str = ""


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
    attaches = person.may(Permission.DOCUMENT_WRITE) and not shown.as_of
    chart = f"/patients/{case.patient.id}" if person.may(Permission.PATIENT_READ) else ""
    page = CasePage(
        number=request.number,
        title=f"{request.service} referral",
        tags=(priority_tag(request.priority), stage_tag(request.stage, late=is_late(case, now))),
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
        paper=() if shown.as_of else paper_acts(request, person),
        attach_url=f"/referrals/{request.id}/attachments" if attaches else "",
        form=form,
        live_ids=f"{request.id} {case.task.id}" if case.task else str(request.id),
        problem=problem,
        done=done,
        closed_words=_closed_words(request, now, zone),
    )
    return _placed(page, around, now, zone)


def _placed(page: CasePage, around: Around, now: datetime, zone: ZoneInfo) -> CasePage:
    """The page with its ways on: back to the list, along it, to a past moment and back, to what changes."""
    shown, beside = around.shown, around.beside
    return replace(
        page,
        back_url=queue.url(shown.within) if shown.within else "/queue",
        previous_url=shown.but(case_id=beside.previous).url() if beside.previous else "",
        next_url=shown.but(case_id=beside.next).url() if beside.next else "",
        place=beside.words,
        task=around.task,
        as_of=moment_words(shown.as_of, now, zone) if shown.as_of else "",
        as_of_value=f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        as_of_keeps=tuple(shown.within.pairs()) if shown.within else (),
        as_of_url=shown.but(as_of=None).url(),
        now_url=shown.but(as_of=None).url(),
        more_url=shown.but(everything=True).url() if around.told.more else "",
        changes_url=around.changes_url,
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
