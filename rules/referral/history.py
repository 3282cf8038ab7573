"""What a past leads to, by the same rules that a case follows while it runs."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from rules.referral.steps import follow, refuses
from rules.referral.table import STEPS
from rules.referral.vocabulary import Candidate, Facts, Priority, Progress, Stage, Step

SENT_TO = frozenset({Step.SENDING, Step.COVERAGE_CLEARANCE, Step.NEW_RECIPIENT, Step.ANOTHER_CANDIDATE})


class Happened(Protocol):
    """Something of a past: the step, when it truly happened, and what was said with it."""

    @property
    def step(self) -> Step: ...

    @property
    def at(self) -> datetime: ...

    @property
    def facts(self) -> Facts: ...


class Impossible(ValueError):
    """The steps of a past do not follow from one another."""


def progress_after(
    past: Iterable[Happened],
    priority: Priority,
    opened_at: datetime,
    first: str,
    task_of: Callable[[str], str],
) -> Progress:
    """Where a referral stands after its past; raises Impossible naming the step that does not fit.

    `first` is the organization it was first sent to, `task_of` the id of the Task at an organization.
    """
    progress = Progress(priority=priority, since=opened_at, opened=opened_at)
    before = opened_at
    for one in past:
        if refusal := refuses(progress, one.step, one.facts, min(STEPS[one.step].by)):
            raise Impossible(f"{one.step}: {refusal.words}")
        if one.at < before:
            raise Impossible(f"{one.step} at {one.at} comes before what led to it")
        progress, before = follow(progress, one.step, one.facts, one.at), one.at
        if one.step in SENT_TO and progress.stage is not Stage.COVERAGE:
            asked = one.facts.recipient or first
            progress = replace(progress, candidates=(*progress.candidates, Candidate(task_of(asked), asked)))
    return progress
