"""Checks a parsed resource against its R4B definition and names the path of everything that does not fit."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase
from pydantic import ValidationError

from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.primitives import PRIMITIVES, primitive_fault

# Fields whose list of codes in fhir.resources is cut short ("+") or is not a list of codes at all.
_CODES: dict[tuple[str, str], frozenset[str]] = {
    ("Task", "status"): frozenset(
        [
            "draft",
            "requested",
            "received",
            "accepted",
            "rejected",
            "ready",
            "cancelled",
            "in-progress",
            "on-hold",
            "failed",
            "completed",
            "entered-in-error",
        ]
    ),
    ("DiagnosticReport", "status"): frozenset(
        [
            "registered",
            "partial",
            "preliminary",
            "final",
            "amended",
            "corrected",
            "appended",
            "cancelled",
            "entered-in-error",
            "unknown",
        ]
    ),
    ("Observation", "status"): frozenset(
        ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"]
    ),
    ("CapabilityStatement", "format"): frozenset(),
    ("CapabilityStatementRestInteraction", "code"): frozenset(),
}
_ALIASES = {"canonical": "uri", "url": "uri", "markdown": "string", "xhtml": "string", "integer64": "integer"}


@dataclass(frozen=True)
class Element:
    """What an element may hold: a primitive of that name, a data type of that model, or any resource."""

    many: bool
    primitive: str = ""
    model: type[FHIRAbstractModel] | None = None
    codes: frozenset[str] = frozenset()
    shadow: bool = False


def resource_model(name: object) -> type[FHIRAbstractModel] | None:
    """The definition of a resource type, None for anything that is not one."""
    if not isinstance(name, str) or not name.isalpha():
        return None
    try:
        model = get_fhir_model_class(name)
    except ValueError:
        return None
    return model if model.has_resource_base() else None


def structure_issues(resource: Json, model: type[FHIRAbstractModel]) -> tuple[Issue, ...]:
    """Everything wrong with the resource, at most 20 issues; empty when it may be read with confidence."""
    found: list[Issue] = []
    for issue in _walk(resource, model, model.get_resource_type()):
        found.append(issue)
        if len(found) == 20:
            return tuple(found)
    return tuple(found) or _definition_issues(resource, model)


def _walk(value: Mapping[str, Any], model: type[FHIRAbstractModel], path: str) -> Iterator[Issue]:
    if not value:
        yield Issue(IssueType.STRUCTURE, f"{path} is an empty object; leave it out instead.", path)
    known = elements(model)
    for name, inner in value.items():
        if name == "resourceType" and model.has_resource_base():
            continue
        element = known.get(name)
        if element is None:
            yield _unknown(path, name)
        else:
            yield from _element(inner, element, f"{path}.{name}")


def _unknown(path: str, name: str) -> Issue:
    shown = name if name.isascii() and name.isidentifier() and len(name) <= 64 else "(unprintable name)"
    return Issue(IssueType.STRUCTURE, f"{path} has no element named {shown}.", f"{path}.{shown}")


def _element(value: object, element: Element, path: str) -> Iterator[Issue]:
    if not element.many:
        yield from _single(value, element, path)
        return
    if not isinstance(value, list) or not value:
        yield Issue(IssueType.STRUCTURE, f"{path} must be a list with at least one entry.", path)
        return
    for place, entry in enumerate(value):
        if entry is None and (element.primitive or element.shadow):
            continue
        yield from _single(entry, element, f"{path}[{place}]")


def _single(value: object, element: Element, path: str) -> Iterator[Issue]:
    if element.primitive:
        yield from _primitive(value, element, path)
    elif not isinstance(value, dict):
        yield Issue(IssueType.STRUCTURE, f"{path} must be an object.", path)
    elif element.model is not None:
        yield from _walk(value, element.model, path)
    else:
        yield from _resource(value, path)


def _primitive(value: object, element: Element, path: str) -> Iterator[Issue]:
    fault = primitive_fault(element.primitive, value)
    if fault:
        yield Issue(IssueType.VALUE, f"{path} must be {fault}.", path)
    elif element.codes and value not in element.codes:
        choice = ", ".join(sorted(element.codes))
        yield Issue(IssueType.CODE_UNKNOWN, f"{path} must be one of: {choice}.", path)


def _resource(value: Json, path: str) -> Iterator[Issue]:
    model = resource_model(value.get("resourceType"))
    if model is None:
        yield Issue(IssueType.STRUCTURE, f"{path} needs a resourceType of FHIR R4.", f"{path}.resourceType")
    else:
        yield from _walk(value, model, path)


@cache
def elements(model: type[FHIRAbstractModel]) -> Mapping[str, Element]:
    """JSON name → what it may hold, `_name` companions of primitives included."""
    known: dict[str, Element] = {}
    for name, info in model.model_fields.items():
        if name == "fhir_comments":
            continue
        alias = info.alias or name
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        listed = extra.get("enum_values") or []
        codes = frozenset(str(code) for code in listed) if isinstance(listed, list) else frozenset[str]()
        codes = _CODES.get((model.get_resource_type(), alias), codes)
        known[alias] = _describe(info.annotation, codes)
    return known


def _describe(annotation: Any, codes: frozenset[str]) -> Element:
    inner, many = _unwrap(annotation)
    if isinstance(inner, type) and issubclass(inner, FhirBase):
        model = inner.get_model_klass()
        any_resource = model.__name__ == "Resource"
        shadow = model.__name__ == "FHIRPrimitiveExtension"
        return Element(many, model=None if any_resource else model, shadow=shadow)
    return Element(many, primitive=_primitive_name(inner), codes=codes)


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    many = False
    while True:
        origin = typing.get_origin(annotation)
        if origin in (typing.Union, UnionType):
            annotation = next(part for part in typing.get_args(annotation) if part is not NoneType)
        elif origin is list:
            many, annotation = True, typing.get_args(annotation)[0]
        else:
            return annotation, many


def _primitive_name(annotation: Any) -> str:
    if annotation is bool:
        return "boolean"
    for mark in getattr(annotation, "__metadata__", ()):
        given = getattr(mark, "__visit_name__", "")
        name = _ALIASES.get(given, given)
        if name in PRIMITIVES:
            return name
    return "uuid" if "UUID" in repr(annotation) or "UuidVersion" in repr(annotation) else "string"


def _definition_issues(resource: Json, model: type[FHIRAbstractModel]) -> tuple[Issue, ...]:
    try:
        model.model_validate(resource)
    except ValidationError as refused:
        found = refused.errors(include_url=False, include_input=False)
        return tuple(_translate(error["type"], error["loc"], error["msg"], model) for error in found[:20])
    return ()


def _translate(kind: str, loc: tuple[int | str, ...], said: str, model: type[FHIRAbstractModel]) -> Issue:
    path = model.get_resource_type()
    for part in loc:
        if part != "root":
            path += f"[{part}]" if isinstance(part, int) else f".{part}"
    if "missing" in kind:
        return Issue(IssueType.REQUIRED, f"{path} is required.", path)
    if "got multiple" in said:
        return Issue(IssueType.STRUCTURE, f"{path} may hold only one value of its choice.", path)
    if "Expect any of field value" in said:
        return Issue(IssueType.REQUIRED, f"{path} needs one value of its choice.", path)
    return Issue(IssueType.VALUE, f"{path} does not fit its definition in FHIR R4.", path)
