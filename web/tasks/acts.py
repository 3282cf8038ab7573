"""What one does to tasks: claim, release, hand over, snooze, undo. Each comes back to where it was asked."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from flask import Blueprint, abort, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from activities.records.account import Account
from activities.records.audit_event import Action
from activities.records.queries.staff import worker
from activities.records.queries.worklist import LONGEST, walk
from activities.records.task import Task
from activities.records.task_act import Act, assign, claim, release, snooze, undo
from rules.access import Permission
from web.access import current, requires
from web.settings import parts
from web.signed_in import clinic
from web.tasks import asked
from web.tasks.queue import show_queue

Answer = Response | str | tuple[str, int]
Deed = Callable[[Session, UUID, str], Act]
BACK = ("/queue", "/referrals/")


@requires(Permission.TASK_CLAIM)
def claim_them() -> Answer:
    """Takes the chosen tasks; says of each that somebody else holds who does."""
    account = current().account
    return _act(lambda session, task, token: claim(session, task, account, token))


@requires(Permission.TASK_CLAIM)
def release_them() -> Answer:
    """Gives the chosen tasks that are one's own back to their pools."""
    account = current().account
    return _act(lambda session, task, token: release(session, task, account, token))


@requires(Permission.TASK_CLAIM)
def snooze_them() -> Answer:
    """Hides the chosen tasks until a moment; their due times stay."""
    until = _moment(request.form.get("until", ""))
    return _act(lambda session, task, token: snooze(session, task, until, token))


@requires(Permission.TASK_ASSIGN)
def assign_them() -> Answer:
    """Hands the chosen tasks to somebody of the clinic, whoever has them."""
    person, now = current(), parts().clock()
    chosen = asked.as_id(request.form.get("owner", "")) or abort(400, "Choose whom to hand the tasks to.")
    with parts().sessions.begin(person.context) as session:
        if worker(session, person.tenant, chosen) is None:
            abort(400, "Choose somebody who works in this clinic.")
    return _act(lambda session, task, token: assign(session, person.context, task, chosen, token, now))


@requires(Permission.TASK_CLAIM)
def undo_them() -> Response:
    """Puts back what the last act changed, where nothing has happened since."""
    person = current()
    with parts().sessions.begin(person.context) as session:
        for task in undo(session, request.form.get("token", "")):
            parts().auditor.write(session, person.context, Action.UPDATE, "Task", str(task), detail={"act": "undo"})
    return redirect(_back(), 303)


@requires(Permission.REFERRAL_ACT)
def complete_them() -> Answer:
    """Opens the form that completes a task; every referral asks a question of its own, so only one at a time."""
    with parts().sessions.begin(current().context) as session:
        chosen = _chosen(session)
        if len(chosen) != 1:
            return _refuse("Each referral asks its own question when it is completed: open them one by one (Enter).")
        task = session.get(Task, chosen[0]) or abort(404)
    step = f"/{task.outcomes[0]}" if task.outcomes else ""
    return redirect(f"/referrals/{task.case_id}{step}?{urlsplit(_back()).query}", 303)


def _act(deed: Deed) -> Answer:
    """Does it to each chosen task in one transaction; who lost hears who won."""
    person, token = current(), str(asked.as_id(request.form.get("token", "")) or "")
    lost = []
    with parts().sessions.begin(person.context) as session:
        for task in _chosen(session):
            done = deed(session, task, token)
            if done.won:
                detail: dict[str, object] = {"act": request.path.rpartition("/")[2]}
                parts().auditor.write(session, person.context, Action.UPDATE, "Task", str(task), detail=detail)
            else:
                lost.append(_who(session, done))
    if lost:
        return _refuse(f"Not done for {len(lost)}: {', '.join(sorted(set(lost)))} was faster.")
    return redirect(_back(acted=token), 303)


def _chosen(session: Session) -> list[UUID]:
    """The tasks of the form, or all of the view when the whole view was chosen."""
    if request.form.get("everything") != "view":
        return [one for word in request.form.getlist("task")[:LONGEST] if (one := asked.as_id(word))]
    person, now = current(), parts().clock()
    wanted = asked.filters(_asked(), person, now, clinic(session).zone)
    return [task for task, _ in walk(session, wanted, now)]


def _who(session: Session, done: Act) -> str:
    known = session.get(Account, done.holder) if done.holder else None
    return known.name if known else "somebody"


def _refuse(words: str) -> Answer:
    if not _back().startswith("/queue"):
        return redirect(_back(refused="1"), 303)
    return show_queue(_asked(), notice=words), 409


def _asked() -> asked.Asked:
    """The view the act was chosen in."""
    return asked.read(parse_qs(urlsplit(_back()).query))


def _back(**more: str) -> str:
    """Where the form was: a queue or a case, never another site."""
    path = urlsplit(request.form.get("back", ""))
    if path.scheme or path.netloc or not path.path.startswith(BACK):
        return "/queue"
    known = {name: values for name, values in parse_qs(path.query).items() if name not in ("acted", "refused")}
    return f"{path.path}?{urlencode(known | more, doseq=True)}".rstrip("?")


def _moment(words: str) -> datetime:
    """An instant of the form; without a zone it is refused."""
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        abort(400, "Choose until when the task should rest.")
    return moment if moment.tzinfo else abort(400, "Choose until when the task should rest.")


def add_acts(blueprint: Blueprint) -> None:
    """The acts' addresses."""
    for slug, view in (
        ("claim", claim_them),
        ("release", release_them),
        ("snooze", snooze_them),
        ("assignment", assign_them),
        ("completion", complete_them),
        ("undo", undo_them),
    ):
        blueprint.add_url_rule(f"/tasks/{slug}", slug, view, methods=["POST"])
