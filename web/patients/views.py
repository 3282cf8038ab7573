"""Patients: the search on every page, and one patient's chart."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from activities.records.document_reference import DocumentReference, DocumentStatus
from activities.records.patient_link import same_person
from activities.records.queries.case_trail import Look, looks, names
from activities.records.queries.chart import chart, recent
from activities.records.queries.search import search
from rules.access import Permission
from web.access import current, requires, viewed
from web.patients.page import patient_page, patients_page
from web.settings import parts
from web.signed_in import clinic, frame

LOOKED_BACK = timedelta(days=14)
DOCUMENTS = 20


@requires(Permission.PATIENT_READ)
def home() -> str:
    """The search, and whom this person opened last."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        last = recent(session, person.context.actor, now - LOOKED_BACK)
        viewed(session, "Patient", [one.id for one in last], "opened last")
    page = patients_page("", None, last, person, now, of)
    return render_template("patients/search.html", frame=frame("patients", of), page=page)


@requires(Permission.PATIENT_READ)
def find() -> str | Response:
    """By name, birth date, phone, MRN or referral number; what was typed stays out of every address."""
    person, now, words = current(), parts().clock(), request.form.get("q", "").strip()
    if not words:
        return redirect("/patients", 303)
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        found = search(session, words)
        viewed(session, "Patient", [one.patient.id for one in found], words)
    page = patients_page(words, found, (), person, now, of)
    return render_template("patients/search.html", frame=frame("patients", of), page=page)


@requires(Permission.PATIENT_READ)
def show(patient_id: UUID) -> str:
    """One patient's chart."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        found = chart(session, patient_id) or abort(404)
        documents = _documents(session, patient_id) if person.may(Permission.DOCUMENT_READ) else []
        who = looks(session, found.patient.id, now, "Patient") if person.may(Permission.AUDIT_READ) else None
        people = names(session, [one.actor for one in who or ()])
        viewed(session, "Patient", [found.patient.id])
    page = patient_page(found, documents, _latest(who), people, person, now, of)
    return render_template("patients/patient.html", frame=frame("patients", of), page=page)


def _documents(session: Session, patient_id: UUID) -> list[DocumentReference]:
    query = select(DocumentReference).where(
        DocumentReference.patient_id.in_(same_person(session, patient_id)),
        DocumentReference.status == DocumentStatus.CURRENT,
    )
    return list(session.scalars(query.order_by(DocumentReference.received_at.desc()).limit(DOCUMENTS)))


def _latest(who: list[Look] | None) -> list[Look] | None:
    return None if who is None else who[:DOCUMENTS]


def create_patients() -> Blueprint:
    """The patients' pages, to be registered by the application."""
    blueprint = Blueprint("patients", __name__, url_prefix="/patients", template_folder="templates")
    blueprint.add_url_rule("", "home", home)
    blueprint.add_url_rule("/search", "find", find, methods=["POST"])
    blueprint.add_url_rule("/<uuid:patient_id>", "show", show)
    return blueprint
