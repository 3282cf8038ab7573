"""kill -9 of one process: how long until the next decision is answered."""

import time
from collections.abc import Callable
from pathlib import Path

from infra.bench.clinic import Clinic, patients, standing
from infra.bench.happy_path import HappyPath
from infra.bench.result import Result, at_most, beside_limit
from infra.supervisor import report
from rules.referral.vocabulary import Facts, Step

ROUNDS = 3
LIMITS = {"worker": 5.0, "temporal": 2.0}
STEADY = 30.0  # seconds a killed process may take to be ready again


def measure(folder: Path) -> list[Result]:
    """The case has been at work just before, so that its worker holds it; each kill waits until all is well again."""
    with standing(folder) as clinic:
        path = HappyPath(clinic)
        runs = {service: [_kill(clinic, path, service) for _ in range(ROUNDS)] for service in LIMITS}
    return [
        beside_limit(f"recovery-{service}", "s", runs[service], at_most(limit)) for service, limit in LIMITS.items()
    ]


def _kill(clinic: Clinic, path: HappyPath, service: str) -> float:
    case = path.open(patients(clinic, 1)[0])
    path.decide(case, Step.AMENDMENT, Facts(question="Before the kill."))
    clinic.kill(service)
    began = time.monotonic()
    path.decide(case, Step.AMENDMENT, Facts(question="After the kill."))
    took = time.monotonic() - began
    await_true(lambda: report.read(clinic.home).ready, STEADY)
    return took


def await_true(asked: Callable[[], bool], seconds: float) -> None:
    """Returns when it has been true for a second; raises TimeoutError."""
    deadline, since = time.monotonic() + seconds, time.monotonic()
    while time.monotonic() - since < 1:
        since = since if asked() else time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError("the clinic has not recovered")
        time.sleep(0.05)
