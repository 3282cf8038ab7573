"""Reads the work queue and shows it."""

from datetime import datetime

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.base import new_id
from activities.records.queries.acted import Acted, acted
from activities.records.queries.staff import workers
from activities.records.queries.worklist import count, page
from activities.records.service_request import ServiceRequest
from web.access import current, viewed
from web.present import date_words, end_of_day, family_first
from web.settings import parts
from web.signed_in import Clinic, clinic, frame
from web.signed_in import owner as owner_words
from web.tasks import asked as address
from web.tasks.page import PAGE, Read, queue_page
from web.tasks.present import Undo


def show_queue(asked: address.Asked, notice: str = "") -> str:
    """The whole page for a view; one audit event says which rows it showed."""
    person, now = current(), parts().clock()
    with parts().sessions.begin(person.context) as session:
        of = clinic(session)
        wanted = address.filters(asked, person, now, of.zone)
        items = page(session, wanted, now, PAGE + 1, asked.after, address.SORTS[asked.sort])
        read = _read(session, asked, of, now)
        undo = undo_of(session, of, now)
        viewed(session, "Task", [one.task.id for one in items[:PAGE]], request.query_string.decode())
    shown = queue_page(asked, items, read, person, now, of, undo, notice)
    return render_template("tasks/queue.html", frame=frame("queue", of), page=shown, token=new_id())


def _read(session: Session, asked: address.Asked, of: Clinic, now: datetime) -> Read:
    person, tonight = current(), end_of_day(now, of.zone)
    per_view = {
        view.slug: count(session, address.view_filters(view, person, now, of.zone), now, tonight).total
        for view in address.VIEWS
    }
    sites = session.scalars(select(ServiceRequest.site).distinct().where(ServiceRequest.site != ""))
    counts = count(session, address.filters(asked, person, now, of.zone), now, tonight)
    return Read(counts, per_view, tuple(sorted(sites)), tuple(workers(session, person.tenant)))


def undo_of(session: Session, of: Clinic, now: datetime) -> Undo | None:
    """The toast for the act this page comes back from, as long as it can be undone."""
    token = address.as_id(request.args.get("acted", ""))
    done = acted(session, token, now) if token else None
    if done is None or token is None:
        return None
    subject = f"{len(done.tasks)} tasks" if len(done.tasks) > 1 else _subject(done)
    back = request.full_path.rstrip("?")
    return Undo(subject, _deed(done, of, now), "/tasks/undo", str(token), int(done.left.total_seconds()), back)


def _subject(done: Acted) -> str:
    return family_first(done.patient.family, done.patient.given) if done.patient else done.tasks[0].action


def _deed(done: Acted, of: Clinic, now: datetime) -> str:
    task = done.tasks[0]
    if task.snoozed_until and task.snoozed_until > now:
        local, today = task.snoozed_until.astimezone(of.zone), now.astimezone(of.zone).date()
        clock = f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
        return f"snoozed until {clock if local.date() == today else date_words(local.date(), today)}"
    if task.owner is None:
        return "released"
    return "claimed" if task.owner == current().account else f"handed to {owner_words(done.owner).name}"
