"""A referral as a transaction: what each entry must ask of us, so that nothing in it is taken half."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import unquote

from activities.formats.fhir.bundle import resources, token
from activities.formats.fhir.datatypes import read_identifiers
from activities.formats.fhir.operation_outcome import Issue, IssueType, Json
from activities.formats.fhir.read import Refused
from activities.formats.fhir.referral_bundle import ReceivedReferral
from activities.formats.fhir.task_step import TaskStatus

_TAKEN = (
    "Patient",
    "Practitioner",
    "Organization",
    "Coverage",
    "Condition",
    "AllergyIntolerance",
    "MedicationStatement",
    "DocumentReference",
    "Binary",
    "ServiceRequest",
    "Task",
)
_UPDATED = ("ServiceRequest", "Task")
MOST = 20


def refuse_unfit_entries(bundle: Json) -> None:
    """Refused 422: an entry we do not take, or a request we do not carry out."""
    issues = list(_entries(bundle))[:MOST]
    if issues:
        raise Refused(422, *issues)


def refuse_unfit_referral(bundle: Json, referral: ReceivedReferral) -> None:
    """Refused 422: what a case cannot do without, or a name that is used twice or for nothing."""
    issues = [*_lacking(referral), *_names(bundle)][:MOST]
    if not is_update(bundle) and referral.task.status is not TaskStatus.REQUESTED:
        issues.append(_issue("Task.status", "must be requested: this is a new referral"))
    if issues:
        raise Refused(422, *issues)


def is_update(bundle: Json) -> bool:
    """Whether it is word of a referral sent before: its Task is put where it is."""
    return any(
        entry["request"]["method"] == "PUT" for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Task"
    )


def _entries(bundle: Json) -> Iterator[Issue]:
    for place, entry in enumerate(bundle.get("entry", [])):
        path = f"Bundle.entry[{place}]"
        if "resource" not in entry or "request" not in entry:
            missing = "request" if "resource" in entry else "resource"
            yield _issue(f"{path}.{missing}", "is required in a transaction")
        elif entry["resource"]["resourceType"] not in _TAKEN:
            taken = ", ".join(_TAKEN)
            yield _issue(f"{path}.resource", f"is not taken with a referral; send it as a document. Taken are {taken}")
        elif words := _wrong(entry):
            yield _issue(f"{path}.request", words)


def _wrong(entry: Json) -> str:
    """What the request must be instead; empty when it is one we carry out."""
    kind, request = entry["resource"]["resourceType"], entry["request"]
    method, address = request["method"], request["url"]
    if (method, address) == ("POST", kind):
        return ""
    if kind == "Binary":
        named = method == "PUT" and address.startswith("Binary/")
        return "" if named else "must be POST Binary or PUT Binary/<id>"
    if kind not in _UPDATED:
        return f"must be POST {kind}"
    own = {token(one) for one in read_identifiers(entry["resource"].get("identifier", []))}
    condition = unquote(address.removeprefix(f"{kind}?identifier="))
    if method == "PUT" and condition != unquote(address) and condition in own:
        return ""
    return f"must be POST {kind}, or PUT {kind}?identifier= and an identifier of the resource itself"


def _names(bundle: Json) -> Iterator[Issue]:
    """R4 bdl-7, and 2.36.4: a urn:uuid names one entry of the same bundle."""
    named: set[str] = set()
    for place, entry in enumerate(bundle.get("entry", [])):
        name = entry.get("fullUrl", "")
        if name and name in named:
            yield _issue(f"Bundle.entry[{place}].fullUrl", "is used twice in this bundle")
        named.add(name)
    for place, entry in enumerate(bundle.get("entry", [])):
        for path, name in _references(entry.get("resource", {}), f"Bundle.entry[{place}].resource"):
            if name not in named:
                yield _issue(path, "names no entry of this bundle")


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _references(inner, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("reference", "url") and isinstance(inner, str) and inner.startswith("urn:uuid:"):
                yield f"{path}.{name}", inner
            else:
                yield from _references(inner, f"{path}.{name}")


def _lacking(referral: ReceivedReferral) -> Iterator[Issue]:
    patient, request = referral.patient, referral.request
    if not patient.name.family:
        yield _issue("Patient.name", "needs a family name")
    if patient.birth_date is None or patient.birth_date > date.today():  # noqa: DTZ011 a birth date has no zone
        yield _issue("Patient.birthDate", "must be a full date that is not in the future")
    if not (request.number.system and request.number.value):
        yield _issue("ServiceRequest.identifier", "must hold the referral's number and its system")
    if not request.service.words:
        yield _issue("ServiceRequest.code", "must say which service is asked for")
    if not referral.task.addresses:
        yield _issue("Task.identifier", "must hold the address where you take our answers (system urn:ietf:rfc:3986)")


def _issue(path: str, words: str) -> Issue:
    return Issue(IssueType.BUSINESS_RULE, f"{path} {words}.", path)


def line_of(bundle: Json, referral: ReceivedReferral) -> str:
    """Whose messages are filed one after the other: the patient's first identifier, else her name and birth date."""
    known = [token(one) for one in referral.patient.identifiers]
    (patient,) = (one for _, one in resources(bundle, "Patient"))
    name = referral.patient.name
    return known[0] if known else "|".join((name.family, *name.given, patient.get("birthDate", "")))
