"""The search parameters the FHIR door knows; any other is refused by its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from activities.formats.fhir.datatypes import Identifier
from activities.formats.fhir.operation_outcome import Issue, IssueType
from activities.formats.fhir.primitives import PRIMITIVES, instant, primitive_fault
from activities.formats.fhir.read import Refused
from activities.formats.fhir.task_step import TaskStatus

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Task": ("_id", "identifier", "group-identifier", "status", "focus", "patient", "_lastUpdated"),
    "ServiceRequest": ("_id", "identifier", "status", "patient", "_lastUpdated"),
}
_RESULT = ("_count", "_cursor", "_format")
_STATUSES = {
    "Task": frozenset(TaskStatus),
    "ServiceRequest": frozenset(["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]),
}
MOST = 100


@dataclass(frozen=True)
class Search:
    """All given conditions hold; within a tuple any one does. Empty means not asked for.

    `identifiers` with an empty system match any system. `since` and `before` bound the last change,
    both included where the prefix says so: `since` ≤ instant < `before`.
    """

    resource_type: str
    ids: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    groups: tuple[Identifier, ...] = ()
    statuses: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    count: int = 50
    cursor: str = ""


def parse_search(resource_type: str, given: Iterable[tuple[str, str]]) -> Search:
    """`given` are the decoded pairs of query and form. Refused 400: an unknown, repeated or unreadable parameter."""
    pairs = [(name, value) for name, value in given]
    names = [name for name, _ in pairs]
    known = PARAMETERS[resource_type] + _RESULT
    for name in names:
        if name not in known:
            raise _refuse(name, f"is not known here; known are {', '.join(known)}", IssueType.NOT_SUPPORTED)
        if names.count(name) > 1 and name != "_lastUpdated":
            raise _refuse(name, "is given twice; put alternatives in one, separated by commas")
    asked = dict(pairs)
    since, before = _bounds([value for name, value in pairs if name == "_lastUpdated"])
    return Search(
        resource_type,
        ids=_ids("_id", asked, ""),
        identifiers=_tokens("identifier", asked),
        groups=_tokens("group-identifier", asked),
        statuses=_statuses(resource_type, asked),
        focus=_ids("focus", asked, "ServiceRequest/"),
        patients=_ids("patient", asked, "Patient/"),
        since=since,
        before=before,
        count=_count(asked.get("_count", "50")),
        cursor=asked.get("_cursor", ""),
    )


def _parts(name: str, asked: Mapping[str, str]) -> tuple[str, ...]:
    if name not in asked:
        return ()
    parts = tuple(re.split(r"(?<!\\),", asked[name]))
    if not all(parts):
        raise _refuse(name, "has an empty value")
    return parts


def _ids(name: str, asked: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    ids = tuple(part.removeprefix(prefix) for part in _parts(name, asked))
    if any(primitive_fault("id", one) for one in ids):
        shape = f"{prefix}<id> or <id>" if prefix else "<id>"
        raise _refuse(name, f"must be {shape}: {PRIMITIVES['id'].words}")
    return ids


def _tokens(name: str, asked: Mapping[str, str]) -> tuple[Identifier, ...]:
    return tuple(_token(part) for part in _parts(name, asked))


def _token(part: str) -> Identifier:
    bar = re.search(r"(?<!\\)\|", part)
    system, value = (part[: bar.start()], part[bar.end() :]) if bar else ("", part)
    return Identifier(re.sub(r"\\(.)", r"\1", system), re.sub(r"\\(.)", r"\1", value))


def _statuses(resource_type: str, asked: Mapping[str, str]) -> tuple[str, ...]:
    given = tuple(part.rpartition("|")[2] for part in _parts("status", asked))
    known = _STATUSES[resource_type]
    unknown = next((one for one in given if one not in known), None)
    if unknown is not None:
        raise _refuse("status", f"must be one of: {', '.join(sorted(known))}", IssueType.CODE_UNKNOWN)
    return given


def _count(given: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", given) or int(given) == 0:
        raise _refuse("_count", "must be a whole number from 1")
    return min(int(given), MOST)


def _bounds(given: list[str]) -> tuple[datetime | None, datetime | None]:
    since = before = None
    for value in given:
        prefix, text = value[:2], value[2:]
        if prefix not in ("ge", "lt") or primitive_fault("instant", text):
            raise _refuse("_lastUpdated", "must be ge or lt and an instant, such as ge2026-03-01T09:30:00Z")
        if prefix == "ge":
            since = instant(text)
        else:
            before = instant(text)
    return since, before


def _refuse(name: str, words: str, code: IssueType = IssueType.VALUE) -> Refused:
    shown = name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_:.\-]{0,40}", name) else "a parameter"
    return Refused(400, Issue(code, f"Search parameter {shown} {words}."))
