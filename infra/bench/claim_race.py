"""Fifty people claim one task at once: one has it, the others are told who."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import select

from activities.records.account import Account, Grant, grant
from activities.records.base import new_id
from activities.records.task import Task
from infra.bench.clinic import TENANT, Browser, Clinic, patients, standing
from infra.bench.happy_path import HappyPath
from infra.bench.result import Result, beside_limit, exactly

ROUNDS, PEOPLE = 3, 50


def measure(folder: Path) -> list[Result]:
    """Through the web's own door; each round races for another task."""
    with standing(folder) as clinic:
        path, people = HappyPath(clinic), _people(clinic)
        browsers = [Browser(clinic, one) for one in people]
        for one in browsers:
            one.get("/queue")
        rounds = []
        for patient in patients(clinic, ROUNDS):
            case = path.open(patient)
            with clinic.parts.sessions.begin(clinic.system) as session:
                task = session.scalars(select(Task.id).where(Task.case_id == case)).one()
            rounds.append(_race(browsers, people, str(task)))
        for one in browsers:
            one.close()
    winners, told = zip(*rounds, strict=True)
    return [
        beside_limit("claim-race-winners", "winners", winners, exactly(1)),
        beside_limit("claim-race-told", "told who has it", told, exactly(PEOPLE - 1)),
    ]


def _race(browsers: list[Browser], people: list[Account], task: str) -> tuple[int, int]:
    """How many have won, and how many of the others have read the winner's name."""
    line = Barrier(len(browsers))

    def claim(browser: Browser) -> tuple[int, str]:
        line.wait()
        answer = browser.post("/tasks/claim", task=task, token=str(new_id()), back="/queue")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(claim, browsers))
    won = [who.name for who, (status, _) in zip(people, answers, strict=True) if status == 303]
    told = [text for status, text in answers if status == 409 and any(f"{name} was faster" in text for name in won)]
    return len(won), len(told)


def _people(clinic: Clinic) -> list[Account]:
    """Coordinators enough for a race."""
    issuer = clinic.parts.settings.oidc_issuer
    with clinic.parts.sessions.platform() as session:
        ids = [
            grant(session, Grant(TENANT, issuer, f"racer-{n}", f"Racer Number {n:02}", "", ("referral_coordinator",)))
            for n in range(PEOPLE)
        ]
        return list(session.scalars(select(Account).where(Account.id.in_(ids))))
