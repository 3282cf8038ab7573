"""A referral's task: whose it is, who stands in, and how it climbs when nobody acts. It never closes by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from activities.records.case_event import CaseEvent, result_of
from activities.records.task import Task, TaskStatus
from activities.tables.shipped import Table, shipped
from activities.tables.engine import hash_of
from infra.bootstrap import Parts
from rules.referral.vocabulary import Facts, Stage, Step
from rules.referral.waits import MAX_RUNGS
from sqlalchemy import select
from tests import make
from tests.activities.tables.test_own import put_in_force
from tests.activities.test_referral import Store
from workflows.contracts import referral as contract

NPI = "2000001042"


@pytest.fixture
def store(parts: Parts) -> Store:
    return Store(parts)


def overdue(store: Store, state: contract.State, number: int, at: datetime = make.NOW) -> contract.State:
    """The State after one passed instant."""
    return apply(store, state, f"overdue:{number}", Step.OVERDUE)


def apply(store: Store, state: contract.State, key: str, step: Step, facts: Facts = Facts()) -> contract.State:
    from rules.referral.steps import follow

    recorded = store.step(state, key, step, facts)
    progress = recorded.onto(follow(state.progress, step, facts, make.NOW))
    return replace(state, progress=progress, version=recorded.version, due_at=recorded.due_at)
