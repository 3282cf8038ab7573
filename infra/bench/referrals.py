"""Referrals a second over the whole happy path, beside the same work of the engine without our record."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from infra.bench import bare
from infra.bench.bare_path import BarePath
from infra.bench.clinic import Clinic, patients, standing
from infra.bench.happy_path import HappyPath
from infra.bench.peer import make_tables, working
from infra.bench.result import Result, at_least, beside_peer

ROUNDS, EACH, TOGETHER = 3, 60, 12
FIRST_NUMBER = 20001
WORK = {
    EventType.EVENT_TYPE_MARKER_RECORDED: "local activities",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activities",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
}


class Unlike(Exception):
    """The peer does not do the engine's work of a referral; the text compares them."""


def measure(folder: Path) -> list[Result]:
    """Interleaved: a round of ours, a round of the peer, on the same servers."""
    with standing(folder) as clinic:
        make_tables(clinic)
        with working(clinic, folder, bare.QUEUE):
            ours, theirs = _rounds(clinic)
    return [beside_peer("referrals", "referrals/s", ours, "bare engine", theirs, at_least(0.6))]


def _rounds(clinic: Clinic) -> tuple[list[float], list[float]]:
    path = HappyPath(clinic)
    clinic.script([f"R-{FIRST_NUMBER + n}" for n in range((ROUNDS + 1) * EACH)], ["never"])
    first = _walk_all(path, patients(clinic, TOGETHER))
    peer = BarePath(clinic, first[0])
    warm = peer.prepare(TOGETHER)
    peer.walk_all(warm, TOGETHER)
    refuse_unlike(clinic, path.workflow_id(first[0]), warm[0])
    ours, theirs = [], []
    for _ in range(ROUNDS):
        walked, bare_ones = patients(clinic, EACH), peer.prepare(EACH)
        ours.append(_rate(partial(_walk_all, path, walked)))
        theirs.append(_rate(partial(peer.walk_all, bare_ones, TOGETHER)))
    return ours, theirs


def _walk_all(path: HappyPath, those: list[UUID]) -> list[UUID]:
    """All of them leg by leg, so that nobody asks again and again whether the other side is ready."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        cases = list(pool.map(path.send, those))
        for leg in (path.answer, path.finish):
            list(pool.map(leg, cases))
    return cases


def _rate(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return EACH / (time.monotonic() - began)


def refuse_unlike(clinic: Clinic, ours: str, theirs: str) -> None:
    """Raises Unlike unless both have made the engine do the same: the comparison would mean nothing."""
    mine, other = (clinic.engine.run(partial(_work_of, case=one), 60) for one in (ours, theirs))
    if mine != other:
        raise Unlike(f"a referral is {dict(mine)}, its peer {dict(other)}: bring infra/bench/bare.py up to date")


async def _work_of(client: Client, case: str) -> Counter[str]:
    """What the engine did for a case, and for the workflows that told it something."""
    history = await client.get_workflow_handle(case).fetch_history()
    told = [event.workflow_execution_signaled_event_attributes for event in history.events]
    senders = {(one.external_workflow_execution.workflow_id, one.external_workflow_execution.run_id) for one in told}
    events = list(history.events)
    for workflow_id, run_id in senders - {("", "")}:
        events += (await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events
    return Counter(WORK[event.event_type] for event in events if event.event_type in WORK)
