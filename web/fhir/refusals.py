"""Every refusal of the FHIR door as an OperationOutcome, whoever raised it."""

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from activities.formats.fhir.read import Refused
from web.access import BearerNeeded, MissingScope
from web.fhir.answers import answer_refused, refuse
from web.fhir.bearer import BearerRefused, IssuerAway

log = structlog.get_logger(__name__)
_CHALLENGE = 'Bearer realm="fhir"'
_WORDS = {
    400: "The request cannot be read as HTTP.",
    404: "There is nothing at this address.",
    405: "This method is not offered at this address.",
    413: "The body is larger than is taken here.",
    429: "Too many requests from this client: wait, then repeat.",
    503: "This server is busy or stopping: repeat in a moment.",
}
# Flask prefers a handler of the application for one status over one of the blueprint for all of them.
_STATUSES = (400, 401, 403, 404, 405, 406, 408, 409, 411, 412, 413, 414, 415, 422, 428, 429, 431, 500, 502, 503, 504)


def answer_with_outcomes(blueprint: Blueprint) -> None:
    """Nothing raised under this blueprint, nor by what runs before it, is answered in HTML."""
    for status in _STATUSES:
        blueprint.register_error_handler(status, answer_http)
    blueprint.register_error_handler(HTTPException, answer_http)
    blueprint.register_error_handler(Refused, answer_refused)
    blueprint.register_error_handler(BearerNeeded, _bearer_needed)
    blueprint.register_error_handler(BearerRefused, _bearer_refused)
    blueprint.register_error_handler(MissingScope, _scope_missing)
    blueprint.register_error_handler(IssuerAway, _issuer_away)
    blueprint.register_error_handler(Exception, _failed)


def _challenged(status: int, words: str, challenge: str) -> Response:
    """RFC 6750 §3: what kind of token would open the door, and what was wrong with this one."""
    response = answer_refused(refuse(status, words))
    response.headers["WWW-Authenticate"] = challenge
    return response


def _bearer_needed(needed: BearerNeeded) -> Response:
    return _challenged(401, needed.description or "An access token is required.", _CHALLENGE)


def _bearer_refused(refused: BearerRefused) -> Response:
    return _challenged(401, str(refused), f'{_CHALLENGE}, error="invalid_token"')


def _scope_missing(missing: MissingScope) -> Response:
    words = missing.description or "The access token lacks the scope for this."
    return _challenged(403, words, f'{_CHALLENGE}, error="insufficient_scope"')


def _issuer_away(_: IssuerAway) -> Response:
    response = answer_refused(refuse(503, "The issuer of the token cannot be asked right now: repeat in a moment."))
    response.headers["Retry-After"] = "10"
    return response


def answer_http(error: HTTPException) -> Response:
    """Any error of HTTP itself; also for `/fhir` addresses that match no view (`speak(app, "/fhir", …)`)."""
    status = error.code or 500
    response = answer_refused(refuse(status, _WORDS.get(status, "The request cannot be taken as it is.")))
    for name, value in error.get_headers():
        if name in ("Retry-After", "Allow"):
            response.headers[name] = value
    return response


def _failed(error: Exception) -> Response:
    # The message of an exception may quote patient data; its type does not.
    log.error("fhir_door_failed", endpoint=request.endpoint, error=type(error).__name__)
    return answer_refused(refuse(500, "This server failed; the request may be repeated as it is."))
