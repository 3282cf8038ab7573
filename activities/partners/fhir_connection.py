"""How we call a partner's FHIR R4 server: token, time-out, and every failure in plain words and the right class."""

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol

import httpx

from activities.formats.fhir.operation_outcome import read_operation_outcome
from activities.partners.base import PartnerError, Reached

JSON = "application/fhir+json"
TIMEOUT = 10.0
_ANSWER_LIMIT = 20_000_000
# Answered before the server took the message, or by something in front of it that says so.
_NOT_TAKEN = frozenset({429, 503})
_PASSING = frozenset({408, 425, 429})


class Tokens(Protocol):
    def token(self) -> str: ...

    def forget(self) -> None: ...


class FhirConnection:
    """`name` is how people call the partner; `timeout` in seconds per network wait; `clock` counts seconds."""

    def __init__(
        self, name: str, tokens: Tokens, client: httpx.Client, clock: Callable[[], float], timeout: float = TIMEOUT
    ) -> None:
        self.name, self.clock = name, clock
        self._tokens, self._client, self._timeout = tokens, client, timeout

    def call(self, method: str, url: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """The answer, whatever its status; a token that has run out is fetched anew once."""
        answer = self._once(method, url, headers or {}, **body)
        if answer.status_code == 401:
            self._tokens.forget()
            answer = self._once(method, url, headers or {}, **body)
        return answer

    def _once(self, method: str, url: str, headers: dict[str, str], **body: Any) -> httpx.Response:
        said = {"Accept": JSON, "Authorization": f"Bearer {self._tokens.token()}", **headers}
        if "content" in body:
            said["Content-Type"] = JSON
        try:
            return self._client.request(method, url, headers=said, timeout=self._timeout, **body)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            words = f"The FHIR address of {self.name} cannot be used: correct it in the directory, then retry."
            raise PartnerError(self.name, permanent=True, code="address", words=words) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise self._away("not-reached", Reached.NO) from None
        except httpx.HTTPError:
            raise self._away("no-answer", Reached.UNKNOWN) from None

    def _away(self, code: str, reached: Reached) -> PartnerError:
        said = "cannot be reached" if reached is Reached.NO else "did not answer in time"
        words = f"{self.name} {said}. We try again by ourselves."
        return PartnerError(self.name, permanent=False, code=code, words=words, reached=reached)

    def refusal(self, answer: httpx.Response, what: str = "the referral") -> PartnerError:
        """A status of 300 and above as an error; `what` it did not take."""
        status = answer.status_code
        passing = status >= 500 or status in _PASSING
        reached = Reached.UNKNOWN if passing and status not in _NOT_TAKEN else Reached.NO
        remedy = "We try again by ourselves." if passing else _REMEDIES.get(status, _CORRECT)
        return PartnerError(
            self.name,
            permanent=not passing,
            code=f"http-{status}",
            words=f"{self.name} did not take {what} ({status}){_quoted(answer)}. {remedy}",
            reached=reached,
            retry_after=_retry_after(answer),
        )

    def read(self, answer: httpx.Response) -> dict[str, Any]:
        """The answer's one JSON object."""
        if len(answer.content) > _ANSWER_LIMIT:
            raise self.unreadable()
        try:
            body = json.loads(answer.content)
        except (ValueError, RecursionError):
            raise self.unreadable() from None
        if not isinstance(body, dict):
            raise self.unreadable()
        return body

    def unreadable(self) -> PartnerError:
        words = f"{self.name} answered with something that is not FHIR; whether the referral arrived is not known."
        return PartnerError(self.name, permanent=False, code="answer-unreadable", words=words, reached=Reached.UNKNOWN)


_CORRECT = "Correct what is named and retry, or choose another way to send it."
_REMEDIES = {
    401: "Our sign-in there is refused: check the client id and the scopes, then retry.",
    403: "We may not do this there: ask the partner for the scope, then retry.",
    404: "The address is not a FHIR server that takes referrals: check it in the directory, then retry.",
    413: "The documents are too large for it: leave some out, or send them another way.",
}


def _quoted(answer: httpx.Response) -> str:
    try:
        issues = read_operation_outcome(json.loads(answer.content[:_ANSWER_LIMIT]))
    except (ValueError, RecursionError):
        return ""
    parts = [f"{one.words or one.code}{f' (at {one.expression})' if one.expression else ''}" for one in issues[:3]]
    said = "; ".join(part for part in parts if part)
    return f": “{said}”" if said else ""


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    if given.isdigit():
        return min(float(given), 86400.0)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time()) if given else None
    except ValueError:
        return None
