"""The list of all referrals, and the same by partner."""

from datetime import datetime

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.organization import Organization
from activities.records.queries.partners import directory
from activities.records.queries.referral_list import count, page
from activities.records.service_request import ServiceRequest
from rules.access import Permission
from web.access import current, requires, viewed
from web.present import EmptyState
from web.referrals import list_asked
from web.referrals.list_page import PAGE, Read, list_page, partner_loads
from web.settings import parts
from web.signed_in import clinic, frame

NOBODY = EmptyState(
    "No referral is with a specialist", "A specialist appears here as soon as a referral is open with them."
)


@requires(Permission.REFERRAL_READ)
def show_list() -> str:
    """All referrals of the clinic, by the filters of the address."""
    asked = list_asked.read(request.args.to_dict(flat=False))
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        lines = page(session, list_asked.filters(asked, now), asked.order, PAGE + 1, asked.after)
        read = _read(session, asked, now)
        viewed(session, "ServiceRequest", [one.request.id for one in lines[:PAGE]], request.query_string.decode())
    shown = list_page(asked, lines, read, person, now, of)
    return render_template("referrals/list.html", frame=frame("referrals", of), page=shown)


@requires(Permission.REFERRAL_READ)
def show_partners() -> str:
    """How many referrals are open with whom, and how many reports are missing."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        entries = directory(session, now)
        viewed(session, "Organization", [one.partner.id for one in entries if one.open], "referrals by partner")
    loads = partner_loads(entries)
    return render_template("referrals/by_partner.html", frame=frame("referrals", of), loads=loads, empty=NOBODY)


def _read(session: Session, asked: list_asked.Asked, now: datetime) -> Read:
    per_view = {
        view.slug: count(session, list_asked.filters(list_asked.Asked(view), now), now).total
        for view in list_asked.VIEWS
    }
    sites = session.scalars(select(ServiceRequest.site).distinct().where(ServiceRequest.site != ""))
    partners = session.scalars(select(Organization).where(Organization.partner.is_(True)).order_by(Organization.name))
    counts = count(session, list_asked.filters(asked, now), now)
    return Read(counts, per_view, tuple(sorted(sites)), tuple(partners))
