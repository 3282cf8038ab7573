"""Partners: the directory, one entry, its form, and the sheet for a call to the office."""

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from activities.records.audit_event import Action
from activities.records.organization import Organization, change
from activities.records.queries import partners
from rules.access import Permission
from web.access import current, requires, viewed
from web.partners.forms import Answered, entry_form, read
from web.partners.present import call_sheet, partner_case, partner_page, partner_row
from web.settings import parts
from web.signed_in import clinic, frame

NEWER = "Somebody changed this entry while you were writing. Their values are not overwritten: look, and save again."


@requires(Permission.PARTNER_READ)
def show_all() -> str:
    """The directory, with what was measured of each partner."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        entries = partners.directory(session, now)
        viewed(session, "Organization", [one.partner.id for one in entries], "directory")
    rows = tuple(partner_row(one, now.astimezone(of.zone).date()) for one in entries)
    return render_template("partners/directory.html", frame=frame("partners", of), rows=rows)


@requires(Permission.PARTNER_READ)
def show(partner_id: UUID) -> str:
    """One partner; its open referrals only for those who may read referrals."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        entry = partners.entry(session, partner_id, now) or abort(404)
        lines = partners.open_lines(session, partner_id) if person.may(Permission.REFERRAL_READ) else None
        viewed(session, "Organization", [partner_id])
        if lines:
            viewed(session, "ServiceRequest", [one.request.id for one in lines], f"open with {partner_id}")
    cases = None if lines is None else tuple(partner_case(one, person, now, of) for one in lines)
    page = partner_page(entry, cases, person, now.astimezone(of.zone).date())
    return render_template("partners/partner.html", frame=frame("partners", of), page=page)


@requires(Permission.REFERRAL_READ)
def calls(partner_id: UUID) -> str:
    """Everything that one call to the partner's office can settle."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        entry = partners.entry(session, partner_id, now) or abort(404)
        found = partners.call_sheet(session, partner_id)
        viewed(session, "ServiceRequest", [one.line.request.id for one in found], f"call sheet of {partner_id}")
    page = call_sheet(entry, found, person, now, of)
    return render_template("partners/calls.html", frame=frame("referrals", of), page=page)


@requires(Permission.PARTNER_WRITE)
def edit(partner_id: UUID) -> str:
    with parts().sessions.begin(current().context) as session:
        return _form(session, _partner(session, partner_id), Answered({}, {}))


@requires(Permission.PARTNER_WRITE)
def save(partner_id: UUID) -> str | Response | tuple[str, int]:
    """Writes the entry over the version that was shown; over a newer one nothing is written."""
    person, version = current(), request.form.get("version", "")
    with parts().sessions.begin(person.context) as session:
        partner = _partner(session, partner_id)
        answered = read(request.form, partner)
        if answered.errors:
            return _form(session, partner, answered), 422
        fields = sorted(name for name, value in answered.values.items() if getattr(partner, name) != value)
        if fields and not (version.isdecimal() and change(session, partner_id, int(version), answered.values)):
            return _form(session, partner, answered, NEWER), 409
        if fields:
            detail: dict[str, object] = {"fields": fields}
            parts().auditor.write(
                session, person.context, Action.UPDATE, "Organization", str(partner_id), detail=detail
            )
    return redirect(f"/partners/{partner_id}", 303)


def _partner(session: Session, partner_id: UUID) -> Organization:
    found = session.get(Organization, partner_id)
    return found if found and found.partner else abort(404)


def _form(session: Session, partner: Organization, answered: Answered, problem: str = "") -> str:
    form = entry_form(partner, partner.version, request.form, answered.errors, problem)
    return render_template("partners/entry.html", frame=frame("partners", clinic(session)), form=form)


def create_partners() -> Blueprint:
    """The directory's pages, to be registered by the application."""
    blueprint = Blueprint("partners", __name__, url_prefix="/partners", template_folder="templates")
    blueprint.add_url_rule("", "show_all", show_all)
    blueprint.add_url_rule("/<uuid:partner_id>", "show", show)
    blueprint.add_url_rule("/<uuid:partner_id>/calls", "calls", calls)
    blueprint.add_url_rule("/<uuid:partner_id>/entry", "edit", edit)
    blueprint.add_url_rule("/<uuid:partner_id>/entry", "save", save, methods=["POST"])
    return blueprint
