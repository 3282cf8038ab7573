"""Referrals a second over the whole happy path, beside the same work of the engine without our record."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.records.message_log import Direction, MessageLog
from activities.records.service_request import Fulfilment, ServiceRequest
from activities.records.sessions import Context
from infra.bench import bare
from infra.bench.clinic import TENANT, Clinic, patients, standing
from infra.bench.happy_path import ANSWERS, REVIEWED, HappyPath, Stuck
from infra.bench.peer import make_tables, working
from infra.bench.result import Result, at_least, beside_peer
from infra.supervisor.store_urls import libpq

ROUNDS, EACH, TOGETHER = 3, 60, 12
FIRST_NUMBER = 20001
WORK = (
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
)


def measure(folder: Path) -> list[Result]:
    """Interleaved: a round of ours, a round of the peer, on the same servers."""
    with standing(folder) as clinic:
        make_tables(clinic)
        with working(clinic, folder, bare.QUEUE):
            path = HappyPath(clinic)
            clinic.script([f"R-{FIRST_NUMBER + n}" for n in range(ROUNDS * EACH + 2 * TOGETHER)], ["never"])
            first = _ours(path, patients(clinic, TOGETHER))
            peer = Peer(clinic, first[0])
            _same_work(clinic, path, first[0], peer)
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(_rate(lambda: _ours(path, patients(clinic, EACH))))
                theirs.append(_rate(lambda: peer.run(EACH)))
    return [beside_peer("referrals", "referrals/s", ours, "bare engine", theirs, at_least(0.6))]
