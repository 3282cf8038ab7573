"""Every open case has one next action with an owner and a deadline; a case that has ended has no task of its own."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from activities.records.process import Process
from activities.records.service_request import ServiceRequest
from activities.records.task import Task, TaskStatus
from infra.verify.finding import Clinic, Finding
from rules.referral.vocabulary import ENDED
from workflows.contracts import task


def check(clinic: Clinic) -> Iterator[Finding]:
    tasks = (
        select(Task.workflow_id, func.count().label("open"))
        .where(Task.status == TaskStatus.OPEN)
        .group_by(Task.workflow_id)
        .subquery()
    )
    rows = clinic.session.execute(
        select(Process, func.coalesce(tasks.c.open, 0), ServiceRequest.number, ServiceRequest.stage)
        .outerjoin(tasks, tasks.c.workflow_id == Process.workflow_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == Process.case_id)
        .where(Process.closed_at.is_(None) | (func.coalesce(tasks.c.open, 0) > 0))
        .options(defer(Process.state))
    )
    for process, count, number, stage in rows:
        for words in _wrong(process, count, stage):
            yield Finding(number or process.workflow_id, words)


def _wrong(process: Process, tasks: int, stage: str | None) -> Iterator[str]:
    if process.closed_at is not None:
        if process.kind != task.PROCESS:
            yield f"It has ended, and {tasks} tasks of it are open."
        return
    if not process.next_action:
        yield "Nobody is told what to do next."
    if not process.next_owner:
        yield "The next action has no owner."
    if process.next_due is None and not tasks:
        yield "The next action has no deadline."
    if tasks > 1:
        yield f"It has {tasks} open tasks where it waits for one thing."
    if stage is not None and (stage in ENDED or stage != process.stage):
        yield f"Its record says {stage} and its process {process.stage}."
