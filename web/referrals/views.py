"""Referrals: one case, a new one, and the steps people take."""

from dataclasses import replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from activities.records.decision import Outcome
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.patient_link import patient_now
from activities.records.queries.case import Case, find
from activities.records.queries.case_trail import state_mark
from activities.records.queries.find_patient import find_patients
from activities.records.queries.search import live_for
from activities.records.queries.summary import summary
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from activities.records.values import load
from rules.access import Permission
from rules.consent import Sensitivity
from rules.coverage import covered
from rules.referral.steps import legal
from rules.referral.vocabulary import Direction, Progress, Step
from web.access import current, requires, viewed
from web.decisions import Desk, Settled
from web.fields import FormView
from web.present import age_and_sex, family_first, us_date
from web.referrals import new
from web.referrals.forms import Asked, read, step_form
from web.referrals.list_views import show_list, show_partners
from web.referrals.new_present import FoundPatient, NewReferralPage
from web.referrals.next_action import by_of
from web.referrals.page import banner, case_page
from web.referrals.present import CasePage
from web.referrals.reading import live_row, read_case
from web.referrals.shown import Neighbours, Shown, neighbours
from web.referrals.shown import read as read_shown
from web.referrals.standing import progress_then
from web.settings import parts
from web.signed_in import Clinic, clinic, frame
from web.tasks.asked import as_id
from web.tasks.queue import undo_of
from workflows.contracts import referral

APPLYING = "Recorded, being applied. This page shows it in a moment."
REFUSED = "Not done: somebody else took or finished this task first."


class ReferralPages:
    """`desk` takes the decisions; `ring` opens the State a page shows."""

    def __init__(self, desk: Desk, ring: KeyRing) -> None:
        self._desk, self._ring = desk, ring

    @requires(Permission.REFERRAL_READ)
    def show(self, case_id: UUID) -> str:
        return self._page(case_id)

    @requires(Permission.REFERRAL_READ)
    def step(self, case_id: UUID, step: str) -> str:
        """The form of a step, open on the case page."""
        return self._page(case_id, opened=_step(step))

    @requires(Permission.REFERRAL_ACT)
    def decide(self, case_id: UUID, step: str) -> str | AnyResponse | tuple[str, int]:
        """Takes a step; a refusal is shown on the form with everything typed kept."""
        taken, person = _step(step), current()
        with parts().sessions.begin(person.context) as session:
            asked = _asked(session, find(session, case_id) or abort(404), self._ring)
            beside = neighbours(session, shown_of(case_id), person, parts().clock(), asked.zone)
        answered = read(taken, request.form, asked)
        if answered.errors:
            return self._page(case_id, taken, errors=dict(answered.errors)), 422
        settled = self._desk.decide(person.context, _token(), case_id, taken, answered.facts, by_of(person))
        if settled.outcome in (Outcome.REFUSED, Outcome.PARKED):
            return self._page(case_id, taken, problem=settled.words), 409
        return redirect(self._after(case_id, beside, settled), 303)

    @requires(Permission.REFERRAL_READ, background=True)
    def changed(self, case_id: UUID) -> str | tuple[str, int]:
        """The timeline as it is now; 204 when nothing happened since the page was made."""
        with parts().sessions.begin(current().context) as session:
            if state_mark(session, case_id) == request.args.get("seen"):
                return "", 204
        page = self._case_page(case_id)[0]
        return render_template("referrals/_timeline_live.html", page=page)

    def _after(self, case_id: UUID, beside: Neighbours, settled: Settled) -> str:
        """Where one goes on: to the next case of the list the finished one was opened from."""
        shown = shown_of(case_id)
        if settled.outcome is None:
            return shown.url(applying="1")
        return shown.but(case_id=beside.next).url(done=str(case_id)) if beside.next else shown.url()

    @requires(Permission.REFERRAL_CREATE)
    def choose_patient(self) -> str:
        """Who the new referral is for."""
        person, asked_for = current(), request.form.get("q", "").strip()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            today = parts().clock().astimezone(of.zone).date()
            found = find_patients(session, asked_for) if asked_for else None
            if found:
                viewed(session, "Patient", [one.id for one in found], "search for a new referral")
            shown = None if found is None else tuple(_found(one, today) for one in found)
        page = NewReferralPage(None, None, "/referrals/new", "/queue", asked_for, shown)
        return render_template("referrals/new.html", frame=frame("referrals", of), page=page)

    @requires(Permission.REFERRAL_CREATE)
    def write(self, patient_id: UUID) -> str:
        return self._new_page(patient_id, {})

    @requires(Permission.REFERRAL_CREATE)
    def create(self, patient_id: UUID) -> str | AnyResponse | tuple[str, int]:
        """Opens the referral; the form's token is its id, so that a double click makes one."""
        person, token = current(), _token()
        with parts().sessions.begin(person.context) as session:
            patient = patient_now(session, patient_id) or abort(404)
            content = new.read(request.form, patient, _partners(session), person)
            repeated = new.repeats(content, live_for(session, patient_id))
        errors = new.wrong(content)
        if errors:
            return self._new_page(patient_id, errors), 422
        if repeated and not request.form.get("second"):
            return self._new_page(patient_id, {}, repeated, second=True), 409
        settled = self._desk.open(person.context, token, content, by_of(person))
        if settled.outcome is Outcome.APPLIED:
            return redirect(f"/referrals/{token}", 303)
        return self._new_page(patient_id, {}, APPLYING), 202

    def _new_page(self, patient_id: UUID, errors: dict[str, str], problem: str = "", second: bool = False) -> str:
        person, now = current(), parts().clock()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            chart = summary(session, patient_id) or abort(404)
            viewed(session, "Patient", [chart.patient.id], "new referral")
            url = f"/referrals/new/{patient_id}"
            form = new.form_view(url, "/queue", _partners(session), request.form, errors, problem, second)
            live = tuple(live_row(one, now, of.zone) for one in live_for(session, patient_id))
        who = banner(chart, now.astimezone(of.zone).date())
        page = NewReferralPage(who, form, "/referrals/new", "/queue", live=live)
        return render_template("referrals/new.html", frame=frame("referrals", of), page=page)

    def _page(
        self, case_id: UUID, opened: Step | None = None, errors: dict[str, str] | None = None, problem: str = ""
    ) -> str:
        page, of = self._case_page(case_id, opened, errors, problem)
        return render_template("referrals/case.html", frame=frame("referrals", of), page=page)

    def _case_page(
        self, case_id: UUID, opened: Step | None = None, errors: dict[str, str] | None = None, problem: str = ""
    ) -> tuple[CasePage, Clinic]:
        person, now = current(), parts().clock()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            read = read_case(session, shown_of(case_id, of.zone), person, now, of)
            case, shown = read.case, read.around.shown
            viewed(session, "ServiceRequest", [case_id], "as of a past moment" if shown.as_of else "")
            asked = _asked(session, case, self._ring) if opened and not shown.as_of else None
            form = _form(case, shown, opened, asked, errors, problem) if opened and asked else None
            undo, done = undo_of(session, of, now), _done(session)
        progress = progress_then(case) if shown.as_of else self._progress(case)
        if opened and opened not in legal(progress, by_of(person)) and not problem:
            form = None
        problem = "" if form else problem or (REFUSED if request.args.get("refused") else "")
        page = case_page(case, progress, person, shown.as_of or now, of.zone, read.around, form, problem, done)
        return replace(page, undo=undo), of

    def _progress(self, case: Case) -> Progress:
        place = f"process:{case.process.workflow_id}"
        return load(referral.State, self._ring.open(case.process.state, place)).progress


def create_referrals(desk: Desk, ring: KeyRing) -> Blueprint:
    """The pages of referrals, to be registered by the application."""
    pages = ReferralPages(desk, ring)
    blueprint = Blueprint("referrals", __name__, url_prefix="/referrals", template_folder="templates")
    blueprint.add_url_rule("", "show_list", show_list)
    blueprint.add_url_rule("/partners", "show_partners", show_partners)
    blueprint.add_url_rule("/<uuid:case_id>/timeline", "changed", pages.changed)
    blueprint.add_url_rule("/new", "choose_patient", pages.choose_patient, methods=["GET", "POST"])
    blueprint.add_url_rule("/new/<uuid:patient_id>", "write", pages.write)
    blueprint.add_url_rule("/new/<uuid:patient_id>", "create", pages.create, methods=["POST"])
    blueprint.add_url_rule("/<uuid:case_id>", "show", pages.show)
    blueprint.add_url_rule("/<uuid:case_id>/<step>", "step", pages.step)
    blueprint.add_url_rule("/<uuid:case_id>/<step>", "decide", pages.decide, methods=["POST"])
    return blueprint


def _step(word: str) -> Step:
    """The step an address names; 404 for a word that is none."""
    return Step(word) if word in set(Step) else abort(404)


def _token() -> UUID:
    """The form's one-time token."""
    try:
        return UUID(request.form["token"])
    except (KeyError, ValueError):
        abort(400)


def _partners(session: Session) -> list[Organization]:
    query = select(Organization).where(Organization.partner.is_(True)).order_by(Organization.name)
    return list(session.scalars(query))


def _asked(session: Session, case: Case, ring: KeyRing) -> Asked:
    """What a step's form must know of its case."""
    partners = {str(one.id): one for one in _partners(session)}
    progress = load(referral.State, ring.open(case.process.state, f"process:{case.process.workflow_id}")).progress
    candidates = tuple(
        (one.task, partners[one.organization].name) for one in progress.live if one.organization in partners
    )
    return Asked(
        clinic(session).zone,
        tuple(partners.values()),
        candidates,
        tuple(case.request.diagnoses),
        case.request.question,
        part_2=case.chart.part_2 or any(Sensitivity.PART_2 in one.sensitivity for one in case.documents),
        covered=covered(case.chart.coverage, case.partner.plans),
        direction=Direction(case.request.direction),
        documents=tuple((str(one.id), one.title) for one in case.documents),
    )


def _form(case: Case, shown: Shown, step: Step, asked: Asked, errors: dict[str, str] | None, problem: str) -> FormView:
    told = ""
    if step in (Step.SENDING, Step.CANCELLATION, Step.INFORMATION) or asked.direction is Direction.IN:
        told = f"{case.partner.name} is told."
    return step_form(step, shown.url(f"/{step}"), shown.url(), asked, request.form, errors, problem, told)


def shown_of(case_id: UUID, zone: ZoneInfo | None = None) -> Shown:
    """What the address asks to see of a case."""
    return read_shown(case_id, request.args.to_dict(flat=False), zone or ZoneInfo("UTC"))


def _done(session: Session) -> str:
    """What the last step did, said on the page one comes to."""
    if request.args.get("applying"):
        return APPLYING
    finished = as_id(request.args.get("done", ""))
    row = session.get(ServiceRequest, finished) if finished else None
    return f"{row.number} is recorded. This is the next one." if row else ""


def _found(patient: Patient, today: date) -> FoundPatient:
    second = f"{us_date(patient.birth_date)} · {age_and_sex(patient.birth_date, patient.sex, today)} · {patient.mrn}"
    return FoundPatient(family_first(patient.family, patient.given), second, f"/referrals/new/{patient.id}")
