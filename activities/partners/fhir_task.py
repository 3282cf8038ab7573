"""The referrer's Task, where we are the specialist: our answer is laid over it as it stands there."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from activities.formats.fhir import systems
from activities.formats.fhir.primitives import primitive_fault
from activities.formats.fhir.read import Refused, check_resource
from activities.formats.fhir.render import render
from activities.formats.fhir.task_answer import merged, says
from activities.partners.base import Found, PartnerError, Reached, Receipt, Repeatable, timed
from activities.partners.fhir_connection import TIMEOUT, FhirConnection, Tokens

_TRIES = 4
_WHAT = "our answer"


class FhirTask:
    """`base` is the referrer's FHIR address: Tasks at any other are not answered, nor shown our token.

    Repeatable: an answer that is there already is not given again.
    """

    repeatable = Repeatable.YES

    def __init__(
        self,
        name: str,
        base: str,
        tokens: Tokens,
        client: httpx.Client,
        clock: Callable[[], float],
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self._prefix = base.rstrip("/") + "/Task/"
        self._connection = FhirConnection(name, tokens, client, clock, timeout)
        self._clock = clock

    def send(self, message: bytes) -> Receipt:
        """Reads the Task, adds what `message` says and puts it back under its ETag; one that moves on is read again."""
        said = json.loads(message)
        address = self._address(said)
        with timed(self.name, "send", self._clock):
            for _ in range(_TRIES):
                task, version = self._read(address)
                if says(task, said):
                    return Receipt(address, b"")
                answer = self._connection.call(
                    "PUT", address, {"If-Match": version}, content=render(merged(task, said))
                )
                if answer.status_code < 300:
                    return Receipt(address, answer.content)
                if answer.status_code != 412:
                    raise self._connection.refusal(answer, _WHAT)
        raise self._busy()

    def ask(self, message: bytes) -> Found:
        """Whether the Task says it already."""
        said = json.loads(message)
        address = self._address(said)
        with timed(self.name, "ask", self._clock):
            task, _ = self._read(address)
        return Found(says(task, said), address)

    def _read(self, address: str) -> tuple[dict[str, Any], str]:
        answer = self._connection.call("GET", address)
        if answer.status_code >= 300:
            raise self._connection.refusal(answer, _WHAT)
        task = self._connection.read(answer)
        try:
            check_resource(task, "Task")
        except Refused:
            raise self._connection.unreadable() from None
        return task, _version(answer, task)

    def _address(self, said: dict[str, Any]) -> str:
        """Raises a permanent error for a Task that is not the partner's own."""
        named = [one.get("value", "") for one in said.get("identifier", []) if one.get("system") == systems.URI]
        address = next((one for one in named if one.startswith(self._prefix)), "")
        if not address or primitive_fault("id", address.removeprefix(self._prefix)):
            words = (
                f"The Task of this referral is not at {self.name}'s FHIR address. "
                "Correct the address in the directory, or tell them by phone."
            )
            raise PartnerError(self.name, permanent=True, code="address", words=words)
        return address

    def _busy(self) -> PartnerError:
        words = f"The Task at {self.name} changes faster than we can answer. We try again by ourselves."
        return PartnerError(
            self.name, permanent=False, code="http-412", words=words, reached=Reached.NO, retry_after=1.0
        )


def _version(answer: httpx.Response, task: dict[str, Any]) -> str:
    """R4 3.1.0.5: the ETag; a server that sends none names the version in the resource."""
    return answer.headers.get("ETag") or f'W/"{task.get("meta", {}).get("versionId", "")}"'
