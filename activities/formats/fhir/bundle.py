"""FHIR Bundle: the transaction by which a referral is sent, its answer, and the page of a search."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from activities.formats.fhir.datatypes import Identifier, filled
from activities.formats.fhir.operation_outcome import Issue, IssueType, Json, Severity, build_operation_outcome
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class Entry:
    """A resource to create unless the receiver already holds one with `identifier`; with `update`, to put there.

    A Binary has no identifier to ask for: it is put at an id of its own (`put_id`), which repeats as safely.
    """

    resource: Json
    full_url: str
    identifier: Identifier | None = None
    put_id: str = ""
    update: bool = False


@dataclass(frozen=True)
class EntryAnswer:
    """What became of one entry: the HTTP status (201 made, 200 was there), and the address it has there.

    `words` say in an OperationOutcome what an address would not: that it is kept within another resource.
    """

    status: str
    location: str
    words: str = ""


def name_within(*parts: str) -> str:
    """The `urn:uuid:` of a resource inside our bundles: the same for the same parts, at any time."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, '|'.join(parts))}"


def token(identifier: Identifier) -> str:
    """An identifier as the value of a token search parameter, before percent-encoding (R4 3.1.1.4.10)."""
    return f"{_escape(identifier.system)}|{_escape(identifier.value)}"


def _escape(text: str) -> str:
    for mark in ("\\", "|", ",", "$"):
        text = text.replace(mark, "\\" + mark)
    return text


def build_transaction(entries: Iterable[Entry]) -> Json:
    """Each entry created on condition that none with its identifier exists, so that repeating is safe."""
    return checked(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"fullUrl": one.full_url, "resource": one.resource, "request": _request(one)} for one in entries],
        }
    )


def _request(entry: Entry) -> Json:
    kind = entry.resource["resourceType"]
    if entry.put_id:
        return {"method": "PUT", "url": f"{kind}/{entry.put_id}"}
    if entry.identifier is None or not entry.identifier.value:
        raise ValueError(f"{kind} needs an identifier, so that sending it twice makes it once")
    condition = "identifier=" + quote(token(entry.identifier), safe=":/")
    if entry.update:
        return {"method": "PUT", "url": f"{kind}?{condition}"}
    return {"method": "POST", "url": kind, "ifNoneExist": condition}


def build_transaction_response(answers: Iterable[EntryAnswer]) -> Json:
    entries = [{"response": _response(answer)} for answer in answers]
    return checked({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def _response(answer: EntryAnswer) -> Json:
    issue = Issue(IssueType.INFORMATIONAL, answer.words, severity=Severity.INFORMATION)
    outcome = build_operation_outcome([issue]) if answer.words else None
    return filled({"status": answer.status, "location": answer.location, "outcome": outcome})


def read_transaction_response(bundle: Json) -> tuple[EntryAnswer, ...]:
    """In the order of the entries sent; a missing status or location is empty."""
    answers = [entry.get("response", {}) for entry in bundle.get("entry", [])]
    return tuple(EntryAnswer(one.get("status", ""), one.get("location", "")) for one in answers)


def resources(bundle: Json, resource_type: str) -> tuple[tuple[str, Json], ...]:
    """(fullUrl, resource) of each entry of that type."""
    return tuple(
        (entry.get("fullUrl", ""), entry["resource"])
        for entry in bundle.get("entry", [])
        if entry.get("resource", {}).get("resourceType") == resource_type
    )


def build_searchset(
    found: Sequence[Json], base: str, address: str, following: str = "", total: int | None = None
) -> Json:
    """A page of results. `address` is that of the search, `following` of the next page, both absolute."""
    links = [{"relation": "self", "url": address}]
    if following:
        links.append({"relation": "next", "url": following})
    entries = [
        {
            "fullUrl": f"{base.rstrip('/')}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in found
    ]
    return checked(
        filled({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries})
    )
