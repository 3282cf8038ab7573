"""How the FHIR door answers: resources with their ETag, and every refusal as an OperationOutcome."""

from flask import Response

from activities.formats.fhir.operation_outcome import Issue, IssueType, Json, Severity, build_operation_outcome
from activities.formats.fhir.read import Refused
from activities.formats.fhir.render import render

JSON = "application/fhir+json"
_CODES = {
    400: IssueType.STRUCTURE,
    401: IssueType.LOGIN,
    403: IssueType.FORBIDDEN,
    404: IssueType.NOT_FOUND,
    405: IssueType.NOT_SUPPORTED,
    406: IssueType.NOT_SUPPORTED,
    409: IssueType.CONFLICT,
    412: IssueType.CONFLICT,
    413: IssueType.TOO_LONG,
    415: IssueType.NOT_SUPPORTED,
    422: IssueType.BUSINESS_RULE,
    428: IssueType.REQUIRED,
    429: IssueType.THROTTLED,
}


def refuse(status: int, words: str, expression: str = "") -> Refused:
    """A refusal of one issue, its code that of the status."""
    return Refused(status, Issue(_CODES.get(status, IssueType.EXCEPTION), words, expression))


def etag(version: str) -> str:
    """R4 3.1.0.1.3: the ETag of a version is weak."""
    return f'W/"{version}"'


def answer(resource: Json, status: int = 200, version: str = "") -> Response:
    response = Response(render(resource), status, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    if version:
        response.headers["ETag"] = etag(version)
    return response


def answer_refused(refused: Refused) -> Response:
    return answer(build_operation_outcome(refused.issues), refused.status)


def answer_recorded(words: str, message_id: str) -> Response:
    """202: committed, and what it leads to is not known yet; `X-Message-Id` names it in a question to us."""
    issue = Issue(IssueType.INFORMATIONAL, words, severity=Severity.INFORMATION)
    response = answer(build_operation_outcome([issue]), 202)
    response.headers["X-Message-Id"] = message_id
    return response
