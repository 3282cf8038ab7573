"""The work queue's own addresses."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from activities.records.queries.worklist import changes, count
from rules.access import Permission
from web.access import current, requires
from web.present import end_of_day
from web.settings import parts
from web.signed_in import PLACES, clinic
from web.tasks import asked as address
from web.tasks.acts import add_acts
from web.tasks.page import changes_page
from web.tasks.queue import show_queue

OVERLAP = timedelta(seconds=5)  # a transaction that was under way when the page was made


@requires(Permission.SESSION)
def home() -> Response:
    """The first place this person may go."""
    person = current()
    return redirect(next((place.url for permission, place in PLACES if person.may(permission)), "/session"), 303)


@requires(Permission.QUEUE_READ)
def show() -> str:
    return show_queue(address.read(request.args.to_dict(flat=False)))


@requires(Permission.QUEUE_READ, background=True)
def changed() -> str:
    """The button that new and changed rows wait behind, and who took what is shown."""
    person, now = current(), parts().clock()
    asked = address.read(request.args.to_dict(flat=False))
    since = _since(request.args.get("since", "")) - OVERLAP
    with parts().sessions.begin(person.context) as session:
        zone = clinic(session).zone
        wanted = address.filters(asked, person, now, zone)
        found = changes(session, wanted, now, since, _shown(request.args.get("shown", "")))
        counts = count(session, wanted, now, end_of_day(now, zone))
    return render_template("tasks/_changes.html", changes=changes_page(asked, found, counts, person), live=True)


def create_tasks() -> Blueprint:
    """The queue's pages, to be registered by the application."""
    blueprint = Blueprint("tasks", __name__, template_folder="templates")
    blueprint.add_url_rule("/", "home", home)
    blueprint.add_url_rule("/queue", "show", show)
    blueprint.add_url_rule("/queue/changes", "changed", changed)
    add_acts(blueprint)
    return blueprint


def _since(words: str) -> datetime:
    try:
        return datetime.fromisoformat(words)
    except ValueError:
        abort(400, "The address does not say when the page was made.")


def _shown(words: str) -> dict[UUID, int]:
    """`id-version` of each row, joined by dots."""
    rows = (one.partition("-") for one in words.split(".") if one)
    return {known: int(version) for row, _, version in rows if version.isdecimal() and (known := address.as_id(row))}
