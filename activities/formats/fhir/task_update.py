"""What a partner's update may change in a Task, and the Task as it will be."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from activities.formats.fhir.document_reference import DocumentContent
from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.task import TaskAnswer

# The partner's side of the Task; everything else was said by us.
MUTABLE = frozenset(
    [
        "status",
        "businessStatus",
        "statusReason",
        "note",
        "output",
        "executionPeriod",
        "lastModified",
        "contained",
        "text",
        "extension",
        "language",
        "meta",
    ]
)


def refused_changes(stored: Json, received: Json, base: str) -> tuple[Issue, ...]:
    """One issue per element that the update changes, adds or leaves out and may not; empty when all is well.

    `base` is our FHIR address: a reference may be written relative or absolute.
    """
    return tuple(_changes(stored, received, base.rstrip("/") + "/"))


def _changes(stored: Json, received: Json, prefix: str) -> Iterator[Issue]:
    for name in sorted((stored.keys() | received.keys()) - MUTABLE):
        if name.removeprefix("_") in MUTABLE:
            continue
        before, after = stored.get(name), _relative(received.get(name), prefix)
        if _relative(before, prefix) != after:
            verb = "may not be left out" if after is None else "may not be changed by an update"
            yield Issue(IssueType.BUSINESS_RULE, f"Task.{name} {verb}.", f"Task.{name}")


def _relative(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_relative(entry, prefix) for entry in value]
    if isinstance(value, dict):
        return {
            name: inner.removeprefix(prefix)
            if name == "reference" and isinstance(inner, str)
            else _relative(inner, prefix)
            for name, inner in value.items()
        }
    return value


def foreign_patients(stored: Json, received: Json, base: str) -> tuple[Issue, ...]:
    """One issue per contained resource that names another patient than the Task's."""
    prefix = base.rstrip("/") + "/"
    own = _relative(stored.get("for"), prefix) or {}
    found = []
    for place, inner in enumerate(received.get("contained", [])):
        name = next((name for name in ("subject", "patient") if "reference" in inner.get(name, {})), "")
        if name and _relative(inner[name], prefix)["reference"] != own.get("reference"):
            path = f"Task.contained[{place}].{name}"
            found.append(Issue(IssueType.BUSINESS_RULE, f"{path} is not the patient of this Task.", path))
    return tuple(found)


def updated(stored: Json, received: Json, version: str, modified: str) -> Json:
    """The partner's elements over ours, with our new version and instant; its extensions and tags stay."""
    kept = {name: value for name, value in stored.items() if name.removeprefix("_") not in MUTABLE}
    given = {name: value for name, value in received.items() if name.removeprefix("_") in MUTABLE}
    meta = {**given.get("meta", {}), "versionId": version, "lastUpdated": modified}
    return {**kept, **given, "meta": meta}


def new_documents(stored: Json, answer: TaskAnswer) -> list[DocumentContent]:
    """The documents whose bytes the partner sends for the first time."""
    contained = stored.get("contained", [])
    known = {content["attachment"].get("hash") for one in contained for content in one.get("content", [])}
    found = [one.document for one in answer.outputs if one.document and one.document.data]
    return [one for one in found if _digest(one.data) not in known]


def without_bytes(task: Json) -> Json:
    """The Task with the size and SHA-1 (R4 Attachment.hash) of each contained document instead of its bytes."""
    if "contained" not in task:
        return task
    return {**task, "contained": [emptied(inner) for inner in task["contained"]]}


def emptied(inner: Json) -> Json:
    """A DocumentReference with size and hash instead of bytes; any other resource as it is."""
    if inner.get("resourceType") != "DocumentReference":
        return inner
    return {**inner, "content": [_without_data(one) for one in inner["content"]]}


def _without_data(content: Json) -> Json:
    attachment = content["attachment"]
    if "data" not in attachment:
        return content
    data = base64.b64decode(attachment["data"])
    kept = {name: value for name, value in attachment.items() if name != "data"}
    return {**content, "attachment": {**kept, "size": len(data), "hash": _digest(data)}}


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
