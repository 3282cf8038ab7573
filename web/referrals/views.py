"""Referrals: the list, one case, a new one, and the steps people take."""

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from activities.records.decision import Outcome
from activities.records.organization import Organization
from activities.records.patient import Patient
from activities.records.queries.case import Case, find
from activities.records.queries.find_patient import find_patients
from activities.records.ring import KeyRing
from activities.records.values import load
from rules.access import Permission
from rules.coverage import covered
from rules.referral.steps import legal
from rules.referral.vocabulary import Facts, Progress, Step
from web.access import current, requires, viewed
from web.decisions import Desk, Settled
from web.fields import FormView
from web.present import age_and_sex, family_first, us_date
from web.referrals import new
from web.referrals.forms import Asked, read, step_form
from web.referrals.page import banner, by_of, case_page
from web.referrals.present import FoundPatient, NewReferralPage
from web.settings import parts
from web.signed_in import clinic, frame
from workflows.contracts import referral

APPLYING = "Recorded, being applied. This page shows it in a moment."


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
        answered = read(taken, request.form, asked)
        if answered.errors:
            return self._page(case_id, taken, errors=dict(answered.errors)), 422
        token = _token()
        settled = self._decide(case_id, token, taken, answered.facts)
        if settled.outcome in (Outcome.REFUSED, Outcome.PARKED):
            return self._page(case_id, taken, problem=settled.words), 409
        return redirect(f"/referrals/{case_id}" + ("" if settled.outcome else "?applying=1"), 303)

    def _decide(self, case_id: UUID, token: UUID, step: Step, facts: Facts) -> Settled:
        person = current()
        with parts().sessions.begin(person.context) as session:
            if find(session, case_id) is None:
                abort(404)
        return self._desk.decide(person.context, token, case_id, step, facts, by_of(person))

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
            patient = session.get(Patient, patient_id) or abort(404)
            content = new.read(request.form, patient, _partners(session), person)
        errors = new.wrong(content)
        if errors:
            return self._new_page(patient_id, errors), 422
        settled = self._desk.open(person.context, token, content, by_of(person))
        if settled.outcome is Outcome.APPLIED:
            return redirect(f"/referrals/{token}", 303)
        return self._new_page(patient_id, {}, APPLYING), 202

    def _new_page(self, patient_id: UUID, errors: dict[str, str], problem: str = "") -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            patient = session.get(Patient, patient_id) or abort(404)
            viewed(session, "Patient", [patient.id], "new referral")
            url = f"/referrals/new/{patient_id}"
            form = new.form_view(url, "/queue", _partners(session), request.form, errors, problem)
            who = banner(patient, parts().clock().astimezone(of.zone).date())
        page = NewReferralPage(who, form, "/referrals/new", "/queue")
        return render_template("referrals/new.html", frame=frame("referrals", of), page=page)

    def _page(
        self, case_id: UUID, opened: Step | None = None, errors: dict[str, str] | None = None, problem: str = ""
    ) -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            case = find(session, case_id) or abort(404)
            viewed(session, "ServiceRequest", [case_id])
            asked = _asked(session, case, self._ring) if opened else None
            form = _form(case, opened, asked, errors, problem) if opened and asked else None
        done = APPLYING if request.args.get("applying") else ""
        progress = self._progress(case)
        if opened and opened not in legal(progress, by_of(current())) and not problem:
            form = None
        now = parts().clock()
        page = case_page(case, progress, current(), now, of.zone, form, "" if form else problem, done)
        return render_template("referrals/case.html", frame=frame("referrals", of), page=page)

    def _progress(self, case: Case) -> Progress:
        place = f"process:{case.process.workflow_id}"
        return load(referral.State, self._ring.open(case.process.state, place)).progress


def create_referrals(desk: Desk, ring: KeyRing) -> Blueprint:
    """The pages of referrals, to be registered by the application."""
    pages = ReferralPages(desk, ring)
    blueprint = Blueprint("referrals", __name__, url_prefix="/referrals", template_folder="templates")
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
        part_2=any("Part 2" in words for words in case.patient.alerts),
        covered=covered(case.patient.coverage, case.partner.plans),
    )


def _form(case: Case, step: Step, asked: Asked, errors: dict[str, str] | None, problem: str) -> FormView:
    url, told = f"/referrals/{case.request.id}/{step}", ""
    if step in (Step.SENDING, Step.CANCELLATION, Step.INFORMATION):
        told = f"{case.partner.name} is told."
    cancel = f"/referrals/{case.request.id}"
    return step_form(step, url, cancel, asked, request.form, errors, problem, told)


def _found(patient: Patient, today: date) -> FoundPatient:
    second = f"{us_date(patient.birth_date)} · {age_and_sex(patient.birth_date, patient.sex, today)} · {patient.mrn}"
    return FoundPatient(family_first(patient.family, patient.given), second, f"/referrals/new/{patient.id}")
