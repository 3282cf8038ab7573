"""A simulated specialist's desk: carries out each case's script by conditional updates of the Task at the referrer."""

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Condition, Thread
from time import monotonic
from typing import Any

import httpx

from activities.formats.fhir.render import render
from activities.partners.base import PartnerError
from activities.partners.bearer_token import ClientCredentials
from infra.simulators.specialist_plan import Act, Scripted, acted
from infra.simulators.specialist_store import Case, Store

Json = dict[str, Any]
_TRIES = 6


@dataclass(frozen=True)
class Delivery:
    """The last Task put, as it went out: a duplicate repeats it to the letter."""

    body: bytes
    version: str


@dataclass(frozen=True)
class Turn:
    """One line of one script of one case: out of date as soon as another script or line is due."""

    number: str
    round: int
    done: int


class TryLater(Exception):
    """The referrer's server is away or busy; the act is done again in a moment."""


class Desk:
    """`delay` seconds lie before each act, `late` before a late one; both may be 0. `stop` ends within a second."""

    def __init__(
        self, store: Store, tokens: ClientCredentials, client: httpx.Client, delay: float, late: float, desks: int = 4
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._client = client
        self._delay = delay
        self._late = late
        self._due: list[tuple[float, int, Turn]] = []
        self._order = count()
        self._last: dict[str, Delivery] = {}
        self._turn = Condition()
        self._open = True
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(desks)]
        for thread in self._threads:
            thread.start()

    def schedule(self, case: Case) -> None:
        """The case's next act, after its delay; a case whose script is finished or says `never` gets none."""
        step = _next(case)
        if step is not None and step.act is not Act.NEVER:
            usual = self._late if step.act is Act.LATE else self._delay
            self._push(Turn(case.number, case.round, case.done), usual if step.after is None else step.after)

    def _push(self, turn: Turn, seconds: float) -> None:
        with self._turn:
            heapq.heappush(self._due, (monotonic() + seconds, next(self._order), turn))
            self._turn.notify()

    def stop(self) -> None:
        with self._turn:
            self._open = False
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def _work(self) -> None:
        while (turn := self._wait()) is not None:
            case = self._store.case(turn.number)
            step = _next(case)
            if step is None or turn != Turn(case.number, case.round, case.done):
                continue
            try:
                answer = self._carry_out(case, step)
            except (TryLater, PartnerError, httpx.HTTPError):
                self._push(turn, max(self._delay, 0.2))
                continue
            except (LookupError, TypeError, ValueError) as unfit:
                answer = {"act": step.act, "failed": type(unfit).__name__}
            self._store.done(turn.number, turn.round, turn.done + 1, answer)
            self.schedule(self._store.case(turn.number))

    def _wait(self) -> Turn | None:
        with self._turn:
            while self._open:
                left = self._due[0][0] - monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._turn.wait(left)
        return None

    def _carry_out(self, case: Case, step: Scripted) -> Json:
        if step.act is Act.LATE:
            return {"act": step.act}
        if step.act is Act.DUPLICATE:
            last = self._last.get(case.number)
            return {"act": step.act, "status": self._put(case, last).status_code if last else None}
        for _ in range(_TRIES):
            read = self._ask("GET", case.task_address)
            if read.status_code != 200:
                return {"act": step.act, "status": read.status_code}
            task = acted(read.json(), step, datetime.now(UTC))
            delivery = Delivery(render(task), read.headers.get("ETag", ""))
            self._last[case.number] = delivery
            answered = self._put(case, delivery)
            if answered.status_code != 412:
                return {"act": step.act, "status": answered.status_code, "said": _said(answered)}
        raise TryLater

    def _put(self, case: Case, delivery: Delivery) -> httpx.Response:
        headers = {"If-Match": delivery.version, "Content-Type": "application/fhir+json"}
        return self._ask("PUT", case.task_address, headers, delivery.body)

    def _ask(
        self, method: str, address: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> httpx.Response:
        signed = {
            "Accept": "application/fhir+json",
            "Authorization": f"Bearer {self._tokens.token()}",
            **(headers or {}),
        }
        answer = self._client.request(method, address, headers=signed, content=body, timeout=10.0)
        if answer.status_code == 401:
            self._tokens.forget()
        if answer.status_code in (401, 429) or answer.status_code >= 500:
            raise TryLater
        return answer


def _next(case: Case) -> Scripted | None:
    script = case.script or ()
    return script[case.done] if case.task_address and case.done < len(script) else None


def _said(answer: httpx.Response) -> str:
    """The paths a refusal names; its words may quote the Task."""
    if answer.status_code < 400:
        return ""
    issues = answer.json().get("issue", [])
    return ", ".join(path for issue in issues for path in issue.get("expression", []))
