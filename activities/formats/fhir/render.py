"""Values to bytes, always the same bytes for the same resource: they are stored once and sent again as they are."""

import json
from typing import Any

from activities.formats.fhir.operation_outcome import Issue, Json
from activities.formats.fhir.primitives import Digits
from activities.formats.fhir.structure import resource_model, structure_issues


class Unbuildable(ValueError):
    """What we were about to write would not be FHIR; `issues` name the paths."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("; ".join(f"{issue.expression}: {issue.code}" for issue in issues))
        self.issues = issues


def checked(resource: Json) -> Json:
    """The same resource, after it was found to fit R4B; raises Unbuildable otherwise."""
    model = resource_model(resource.get("resourceType"))
    if model is None:
        raise ValueError("resourceType is missing or is no resource of FHIR R4")
    issues = structure_issues(resource, model)
    if issues:
        raise Unbuildable(issues)
    return resource


def render(resource: Json) -> bytes:
    """UTF-8 JSON: names sorted, no spaces, decimals with the digits they came with."""
    return _text(resource).encode()


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quote(name)}:{_text(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(entry) for entry in value) + "]"
    if isinstance(value, Digits):
        return value.text
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, str):
        return _quote(value)
    raise TypeError(f"{type(value).__name__} has no place in FHIR JSON")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
