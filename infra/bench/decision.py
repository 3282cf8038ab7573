"""A decision through the web, from the posted form until it is committed and visible, beside the raw client."""

import time
from pathlib import Path
from statistics import median
from uuid import UUID

from activities.records.base import new_id
from activities.records.service_request import ServiceRequest
from infra.bench.clinic import COORDINATOR, Browser, Clinic, account, patients, standing
from infra.bench.happy_path import HappyPath, Stuck
from infra.bench.result import Result, at_most, beside_peer
from rules.referral.vocabulary import By, Facts, Step
from workflows.contracts import referral

ROUNDS, CASES, WARM = 3, 40, 10


def measure(folder: Path) -> list[Result]:
    """The same step of the same referrals by both ways, in turn: a draft's question is changed."""
    with standing(folder) as clinic:
        path, browser = HappyPath(clinic), Browser(clinic, account(clinic, COORDINATOR))
        _round(clinic, path, browser, WARM)
        rounds = [_round(clinic, path, browser, CASES) for _ in range(ROUNDS)]
        browser.close()
    web, raw = zip(*rounds, strict=True)
    return [beside_peer("decision", "ms p50", web, "execute_update", raw, at_most(1.3))]


def _round(clinic: Clinic, path: HappyPath, browser: Browser, count: int) -> tuple[float, float]:
    cases = [path.open(one) for one in patients(clinic, count)]
    browser.get(f"/referrals/{cases[0]}/{Step.AMENDMENT}")
    pairs = [(_by_web(clinic, browser, case), _by_client(clinic, path, case)) for case in cases]
    web, raw = zip(*pairs, strict=True)
    return median(web) * 1000, median(raw) * 1000


def _by_web(clinic: Clinic, browser: Browser, case: UUID) -> float:
    question, began = f"Please see her. {new_id()}", time.monotonic()
    answer = browser.post(
        f"/referrals/{case}/{Step.AMENDMENT}", token=str(new_id()), question=question, diagnoses="K21.9"
    )
    took = time.monotonic() - began
    if answer.status_code != 303 or _question(clinic, case) != question:
        raise Stuck(f"the form was answered {answer.status_code} and is not in the record")
    return took


def _by_client(clinic: Clinic, path: HappyPath, case: UUID) -> float:
    facts = Facts(question=f"Please see her. {new_id()}", diagnoses=("K21.9",))
    decision = referral.Decision(str(new_id()), Step.AMENDMENT, facts, By.STAFF)
    began = time.monotonic()
    clinic.engine.run(
        lambda client: client.get_workflow_handle(path.workflow_id(case)).execute_update(
            referral.DECIDE, decision, id=decision.id
        ),
        30,
    )
    return time.monotonic() - began


def _question(clinic: Clinic, case: UUID) -> str:
    with clinic.parts.sessions.begin(clinic.system) as session:
        return session.get_one(ServiceRequest, case).question
