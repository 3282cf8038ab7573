"""How a simulated specialist's FHIR server takes a transaction: what it refuses, what it makes of one sent twice."""

from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import unquote

from activities.formats.fhir.bundle import EntryAnswer, build_transaction_response
from activities.formats.fhir.operation_outcome import Issue, IssueType
from activities.formats.fhir.read import Refused, read_resource
from activities.formats.fhir.referral_bundle import read_referral
from activities.formats.fhir.referral_update import asks_anew, read_word
from activities.formats.fhir.search import parse_search
from infra.simulators.specialist_store import Case, Store, new_id
from rules.referral.vocabulary import Step

Json = dict[str, Any]
LIMIT = 20_000_000


@dataclass(frozen=True)
class Taken:
    """`made` is false when the referral was there already; `word` is what its referrer says of it since."""

    case: Case
    made: bool
    answer: Json
    word: Step | None = None


@dataclass(frozen=True)
class Placed:
    entry: Json
    id: str
    kind: str
    made: bool
    before: Json | None = None

    @property
    def put(self) -> bool:
        """Whether the entry puts something new in the place of what is there."""
        return self.before is not None and self.entry["request"]["method"] == "PUT" and self.kind != "Binary"


class Intake:
    """`fhir_base` is the only address whose Tasks this specialist answers; not `repeatable`: it never looks whether
    it has something already.
    """

    def __init__(self, store: Store, fhir_base: str, repeatable: bool) -> None:
        self._store = store
        self._prefix = fhir_base.rstrip("/") + "/Task/"
        self._repeatable = repeatable
        self._one = Lock()

    def read(self, raw: bytes) -> tuple[Json, str, str]:
        """The checked bundle, its referral number and the address of its Task; raises Refused."""
        bundle = read_resource(raw, "Bundle", LIMIT)
        if bundle["type"] != "transaction":
            raise _refused("Bundle.type must be transaction.", "Bundle.type")
        referral = read_referral(bundle)
        address = next((one for one in referral.task.addresses if one.startswith(self._prefix)), "")
        if not address:
            raise _refused(f"This server answers Tasks at {self._prefix} only.", "Task.identifier")
        if not referral.request.number.value:
            raise _refused("A ServiceRequest needs an identifier.", "ServiceRequest.identifier")
        return bundle, referral.request.number.value, address

    def take(self, bundle: Json, number: str, address: str) -> Taken:
        with self._one:
            placed = [self._place(place, entry) for place, entry in enumerate(bundle["entry"])]
            names = {one.entry["fullUrl"]: f"{one.kind}/{one.id}" for one in placed if "fullUrl" in one.entry}
            new = [_resolved(one, names) for one in placed if one.made or one.put]
            made = any(one.made for one in placed if one.kind == "ServiceRequest")
            word = _word(placed)
            case = self._store.deliver(number, address, new, made, word is not None)
        answers = [
            EntryAnswer("201 Created" if one.made else "200 OK", f"{one.kind}/{one.id}/_history/1") for one in placed
        ]
        return Taken(case, made, build_transaction_response(answers), word)

    def _place(self, place: int, entry: Json) -> Placed:
        path = f"Bundle.entry[{place}]"
        if "request" not in entry or "resource" not in entry:
            raise _refused(f"{path} needs a request and a resource.", f"{path}.request")
        request, kind = entry["request"], entry["resource"]["resourceType"]
        if request["method"] == "PUT" and request["url"].startswith(f"{kind}/"):
            wanted = request["url"].removeprefix(f"{kind}/")
            return Placed(entry, wanted, kind, self._store.read(kind, wanted) is None)
        if request["method"] == "PUT" and request["url"].startswith(f"{kind}?"):
            known = self._there(kind, request["url"].removeprefix(f"{kind}?"))
            return Placed(entry, new_id() if known is None else known["id"], kind, known is None, known)
        if request["method"] != "POST" or request["url"] != kind:
            words = f"{path}.request must be POST {kind}, PUT {kind}/<id> or PUT {kind}?identifier=."
            raise _refused(words, f"{path}.request")
        there = self._there(kind, request.get("ifNoneExist", ""))
        return Placed(entry, new_id() if there is None else there["id"], kind, there is None)

    def _there(self, kind: str, condition: str) -> Json | None:
        if not condition or not self._repeatable:
            return None
        name, _, value = unquote(condition).partition("=")
        (wanted,) = parse_search("ServiceRequest", [(name, value)]).identifiers or (None,)
        return None if wanted is None else self._store.find(kind, wanted.system, wanted.value)


def _word(placed: list[Placed]) -> Step | None:
    """What an update of the Task says for the first time."""
    for one in placed:
        if one.kind == "Task" and one.before is not None and one.put:
            task = one.entry["resource"]
            said = read_word(one.before, task)
            return Step.CONVERSION if asks_anew(task) and not asks_anew(one.before) else said and said[0]
    return None


def _resolved(placed: Placed, names: dict[str, str]) -> Json:
    resource: Json = _renamed(placed.entry["resource"], names)
    return {**resource, "id": placed.id, "meta": {"versionId": "1"}}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(inner, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if isinstance(value, str) and value.startswith("urn:uuid:"):
        if value not in names:
            raise _refused("A reference names nothing in this bundle.", "Bundle.entry")
        return names[value]
    return value


def _refused(words: str, expression: str) -> Refused:
    return Refused(422, Issue(IssueType.BUSINESS_RULE, words, expression))
