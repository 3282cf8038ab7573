"""Reads a case and what its page shows beside it, now or as of a past moment."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import abort
from sqlalchemy.orm import Session

from activities.records.base import new_id
from activities.records.queries.case import Case, find
from activities.records.queries.case_lines import CaseLine
from activities.records.queries.case_trail import RecordChange, as_of, looks, names, record_changes, state_mark
from activities.records.queries.staff import workers
from rules.access import Permission
from web.access import Person
from web.fields import Choice
from web.present import due_words
from web.referrals.new_present import LiveReferral
from web.referrals.page import Around
from web.referrals.present import TaskActs
from web.referrals.shown import Shown, neighbours
from web.referrals.timeline import Trail, timeline
from web.referrals.words import stage_tag
from web.signed_in import Clinic
from web.tasks.page import moments

NOT_YET = "Careloop did not know this case yet at that moment. Choose a later one."


@dataclass(frozen=True)
class Read:
    """The case, with the people named in it, and what stands beside it."""

    case: Case
    around: Around


def read_case(session: Session, shown: Shown, person: Person, now: datetime, of: Clinic) -> Read:
    """Answers 404 when this clinic has no such case, or had none at the moment asked for."""
    if shown.as_of and shown.as_of >= now:
        shown = shown.but(as_of=None)
    found = as_of(session, shown.case_id, shown.as_of) if shown.as_of else find(session, shown.case_id)
    if found is None:
        abort(404, NOT_YET if shown.as_of else None)
    until = shown.as_of or now
    changes, who = record_changes(session, found, until), looks(session, shown.case_id, until)
    case = replace(found, names=names(session, _actors(found, changes) | {one.actor for one in who}))
    trail = Trail(case, changes, who, case.names, person.may(Permission.MESSAGE_RAW_READ))
    told = timeline(trail, until, of.zone, shown.show, shown.everything)
    if shown.as_of:
        return Read(case, Around(shown, told))
    url = shown.url("/timeline", seen=state_mark(session, shown.case_id))
    beside = neighbours(session, shown, person, now, of.zone)
    return Read(case, Around(shown, told, beside, _task(session, case, shown, person, now, of), url))


def _actors(case: Case, changes: list[RecordChange]) -> set[str]:
    """Everybody the page names, by the ids they are kept under."""
    known = {event.actor for event in case.events} | {case.process.next_owner}
    known |= {one.actor for one in changes} | {str(one.after) for one in changes if one.field == "owner"}
    return known | ({str(case.task.owner)} if case.task and case.task.owner else set())


def _task(session: Session, case: Case, shown: Shown, person: Person, now: datetime, of: Clinic) -> TaskActs | None:
    """Nothing where no person has to act, or this one may not."""
    task = case.task
    if task is None or not person.may(Permission.TASK_CLAIM):
        return None
    people = workers(session, person.tenant) if person.may(Permission.TASK_ASSIGN) else []
    return TaskActs(
        task=str(task.id),
        token=str(new_id()),
        back=shown.url(),
        free=task.owner is None,
        mine=task.owner == person.account,
        people=tuple(Choice(str(one.id), one.name, one.title) for one in people if one.id != task.owner),
        moments=moments(now, of),
    )


def live_row(line: CaseLine, now: datetime, zone: ZoneInfo) -> LiveReferral:
    """A live referral of the patient a new one is written for."""
    due = f" · due {due_words(line.process.next_due, now, zone).words}" if line.process.next_due else ""
    return LiveReferral(
        f"{line.request.service} referral",
        f"{line.request.number} to {line.partner}{due}",
        f"/referrals/{line.request.id}",
        stage_tag(line.request.stage),
    )
