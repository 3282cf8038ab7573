"""A partner's FHIR R4 server: sends a stored transaction bundle, and asks whether a referral arrived."""

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol

import httpx

from activities.formats.fhir.bundle import read_transaction_response, resources, token
from activities.formats.fhir.operation_outcome import read_operation_outcome
from activities.formats.fhir.service_request import read_service_request
from activities.partners.base import Found, PartnerError, Reached, Receipt, Repeatable, timed

JSON = "application/fhir+json"
TIMEOUT = 10.0
_ANSWER_LIMIT = 2_000_000
# Answered before the server took the message, or by something in front of it that says so.
_NOT_TAKEN = frozenset({429, 503})
_PASSING = frozenset({408, 425, 429})


class Tokens(Protocol):
    def token(self) -> str: ...

    def forget(self) -> None: ...


class FhirServer:
    """`base` is the partner's FHIR address; `name` is how people call it; `timeout` in seconds per network wait."""

    def __init__(
        self,
        name: str,
        base: str,
        tokens: Tokens,
        client: httpx.Client,
        repeatable: Repeatable,
        clock: Callable[[], float],
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self.repeatable = repeatable
        self._base = base.rstrip("/")
        self._tokens = tokens
        self._client = client
        self._clock = clock
        self._timeout = timeout

    def send(self, message: bytes) -> Receipt:
        """Posts the bundle. The receipt's `external_id` is the address of the ServiceRequest at the partner."""
        with timed(self.name, "send", self._clock):
            answer = self._call("POST", self._base, content=message)
            return Receipt(self._service_request(answer), answer.content)

    def ask(self, message: bytes) -> Found:
        """Looks for the bundle's ServiceRequest by its identifier."""
        key = _key(message)
        with timed(self.name, "ask", self._clock):
            # By POST: identifiers do not belong in a partner's access log.
            answer = self._call("POST", f"{self._base}/ServiceRequest/_search", data={"identifier": key})
            entries = self._object(answer).get("entry", [])
            if not isinstance(entries, list):
                raise self._unreadable()
            found = [one["resource"]["id"] for one in entries if _is_request(one)]
        return Found(bool(found), f"ServiceRequest/{found[0]}" if found else "")

    def _call(self, method: str, url: str, **body: Any) -> httpx.Response:
        answer = self._once(method, url, **body)
        if answer.status_code == 401:
            self._tokens.forget()
            answer = self._once(method, url, **body)
        if answer.status_code >= 300:
            raise self._refusal(answer)
        return answer

    def _once(self, method: str, url: str, **body: Any) -> httpx.Response:
        headers = {"Accept": JSON, "Authorization": f"Bearer {self._tokens.token()}"}
        if "content" in body:
            headers["Content-Type"] = JSON
        try:
            return self._client.request(method, url, headers=headers, timeout=self._timeout, **body)
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

    def _refusal(self, answer: httpx.Response) -> PartnerError:
        status = answer.status_code
        passing = status >= 500 or status in _PASSING
        reached = Reached.UNKNOWN if passing and status not in _NOT_TAKEN else Reached.NO
        remedy = "We try again by ourselves." if passing else _REMEDIES.get(status, _CORRECT)
        return PartnerError(
            self.name,
            permanent=not passing,
            code=f"http-{status}",
            words=f"{self.name} did not take the referral ({status}){_quoted(answer)}. {remedy}",
            reached=reached,
            retry_after=_retry_after(answer),
        )

    def _service_request(self, answer: httpx.Response) -> str:
        try:
            entries = read_transaction_response(self._object(answer))
        except (AttributeError, TypeError):
            raise self._unreadable() from None
        places = [one.location.partition("/_history")[0] for one in entries if "ServiceRequest/" in one.location]
        return places[0] if places else ""

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        if len(answer.content) > _ANSWER_LIMIT:
            raise self._unreadable()
        try:
            body = json.loads(answer.content)
        except (ValueError, RecursionError):
            raise self._unreadable() from None
        if not isinstance(body, dict):
            raise self._unreadable()
        return body

    def _unreadable(self) -> PartnerError:
        words = f"{self.name} answered with something that is not FHIR; whether the referral arrived is not known."
        return PartnerError(self.name, permanent=False, code="answer-unreadable", words=words, reached=Reached.UNKNOWN)


_CORRECT = "Correct what is named and retry, or choose another way to send it."
_REMEDIES = {
    401: "Our sign-in there is refused: check the client id and the scopes, then retry.",
    403: "We may not do this there: ask the partner for the scope, then retry.",
    404: "The address is not a FHIR server that takes referrals: check it in the directory, then retry.",
    413: "The documents are too large for it: leave some out, or send them another way.",
}


def _key(message: bytes) -> str:
    ((_, request),) = resources(json.loads(message), "ServiceRequest")
    return token(read_service_request(request).number)


def _is_request(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or resource.get("resourceType") != "ServiceRequest":
        return False
    return isinstance(resource.get("id"), str)


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
