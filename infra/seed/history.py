"""What a past leads to, by the same rules that a case follows while it runs."""

from collections.abc import Iterable
from datetime import datetime

from activities.records.service_request import PastStep
from rules.referral.steps import follow, missing
from rules.referral.table import STEPS
from rules.referral.vocabulary import Priority, Progress, Stage


class Impossible(ValueError):
    """The steps of a past do not follow from one another."""


def progress_after(
    past: Iterable[PastStep], priority: Priority, opened_at: datetime, start: Stage = Stage.DRAFT
) -> Progress:
    """Where a referral stands after its past; raises Impossible naming the step that does not fit."""
    progress = Progress(stage=start, priority=priority, since=opened_at)
    before = opened_at
    for one in past:
        if progress.stage not in STEPS[one.step].frm:
            raise Impossible(f"{one.step} cannot follow in stage {progress.stage}")
        if lacking := missing(one.step, one.facts):
            raise Impossible(f"{one.step} lacks {', '.join(lacking)}")
        if one.at < before:
            raise Impossible(f"{one.step} at {one.at} comes before what led to it")
        progress, before = follow(progress, one.step, one.facts, one.at), one.at
    return progress
