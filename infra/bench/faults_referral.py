"""kill -9 of every process in turn while referrals run: all end where they should, and nothing is asked twice."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from activities.records.base import new_id
from activities.records.decision import Outcome
from activities.records.service_request import ServiceRequest
from activities.records.sessions import StoreRefused
from infra.bench.clinic import Clinic, await_ready, patients, standing, up
from infra.bench.happy_path import REVIEWED, HappyPath, Stuck
from infra.bench.recovery import await_true
from infra.bench.result import Result, beside_limit, exactly
from infra.simulators.specialist_plan import Act
from infra.supervisor import report
from infra.supervisor.clinic import CHECKOUT
from rules.referral.vocabulary import Coverage, Facts, Stage, Step
from web.decisions import Settled

COUNT, TOGETHER, FIRST_NUMBER = 200, 12, 20001
SERVICES = ("worker", "web", "temporal", "postgres")
BETWEEN, PATIENCE = 12.0, 300.0
AWAY = (SQLAlchemyError, StoreRefused, OSError, RuntimeError)
T = TypeVar("T")

# What the specialist does with the referrals of each last digit, and where they end.
USUAL = (Act.ACCEPT, Act.SCHEDULE, Act.SEE, Act.REPORT)
PLANS: dict[int, tuple[tuple[Act, ...], Stage]] = {
    **dict.fromkeys(range(7), (USUAL, Stage.CLOSED)),
    7: ((Act.DECLINE,), Stage.DECLINED),
    8: ((Act.ASK,), Stage.AWAITING_INFO),
    9: ((Act.SILENT, *USUAL), Stage.CLOSED),
}


def measure(folder: Path) -> list[Result]:
    """The clinic is not helped: what was under way goes on by itself."""
    with standing(folder) as clinic:
        known = patients(clinic, COUNT)
        for digit, (acts, _) in PLANS.items():
            numbers = [number for n in range(COUNT) if (number := f"R-{FIRST_NUMBER + n}").endswith(str(digit))]
            clinic.script(numbers, [{"act": act, "after": 1.0} for act in acts])
        with ThreadPoolExecutor(TOGETHER) as pool:
            path = HappyPath(clinic)
            walking = [pool.submit(_walk, clinic, path, one) for one in known]
            _kill_all(clinic, folder)
            ended = sum(_has_ended(one) for one in walking)
        asked = httpx.get(f"{clinic.specialist}/_simulator/counts").json()["accepted"]
        broken = _violations(clinic)
    return [
        beside_limit("faults-referral-ended", "where they should", [ended], exactly(COUNT)),
        beside_limit("faults-referral-asked-once", "requests", [sum(n == 1 for n in asked.values())], exactly(COUNT)),
        beside_limit("faults-referral-verify", "violations", [broken], exactly(0)),
    ]


def _kill_all(clinic: Clinic, folder: Path) -> None:
    for service in SERVICES:
        time.sleep(BETWEEN)
        clinic.kill(service)
        await_true(lambda: report.read(clinic.home).ready, 60)
    time.sleep(BETWEEN)
    clinic.process.kill()
    clinic.process.wait()
    clinic.process = up(clinic.home, folder / "again.log", CARELOOP_SEED="0")
    await_ready(clinic.home, clinic.process, folder / "again.log")


def _walk(clinic: Clinic, path: HappyPath, patient: UUID) -> None:
    """One referral, its people trying again until they are answered, as one does before a page that fails."""
    case = new_id()
    _insist(lambda: path.open(patient, case))
    number = _insist(lambda: _number(clinic, case))
    _decided(path, case, Step.SENDING, Facts(outcome=Coverage.CLEAR))
    _, end = PLANS[int(number[-1])]
    if end is Stage.CLOSED:
        _await(path, case, Stage.REPORT_RECEIVED)
        for step, facts in REVIEWED:
            _decided(path, case, step, facts)
    _await(path, case, end)


def _decided(path: HappyPath, case: UUID, step: Step, facts: Facts) -> None:
    token = new_id()
    settled: Settled = _insist(lambda: path.take(token, case, step, facts))
    if settled.outcome is not Outcome.APPLIED:
        raise Stuck(f"{step} of {case}: {settled}")


def _await(path: HappyPath, case: UUID, stage: Stage) -> None:
    deadline = time.monotonic() + PATIENCE
    while _insist(lambda: path.stage(case)) is not stage:
        if time.monotonic() > deadline:
            raise Stuck(f"{case} does not reach {stage}")
        time.sleep(0.5)


def _insist(act: Callable[[], T]) -> T:
    """Again and again while store or engine are away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except AWAY:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _number(clinic: Clinic, case: UUID) -> str:
    with clinic.parts.sessions.begin(clinic.system) as session:
        return session.scalars(select(ServiceRequest.number).where(ServiceRequest.id == case)).one()


def _has_ended(walk: Future[None]) -> bool:
    return walk.exception() is None


def _violations(clinic: Clinic) -> int:
    """What `careloop verify` finds; each is printed, so that one may look at it."""
    command = (sys.executable, "-m", "infra.cli.main", "verify", "--json", "--home", str(clinic.home.folder))
    said = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)  # noqa: S603  our own argument list
    found: list[object] = json.loads(said.stdout)["violations"]
    for one in found:
        print(one)
    return len(found)
