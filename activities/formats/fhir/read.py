"""Strict reading: bytes from outside become a checked resource, or a refusal that names the path."""

import json
from collections.abc import Iterator
from typing import Any

from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.primitives import Digits
from activities.formats.fhir.structure import resource_model, structure_issues

MAX_BYTES = 1_000_000
MAX_DEPTH = 40


class Refused(Exception):
    """Why bytes or a request were not taken: the HTTP status, and issues ready for an OperationOutcome."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__(f"{status} {issues[0].code if issues else ''}")
        self.status = status
        self.issues = issues


class _Twice(ValueError):
    pass


def read_json(raw: bytes, limit: int = MAX_BYTES) -> Json:
    """One JSON object. Numbers with a point keep their digits, so `1.10` is written back as `1.10`.

    Refused: 413 above `limit` bytes; 400 for text that is not UTF-8 JSON, an object naming an element twice,
    NaN, nesting deeper than 40, or anything but an object.
    """
    if len(raw) > limit:
        words = f"The body has {len(raw)} bytes; at most {limit} are taken."
        raise Refused(413, Issue(IssueType.TOO_LONG, words))
    try:
        parsed = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_float=Digits, parse_constant=_constant)
    except UnicodeDecodeError as at:
        raise _unreadable(f"The body is not UTF-8 text (byte {at.start}).") from None
    except json.JSONDecodeError as at:
        raise _unreadable(f"The body is not JSON: line {at.lineno}, column {at.colno}.") from None
    except RecursionError:
        raise _unreadable(f"The body is nested deeper than {MAX_DEPTH}.") from None
    except (_Twice, ValueError, ArithmeticError) as why:
        words = str(why) if isinstance(why, _Twice) else "The body holds a number too long to read."
        raise _unreadable(words) from None
    if not isinstance(parsed, dict):
        raise _unreadable("The body must be one JSON object.")
    _refuse_depth(parsed)
    return parsed


def read_resource(raw: bytes, resource_type: str, limit: int = MAX_BYTES) -> Json:
    """The resource of that type, checked against R4B; extensions are kept as they came.

    Refused: as `read_json`; 400 another resourceType or structure; 422 a modifier extension or implicit rules,
    which would change the meaning of what we read.
    """
    resource = read_json(raw, limit)
    check_resource(resource, resource_type)
    return resource


def check_resource(resource: Json, resource_type: str) -> None:
    """The checks of `read_resource` on something already parsed."""
    given = resource.get("resourceType")
    if given != resource_type:
        shown = given if resource_model(given) is not None else "missing or unknown"
        words = f"resourceType is {shown}; this address takes {resource_type}."
        raise Refused(400, Issue(IssueType.STRUCTURE, words, f"{resource_type}.resourceType"))
    model = resource_model(resource_type)
    if model is None:
        raise ValueError(f"{resource_type} is not a resource of FHIR R4")
    issues = structure_issues(resource, model)
    if issues:
        raise Refused(400, *issues)
    changed = tuple(_meaning_changed(resource, resource_type))
    if changed:
        raise Refused(422, *changed)


def _meaning_changed(value: Any, path: str) -> Iterator[Issue]:
    if isinstance(value, list):
        for place, entry in enumerate(value):
            yield from _meaning_changed(entry, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("modifierExtension", "implicitRules"):
                words = f"{path}.{name} changes the meaning of the rest in a way we do not know."
                yield Issue(IssueType.EXTENSION, words, f"{path}.{name}")
            yield from _meaning_changed(inner, f"{path}.{name}")


def _once(pairs: list[tuple[str, Any]]) -> Json:
    read = dict(pairs)
    if len(read) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = twice if twice.isidentifier() and twice.isascii() else "an element"
        raise _Twice(f"One object names {shown[:64]} twice.")
    return read


def _constant(_: str) -> Any:
    raise _Twice("NaN and Infinity are not JSON numbers.")


def _unreadable(words: str) -> Refused:
    return Refused(400, Issue(IssueType.STRUCTURE, words))


def _refuse_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _unreadable(f"The body is nested deeper than {MAX_DEPTH}.")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
