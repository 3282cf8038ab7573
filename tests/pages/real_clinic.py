"""The real application over a real store, with a handful of referrals: for looking at every page as people see it.

The engine is away: what the pages show comes from the store alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Flask
from playwright.sync_api import BrowserContext
from sqlalchemy import select
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from werkzeug.serving import WSGIRequestHandler, make_server

from activities.partners.base import Partner
from activities.records import web_session
from activities.records.account import Account, Grant, grant
from activities.records.base import new_id
from activities.records.interface import Interface
from activities.records.location import Location
from activities.records.message_log import Direction, MessageLog, MessageState
from activities.records.organization import Organization, Transport
from activities.records.service_request import PastStep
from activities.records.sessions import Context
from infra.bootstrap import Parts, activities, case_review
from infra.seed.people import load as load_staff
from rules.referral.vocabulary import Evidence, Facts, Priority, Progress, Reason, Stage, Step
from tests import make
from tests.postgres import free_port
from web.app import create_app
from web.client import Engine
from web.decisions import Desk
from web.fhir.store import StoreDoor
from web.live import Live, create_live
from web.operations.messages import create_messages
from web.operations.views import create_operations
from web.partners.views import create_partners
from web.patients.views import create_patients
from web.referrals.views import create_referrals
from web.settings import WebSettings
from web.tasks.views import create_tasks
from workflows.contracts import referral

ISSUER = "http://127.0.0.1:1"
SITES = (("boise", "Boise", "America/Boise"), ("coeur_dalene", "Coeur d'Alene", "America/Los_Angeles"))


class AwayError(RuntimeError):
    """The engine cannot be reached."""


async def nobody() -> Client:
    raise AwayError


@dataclass
class RealClinic:
    """`cases` are referrals by a word for where they stand, `partners` and `patients` by family name."""

    parts: Parts
    address: str = ""
    cases: dict[str, UUID] = field(default_factory=dict)
    partners: dict[str, UUID] = field(default_factory=dict)
    patients: dict[str, UUID] = field(default_factory=dict)
    message: UUID = field(default_factory=new_id)

    def told(self, address: str) -> str:
        """An address with the ids of what it names in braces."""
        ids = {**self.cases, **self.partners, **self.patients, "message": self.message}
        moment = datetime.now(UTC).isoformat()
        return address.format(**ids, moment=quote(moment))

    def account(self, name: str) -> Account:
        with self.parts.sessions.platform() as session:
            return session.scalars(select(Account).where(Account.name == name)).one()

    def session(self, name: str) -> str:
        """The token of a new session, as the cookie carries it."""
        account, now = self.account(name), datetime.now(UTC)
        with self.parts.sessions.begin(Context(account.tenant, str(account.id))) as session:
            return web_session.start(session, account, web_session.Proof(now), now, timedelta(hours=1))

    def sign_in(self, context: BrowserContext, name: str = "Nadia Ferro-Lund") -> None:
        """Gives a browser the cookie of a new session."""
        context.add_cookies([{"name": "careloop_pages", "value": self.session(name), "url": self.address}])


def application(
    parts: Parts, address: str, more: tuple[Blueprint, ...] = (), streams: int = 40, tick: float = 1
) -> Flask:
    """The whole application, as the web process has it, with an engine that is away."""
    engine = Engine(nobody)
    desk = Desk(parts.sessions, parts.ring, engine, case_review(parts))
    door = StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, f"{address}/fhir")
    return create_app(
        WebSettings(address, ISSUER, "careloop", b"k" * 32, "pages"),
        parts.sessions,
        engine,
        (),
        ring=parts.ring,
        auditor=parts.auditor,
        blueprints=(
            create_tasks(),
            create_referrals(desk, parts.ring),
            create_patients(),
            create_partners(),
            create_operations(desk, engine),
            create_messages(parts.ring, door),
            create_live(Live(parts.sessions.engine.url, streams, tick)),
            *more,
        ),
    )


class Quiet(WSGIRequestHandler):
    """Serves without a line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def served(parts: Parts, streams: int = 40, tick: float = 1) -> Iterator[RealClinic]:
    """A furnished clinic's application on a free port while the block runs."""
    port = free_port()
    clinic = furnish(parts)
    clinic.address = f"http://127.0.0.1:{port}"
    app = application(parts, clinic.address, streams=streams, tick=tick)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield clinic
    finally:
        app.extensions["careloop_live"].close()
        server.shutdown()
        thread.join()
        server.server_close()


def furnish(parts: Parts) -> RealClinic:
    """Staff and sites of the cast, three partners, four patients, and a referral in each of several states."""
    make.clinics(parts)
    staff(parts)
    clinic = RealClinic(parts)
    clinic.partners = partners(parts)
    clinic.patients = patients(parts)
    now = datetime.now(UTC).replace(microsecond=0)
    opener = Opener(clinic, now)
    opener.draft()
    opener.waiting()
    opener.report_late()
    opener.declined()
    opener.closed()
    clinic.message = stuck_message(clinic, now)
    return clinic


def staff(parts: Parts) -> None:
    with parts.sessions.platform() as session:
        for one in load_staff().people:
            given = Grant(one.clinic.tenant, ISSUER, one.subject, one.name, one.email, one.roles, one.title, one.sites)
            grant(session, given, one.account_id)
    with parts.sessions.begin(make.LARKMOOR) as session:
        for site, name, zone in SITES:
            session.add(Location(tenant="larkmoor", site=site, name=name, zone=zone, opens=time(8), closes=time(17)))


def partners(parts: Parts) -> dict[str, UUID]:
    return {
        "quillon": make.organization(
            parts,
            name="Quillon Digestive Health",
            transport=Transport.FHIR,
            fhir_address="https://fhir.quillon.example",
            phone="+12085550150",
            services=["Gastroenterology"],
            packet={"Gastroenterology": ["Last liver panel", "Medication list"]},
            plans=["Coppergate PPO", "Medicaid"],
        ),
        "eskild": make.organization(
            parts, name="Dr Bertrand Eskild", services=["Orthopaedics"], phone="+12085550191", fax="+12085550190"
        ),
        "quarrylight": make.organization(parts, name="Quarrylight Eye Clinic", services=["Ophthalmology"]),
    }


def patients(parts: Parts) -> dict[str, UUID]:
    told = (
        ("vailgood", {"family": "Vailgood", "given": "Terrence", "mrn": "LM-000105", "phone": "+12085550115"}),
        (
            "straatmann",
            {
                "family": "Straatmann",
                "given": "Wilhelm",
                "mrn": "LM-000103",
                "alerts": ["Father has the same name"],
            },
        ),
        (
            "ibarra",
            {
                "family": "Ibarra-Quintanilla",
                "given": "Marisela",
                "mrn": "LM-000104",
                "sex": "female",
                "language": "es",
                "interpreter": True,
            },
        ),
        ("kowalbrandt", {"family": "Kowalbrandt", "given": "Hannah", "mrn": "LM-000107", "sex": "female"}),
    )
    made = {key: make.patient(parts, site="boise", **fields) for key, fields in told}
    first = made["straatmann"]
    make.allergy(parts, first, substance="Penicillin", reaction="anaphylaxis", severity="severe")
    make.allergy(parts, first, substance="Sulfa antibiotics", reaction="rash")
    make.condition(parts, first)
    make.medication(parts, first)
    make.telecom(parts, first, sms_ok=True)
    make.coverage(parts, first)
    return made


class Opener:
    """Opens referrals in the state they are in, as a clinic's own are on its first day."""

    def __init__(self, clinic: RealClinic, now: datetime) -> None:
        self._clinic, self._now = clinic, now
        self._open = next(
            one for one in activities(clinic.parts, no_partner) if one.__qualname__ == "ReferralActivities.open"
        )

    def draft(self) -> None:
        self._take("draft", "vailgood", "quillon", Progress(), service="Gastroenterology")

    def waiting(self) -> None:
        stage = Progress(stage=Stage.AWAITING_INFO, priority=Priority.URGENT, asks=1, round=1)
        self._take("information", "kowalbrandt", "quillon", stage, days=3, priority=Priority.URGENT)

    def report_late(self) -> None:
        seen = Progress(stage=Stage.SEEN, priority=Priority.ROUTINE, round=1, rung=1, by_hand=True)
        past = (
            self._past(Step.SENDING, 40),
            self._past(Step.ACCEPTANCE, 38, actor="Dr Bertrand Eskild"),
            self._past(Step.VISIT, 19, Facts(at=self._now - timedelta(days=19))),
            self._past(Step.CHASE, 9, Facts(channel="fax", outcome="no-answer")),
        )
        self._take("report", "straatmann", "eskild", seen, days=19, service="Orthopaedics", past=past)

    def declined(self) -> None:
        stage = Progress(stage=Stage.DECLINED, priority=Priority.STAT, round=1)
        past = (self._past(Step.SENDING, 2), self._past(Step.DECLINE, 1, Facts(reason=Reason.NO_CAPACITY)))
        self._take("declined", "ibarra", "quillon", stage, days=1, priority=Priority.STAT, past=past)

    def closed(self) -> None:
        at = self._now - timedelta(days=30)
        proved = Evidence(at, at, at, at, at)
        stage = Progress(stage=Stage.CLOSED, evidence=proved, round=1)
        past = (self._past(Step.SENDING, 60), self._past(Step.REPORT, 31), self._past(Step.FOLLOW_UP, 30))
        self._take("closed", "vailgood", "quarrylight", stage, days=30, service="Ophthalmology", past=past)

    def _past(self, step: Step, days: int, facts: Facts | None = None, actor: str = "Tobias Wrenfield") -> PastStep:
        return PastStep(step, self._now - timedelta(days=days), actor, facts or Facts())

    def _take(self, key: str, patient: str, partner: str, progress: Progress, days: int = 1, **fields: object) -> None:
        since = self._now - timedelta(days=days)
        said = make.content(
            self._clinic.patients[patient],
            self._clinic.partners[partner],
            site="boise",
            diagnoses=("K21.9",),
            opened_at=since - timedelta(days=20),
            progress=replace(progress, since=since, opened=since - timedelta(days=20)),
            **fields,
        )
        decision = make.opening(self._clinic.parts, said)
        environment = ActivityEnvironment()
        workflow_id = referral.workflow_id("larkmoor", decision)
        environment.info = replace(environment.info, workflow_id=workflow_id)
        environment.run(self._open, referral.Opening(decision, referral.State(decision)))
        self._clinic.cases[key] = UUID(decision)


def no_partner(row: Organization, actor: str) -> Partner:
    raise AssertionError(f"nothing is sent to {row.name}")


def stuck_message(clinic: RealClinic, now: datetime) -> UUID:
    """An answer from Quillon that could not be filed."""
    identity, door = new_id(), new_id()
    parts, quillon = clinic.parts, clinic.partners["quillon"]
    with parts.sessions.platform() as session:
        session.add(
            Interface(
                id=door, tenant="larkmoor", kind="fhir", client_id="quillon", organization_id=quillon,
                name="Quillon Digestive Health",
            )
        )  # fmt: skip
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.add(
            MessageLog(
                id=identity, tenant="larkmoor", interface_id=door, direction=Direction.IN, kind="fhir.task-update",
                external_id="Task/1", content_hash=b"1" * 32, patient_key="k", case_id=clinic.cases["information"],
                raw=parts.ring.seal("larkmoor", b'{"resourceType": "Task"}', f"message:{identity}"),
                state=MessageState.WAITING, detail="The Task has no status.", received_at=now - timedelta(minutes=5),
            )
        )  # fmt: skip
    return identity
