"""The work queue and what one does to its rows."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from activities.records.account import Account
from activities.records.audit_event import Action
from activities.records.queries.worklist import count, page
from activities.records.service_request import ServiceRequest
from activities.records.task_act import claim, release, snooze
from rules.access import Permission
from web.access import current, requires, viewed
from web.settings import parts
from web.signed_in import clinic, frame
from web.tasks import queue

MOST = 1000


@requires(Permission.QUEUE_READ)
def home() -> Response:
    return redirect("/queue", 303)


@requires(Permission.QUEUE_READ)
def show() -> str:
    return _show()


def _show(notice: str = "") -> str:
    asked, person, now = queue.read(request.args.to_dict(flat=False)), current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        wanted = queue.filters(asked, person, now, of.zone)
        items = page(session, wanted, now, queue.PAGE + 1, asked.after)
        night = queue.tonight(now, of.zone)
        counts = count(session, wanted, now, night)
        per_view = {
            view.slug: count(session, queue.view_filters(view, person, now, of.zone), now, night).total
            for view in queue.VIEWS
        }
        sites = tuple(session.scalars(select(ServiceRequest.site).distinct().where(ServiceRequest.site != "")))
        viewed(session, "Task", [one.task.id for one in items], request.query_string.decode())
    shown = queue.queue_page(asked, items, counts, per_view, person, sites, now, of.zone, notice)
    return render_template("tasks/queue.html", frame=frame("queue", of), page=shown)


@requires(Permission.TASK_CLAIM)
def claim_them() -> Response | str | tuple[str, int]:
    """Takes the chosen tasks; says of each that somebody else holds who does."""
    person = current()
    taken = []
    with parts().sessions.begin(person.context) as session:
        for task_id in _chosen():
            claimed = claim(session, task_id, person.account, request.form.get("token", ""))
            if not claimed.won:
                taken.append(_holder(session, claimed.holder))
            else:
                parts().auditor.write(session, person.context, Action.UPDATE, "Task", str(task_id))
    if taken:
        return _show(f"Not claimed: {', '.join(sorted(set(taken)))} took it first."), 409
    return _back()


@requires(Permission.TASK_CLAIM)
def snooze_them() -> Response:
    """Hides the chosen tasks until a moment; their due times stay."""
    person, until = current(), datetime.fromisoformat(request.form["until"])
    with parts().sessions.begin(person.context) as session:
        for task_id in _chosen():
            snooze(session, task_id, until, request.form.get("token", ""))
            parts().auditor.write(session, person.context, Action.UPDATE, "Task", str(task_id))
    return _back()


@requires(Permission.TASK_CLAIM)
def release_them() -> Response:
    """Gives the chosen tasks back to their pools."""
    person = current()
    with parts().sessions.begin(person.context) as session:
        for task_id in _chosen():
            if release(session, task_id, person.account, request.form.get("token", "")).won:
                parts().auditor.write(session, person.context, Action.UPDATE, "Task", str(task_id))
    return _back()


def create_tasks() -> Blueprint:
    """The queue's pages, to be registered by the application."""
    blueprint = Blueprint("tasks", __name__, template_folder="templates")
    blueprint.add_url_rule("/", "home", home)
    blueprint.add_url_rule("/queue", "show", show)
    blueprint.add_url_rule("/tasks/claim", "claim", claim_them, methods=["POST"])
    blueprint.add_url_rule("/tasks/snooze", "snooze", snooze_them, methods=["POST"])
    blueprint.add_url_rule("/tasks/release", "release", release_them, methods=["POST"])
    return blueprint


def _chosen() -> list[UUID]:
    return [UUID(one) for one in request.form.getlist("task")[:MOST]]


def _holder(session: Session, holder: UUID | None) -> str:
    known = session.get(Account, holder) if holder else None
    return known.name if known else "a colleague"


def _back() -> Response:
    return redirect(f"/queue?view={request.form.get('view', 'due')}", 303)
