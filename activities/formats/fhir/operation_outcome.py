"""OperationOutcome: the only form a refusal takes at the FHIR door, and how a partner's is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Severity(StrEnum):
    """http://hl7.org/fhir/issue-severity"""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


class IssueType(StrEnum):
    """The codes of http://hl7.org/fhir/issue-type that this platform sends."""

    STRUCTURE = "structure"
    REQUIRED = "required"
    VALUE = "value"
    INVARIANT = "invariant"
    CODE_UNKNOWN = "code-invalid"
    EXTENSION = "extension"
    TOO_LONG = "too-long"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    NOT_SUPPORTED = "not-supported"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    BUSINESS_RULE = "business-rule"
    THROTTLED = "throttled"
    EXCEPTION = "exception"
    TRANSIENT = "transient"
    INFORMATIONAL = "informational"


@dataclass(frozen=True)
class Issue:
    """One finding: `diagnostics` is a plain sentence, `expression` the element's path (`Task.note[0].text`)."""

    code: IssueType
    diagnostics: str
    expression: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True)
class ForeignIssue:
    """An issue as another server wrote it; nothing in it is taken for granted."""

    severity: str
    code: str
    words: str
    expression: str


def build_operation_outcome(issues: Iterable[Issue]) -> Json:
    """The resource, in the order given; at least one issue is required by the standard."""
    rendered = [_issue(issue) for issue in issues]
    if not rendered:
        raise ValueError("an OperationOutcome needs at least one issue")
    return {"resourceType": "OperationOutcome", "issue": rendered}


def _issue(issue: Issue) -> Json:
    element: Json = {
        "severity": issue.severity.value,
        "code": issue.code.value,
        "diagnostics": issue.diagnostics,
    }
    if issue.expression:
        element["expression"] = [issue.expression]
    return element


def read_operation_outcome(body: object) -> tuple[ForeignIssue, ...]:
    """Whatever can be told from a partner's answer; empty when it is no OperationOutcome. Never raises."""
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return ()
    issues = body.get("issue")
    if not isinstance(issues, list):
        return ()
    return tuple(_foreign(issue) for issue in issues if isinstance(issue, dict))


def _foreign(issue: Json) -> ForeignIssue:
    details = issue.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    words = _text(issue.get("diagnostics")) or _text(text)
    places = issue.get("expression") or issue.get("location")
    first = places[0] if isinstance(places, list) and places else None
    return ForeignIssue(_text(issue.get("severity")), _text(issue.get("code")), words, _text(first))


def _text(value: object) -> str:
    return value.strip()[:500] if isinstance(value, str) else ""
