"""People and partners of a running clinic as a test moves them: decisions at the desk, words at the simulator."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from activities.records.base import new_id
from activities.records.case_event import CaseEvent
from activities.records.decision import Outcome
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.service_request import ServiceRequest
from infra.bootstrap import case_review, connect_engine
from rules.referral.vocabulary import By, Coverage, Facts, Reason, Step
from tests import make
from tests.journeys.clinic import ROOT, Clinic
from web.client import Engine
from web.decisions import Desk, Settled

SENT = Facts(outcome=Coverage.CLEAR)
CLOSED = Facts(reason=Reason.TREATED_ELSEWHERE)


@dataclass
class Office:
    """A web process of its own beside the clinic's, with the same store and engine."""

    clinic: Clinic
    desk: Desk

    def open(self, patient: UUID, partner: UUID) -> UUID:
        token = new_id()
        settled = self.desk.open(make.LARKMOOR, token, make.content(patient, partner), By.STAFF)
        assert settled.outcome is Outcome.APPLIED, settled
        return token

    def decide(self, case: UUID, step: Step, facts: Facts, token: UUID | None = None) -> Settled:
        return self.desk.decide(make.LARKMOOR, token or new_id(), case, step, facts, By.STAFF)

    def again(self, token: UUID) -> Settled:
        """The same form sent once more."""
        return self.desk.hand_over(make.LARKMOOR, token)

    def case(self, case: UUID) -> ServiceRequest:
        with self.clinic.parts.sessions.begin(make.LARKMOOR) as session:
            return session.get_one(ServiceRequest, case)

    def steps(self, case: UUID) -> list[str]:
        with self.clinic.parts.sessions.begin(make.LARKMOOR) as session:
            rows = select(CaseEvent.step).where(CaseEvent.case_id == case).order_by(CaseEvent.recorded_at)
            return list(session.scalars(rows))

    def sent(self, case: UUID) -> bool:
        """Whether every message of the case is known to have reached its partner."""
        with self.clinic.parts.sessions.begin(make.LARKMOOR) as session:
            states = session.scalars(
                select(MessageLog.state).where(MessageLog.case_id == case, MessageLog.direction == Direction.OUT)
            ).all()
        return bool(states) and set(states) == {MessageState.SENT}

    def until(self, holds: Callable[[], object], seconds: float = 60.0) -> float:
        """Waits for something to hold; gives the seconds it took."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < seconds, "it did not come to hold"
            time.sleep(0.1)
        return time.monotonic() - began

    def script(self, number: str, *acts: object) -> None:
        """What the simulated specialist does with a referral."""
        port = self.clinic.parts.settings.simulator_specialist_port
        httpx.post(f"http://127.0.0.1:{port}/_simulator/script", json={number: acts}).raise_for_status()

    def counts(self, kind: str) -> dict[str, int]:
        """`accepted` counts what it made of referrals, `deliveries` what it was sent."""
        port = self.clinic.parts.settings.simulator_specialist_port
        counts: dict[str, dict[str, int]] = httpx.get(f"http://127.0.0.1:{port}/_simulator/counts").json()
        return counts[kind]


@contextmanager
def office(clinic: Clinic) -> Iterator[Office]:
    parts = clinic.parts
    engine = Engine(lambda: connect_engine(parts.settings, parts.ring))
    yield Office(clinic, Desk(parts.sessions, parts.ring, engine, case_review(parts)))
    engine.close()


def careloop(clinic: Clinic, *words: str) -> tuple[int, Any]:
    """A command with `--json`: its exit code and what it said."""
    command = (sys.executable, "-m", "infra.cli.main", *words, "--json", "--home", str(clinic.home))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr
