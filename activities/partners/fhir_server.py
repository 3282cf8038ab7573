"""A partner's FHIR R4 server: sends a stored transaction bundle, and asks whether a referral arrived."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from activities.formats.fhir.bundle import read_transaction_response, resources, token
from activities.formats.fhir.service_request import read_service_request
from activities.partners.base import Found, Receipt, Repeatable, timed
from activities.partners.fhir_connection import TIMEOUT, FhirConnection, Tokens


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
        self._connection = FhirConnection(name, tokens, client, clock, timeout)
        self._clock = clock

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
            entries = self._connection.read(answer).get("entry", [])
            if not isinstance(entries, list):
                raise self._connection.unreadable()
            found = [one["resource"]["id"] for one in entries if _is_request(one)]
        return Found(bool(found), f"ServiceRequest/{found[0]}" if found else "")

    def _call(self, method: str, url: str, **body: Any) -> httpx.Response:
        answer = self._connection.call(method, url, **body)
        if answer.status_code >= 300:
            raise self._connection.refusal(answer)
        return answer

    def _service_request(self, answer: httpx.Response) -> str:
        try:
            entries = read_transaction_response(self._connection.read(answer))
        except (AttributeError, TypeError):
            raise self._connection.unreadable() from None
        places = [one.location.partition("/_history")[0] for one in entries if "ServiceRequest/" in one.location]
        return places[0] if places else ""


def _key(message: bytes) -> str:
    ((_, request),) = resources(json.loads(message), "ServiceRequest")
    return token(read_service_request(request).number)


def _is_request(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or resource.get("resourceType") != "ServiceRequest":
        return False
    return isinstance(resource.get("id"), str)
