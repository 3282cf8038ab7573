"""The FHIR R4 door for partners: what they may read, search and write of the referrals made to them."""

from flask import Blueprint, Response, current_app, g, request

from activities.formats.fhir.bundle import build_searchset
from activities.formats.fhir.primitives import primitive_fault
from activities.formats.fhir.search import parse_search
from rules.access import Interaction
from web.access import current_bearer, door_of, public, requires_scope
from web.fhir.answers import answer, etag, refuse
from web.fhir.arrivals import create_binary, create_document, take_referral, update_task
from web.fhir.capability import capability_statement
from web.fhir.door import Door, Interface, Readable
from web.fhir.refusals import answer_with_outcomes
from web.fhir.requests import not_changed, require_acceptable

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_KINDS = ("Task", "ServiceRequest", "Patient", "DocumentReference", "Binary")


def fhir_blueprint(door: Door, base: str, token_url: str = "") -> Blueprint:
    """`base` is our public FHIR address, such as https://clinic.example/fhir; the blueprint sits at `/fhir`.

    Tokens and scopes are checked before by the guard of `web.access`; here the client becomes an interface.
    """
    base = base.rstrip("/")
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    answer_with_outcomes(blueprint)
    _add_entrance(blueprint, door)
    _add_reads(blueprint, door)
    _add_searches(blueprint, door, base)
    _add_arrivals(blueprint, door, base)
    _add_rest(blueprint, base, token_url)
    return blueprint


def caller() -> Interface:
    """Whose client asks; only inside a view behind `@requires_scope`."""
    interface: Interface = g.interface
    return interface


def _add_entrance(blueprint: Blueprint, door: Door) -> None:
    @blueprint.before_request
    def enter() -> None:
        asked = door_of(current_app.view_functions[request.endpoint or ""])
        if asked is None or asked.interaction is not None:
            interface = door.interface_of(current_bearer().client_id)
            if interface is None:
                raise refuse(403, "This client is not registered with any clinic here.")
            g.interface = interface
        require_acceptable()


def _add_reads(blueprint: Blueprint, door: Door) -> None:
    @blueprint.get("/Task/<task_id>")
    @requires_scope("Task", Interaction.READ)
    def read_task(task_id: str) -> Response:
        return _read(door, Readable.TASK, task_id)

    @blueprint.get("/ServiceRequest/<request_id>")
    @requires_scope("ServiceRequest", Interaction.READ)
    def read_service_request(request_id: str) -> Response:
        return _read(door, Readable.SERVICE_REQUEST, request_id)

    @blueprint.get("/Patient/<patient_id>")
    @requires_scope("Patient", Interaction.READ)
    def read_patient(patient_id: str) -> Response:
        return _read(door, Readable.PATIENT, patient_id)


def _read(door: Door, kind: Readable, resource_id: str) -> Response:
    stored = None if primitive_fault("id", resource_id) else door.read(caller(), kind, resource_id)
    if stored is None:
        raise refuse(404, f"There is no {kind} with this id for you.")
    if not_changed(stored.version):
        return Response(status=304, headers={"ETag": etag(stored.version)})
    response = answer(stored.content, version=stored.version)
    response.last_modified = stored.modified
    return response


def _add_searches(blueprint: Blueprint, door: Door, base: str) -> None:
    @blueprint.get("/Task")
    @blueprint.post("/Task/_search")
    @requires_scope("Task", Interaction.SEARCH)
    def search_tasks() -> Response:
        return _search(door, base, "Task")

    @blueprint.get("/ServiceRequest")
    @blueprint.post("/ServiceRequest/_search")
    @requires_scope("ServiceRequest", Interaction.SEARCH)
    def search_service_requests() -> Response:
        return _search(door, base, "ServiceRequest")


def _search(door: Door, base: str, kind: str) -> Response:
    given = [*request.args.items(multi=True), *request.form.items(multi=True)]
    page = door.search(caller(), parse_search(kind, given))
    # Neither link repeats what was asked: it may name a patient, and addresses are logged.
    following = f"{base}/{kind}?_cursor={page.cursor}" if page.cursor else ""
    return answer(build_searchset(page.found, base, f"{base}/{kind}", following, page.total))


def _add_arrivals(blueprint: Blueprint, door: Door, base: str) -> None:
    @blueprint.put("/Task/<task_id>")
    @requires_scope("Task", Interaction.UPDATE)
    def put_task(task_id: str) -> Response:
        return update_task(door, caller(), base, task_id)

    @blueprint.post("/DocumentReference")
    @requires_scope("DocumentReference", Interaction.CREATE)
    def post_document_reference() -> Response:
        return create_document(door, caller(), base)

    @blueprint.post("/Binary")
    @requires_scope("Binary", Interaction.CREATE)
    def post_binary() -> Response:
        return create_binary(door, caller(), base)

    @blueprint.post("/", strict_slashes=False)
    @requires_scope("Task", Interaction.CREATE)
    def post_transaction() -> Response:
        return take_referral(door, caller())


def _add_rest(blueprint: Blueprint, base: str, token_url: str) -> None:
    @blueprint.get("/metadata")
    @public
    def metadata() -> Response:
        return answer(capability_statement(base, token_url))

    @blueprint.route("/<path:rest>", methods=_METHODS)
    @public
    def nothing_here(rest: str) -> Response:
        kind = rest.partition("/")[0]
        if kind in _KINDS or kind == "metadata":
            raise refuse(405, f"{request.method} is not offered here for {kind}; see {base}/metadata.")
        raise refuse(404, f"This server offers nothing at this address; see {base}/metadata.")
