"""A simulated specialist with a FHIR server of its own: takes referrals, counts them, and answers by the script."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx
from flask import Flask, Response, jsonify, request

from activities.formats.fhir.bundle import build_searchset
from activities.formats.fhir.operation_outcome import Issue, IssueType, build_operation_outcome
from activities.formats.fhir.read import Refused
from activities.formats.fhir.render import render
from activities.formats.fhir.search import parse_search
from activities.partners.bearer_token import ClientCredentials
from infra.simulators.specialist_answers import Desk
from infra.simulators.specialist_intake import LIMIT, Intake
from infra.simulators.specialist_plan import AT_INTAKE, Act, Scripted, drawn, heard, parse_script
from infra.simulators.specialist_store import Case, Store
from rules.referral.vocabulary import Step

JSON = "application/fhir+json"


@dataclass(frozen=True)
class SpecialistConfig:
    """`folder` keeps the journal; `fhir_base` is the referrer's FHIR address, the only one that is answered.

    `plan` is what becomes of a referral nobody has scripted; with a `seed` it is drawn by lot instead.
    Seconds: `delay` before each act, `late` for a late one, `slow` to take a referral in slowly, `silence` before a
    referral taken in silently is answered (longer than the sender waits). Not `repeatable`: takes the same
    transaction as often as it comes. `accepts` says whether a bearer token is good here.
    """

    name: str
    folder: Path
    fhir_base: str
    token_url: str
    client_id: str
    client_secret: str
    plan: tuple[Scripted, ...] = (Scripted(Act.ACCEPT),)
    seed: int | None = None
    delay: float = 2.0
    late: float = 30.0
    slow: float = 5.0
    silence: float = 12.0
    repeatable: bool = True
    accepts: Callable[[str], bool] = bool


class Specialist:
    """The parts of one simulated specialist; `stop` before the process ends."""

    def __init__(self, config: SpecialistConfig) -> None:
        self.config = config
        self.store = Store(config.folder)
        self.intake = Intake(self.store, config.fhir_base, config.repeatable)
        self._client = httpx.Client()
        tokens = ClientCredentials(
            config.name,
            config.token_url,
            config.client_id,
            config.client_secret,
            "",
            self._client,
            monotonic,
        )
        self.desk = Desk(self.store, tokens, self._client, config.delay, config.late)
        for number in list(self.store.cases):
            self.desk.schedule(self.store.case(number))

    def receive(self, raw: bytes) -> Response:
        bundle, number, address = self.intake.read(raw)
        faults = [one for one in self.store.case(number).script or () if one.act in AT_INTAKE]
        self._before(number, faults)
        taken = self.intake.take(bundle, number, address)
        if taken.made:
            self.desk.schedule(self._planned(taken.case))
        elif taken.word:
            self._hear(taken.case, taken.word)
        if any(one.act is Act.SILENT for one in faults) and taken.made:
            sleep(self.config.silence)
        return _answer(render(taken.answer), 200)

    def _hear(self, case: Case, word: Step) -> None:
        after = heard((case.script or ())[case.done :], word)
        if after is not None:
            self.desk.schedule(self.store.script(case.number, after))

    def _before(self, number: str, faults: list[Scripted]) -> None:
        away = sum(one.times for one in faults if one.act is Act.UNAVAILABLE)
        if self.store.case(number).refused_at_intake < away:
            self.store.refuse_once(number)
            raise Refused(503, Issue(IssueType.TRANSIENT, "This server is being restarted."))
        if any(one.act is Act.SLOW for one in faults):
            sleep(self.config.slow)

    def _planned(self, case: Case) -> Case:
        if case.script is None:
            drawn_by_lot = self.config.seed is not None
            plan = drawn(self.config.seed or 0, case.number) if drawn_by_lot else self.config.plan
            case = self.store.script(case.number, plan)
        skipped = case.done
        while case.script is not None and skipped < len(case.script) and case.script[skipped].act in AT_INTAKE:
            skipped += 1
            self.store.done(case.number, case.round, skipped, {"act": case.script[skipped - 1].act})
        return self.store.case(case.number)

    def stop(self) -> None:
        self.desk.stop()
        self._client.close()
        self.store.close()


def create_specialist(config: SpecialistConfig) -> Flask:
    """The server as a Flask application; `app.extensions["specialist"]` is its Specialist, to stop it."""
    app = Flask(f"specialist:{config.name}")
    app.config["MAX_CONTENT_LENGTH"] = LIMIT
    specialist = Specialist(config)
    app.extensions["specialist"] = specialist
    _add_entrance(app, specialist)
    _add_fhir(app, specialist)
    _add_control(app, specialist)
    return app


def _add_entrance(app: Flask, specialist: Specialist) -> None:
    @app.before_request
    def signed_in() -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        open_path = request.path == "/metadata" or request.path.startswith("/_simulator/")
        if not open_path and (scheme != "Bearer" or not specialist.config.accepts(token)):
            raise Refused(401, Issue(IssueType.LOGIN, "A bearer token is required."))

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        response = _answer(render(build_operation_outcome(error.issues)), error.status)
        if error.status == 503:
            response.headers["Retry-After"] = "1"
        return response


def _add_fhir(app: Flask, specialist: Specialist) -> None:
    @app.get("/metadata")
    def metadata() -> Response:
        return _answer(render(_capability(specialist.config.name)), 200)

    @app.post("/")
    def transaction() -> Response:
        return specialist.receive(request.get_data())

    @app.get("/<any(Task, ServiceRequest):kind>/<resource_id>")
    def read(kind: str, resource_id: str) -> Response:
        found = specialist.store.read(kind, resource_id)
        if found is None:
            raise Refused(404, Issue(IssueType.NOT_FOUND, f"There is no such {kind}."))
        return _answer(render(found), 200)

    @app.get("/<any(Task, ServiceRequest):kind>")
    @app.post("/<any(Task, ServiceRequest):kind>/_search")
    def search(kind: str) -> Response:
        given = [*request.args.items(multi=True), *request.form.items(multi=True)]
        asked = parse_search(kind, given)
        found = [specialist.store.find(kind, one.system, one.value) for one in asked.identifiers]
        base = request.host_url.rstrip("/")
        page = build_searchset([one for one in found if one is not None], base, f"{base}/{kind}")
        return _answer(render(page), 200)


def _add_control(app: Flask, specialist: Specialist) -> None:
    @app.get("/_simulator/counts")
    def counts() -> Response:
        return jsonify(specialist.store.counts())

    @app.get("/_simulator/cases")
    def cases() -> Response:
        return jsonify(specialist.store.overview())

    @app.post("/_simulator/script")
    def script() -> Response | tuple[Response, int]:
        try:
            scripts = {str(number): parse_script(lines) for number, lines in request.get_json().items()}
        except (ValueError, AttributeError) as why:
            return jsonify({"error": str(why)}), 400
        for number, lines in scripts.items():
            specialist.desk.schedule(specialist.store.script(number, lines))
        return jsonify(specialist.store.overview())


def _answer(body: bytes, status: int) -> Response:
    return Response(body, status, content_type=JSON)


def _capability(name: str) -> dict[str, object]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "implementation": {"description": name},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
    }
