"""A platform in one process that can be killed anywhere: real store, real engine, our worker, web desk and door."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import select
from temporalio.client import Client

from activities.formats.fhir.render import render
from activities.partners.base import Found, Partner, Receipt, Repeatable
from activities.records.base import new_id
from activities.records.case_event import CaseEvent
from activities.records.decision import Decision
from activities.records.interface import Interface as InterfaceRow
from activities.records.message_log import Direction, MessageLog
from activities.records.organization import Organization, Transport
from activities.records.process import Process
from activities.records.service_request import Fulfilment, ServiceRequest
from infra.bootstrap import Parts, activities, build, case_review, connect_engine
from infra.settings import Settings
from infra.simulators.specialist_plan import Act, Scripted, acted
from infra.supervisor.store_urls import libpq
from infra.sweeper import Sweeper
from infra.verify.run import Violation, violations
from infra.worker import make_worker
from rules.referral.vocabulary import By, Facts, Reason, Stage, Step
from tests import make
from tests.engine import skipping
from tests.faults.killing import Killed, Killer
from tests.postgres import Cluster
from web.client import Engine
from web.decisions import Desk
from web.fhir.door import Arrival, ArrivalKind, Interface, Readable, Received
from web.fhir.store import StoreDoor
from workflows.contracts import referral
from workflows.contracts.calls import INTERACTIVE

WORKER, WEB = "worker", "web"
NOTHING = Facts()


@dataclass
class CountingPartner:
    """Takes what it gets and counts it; one that is not repeatable makes two of what comes twice."""

    name: str
    repeatable: Repeatable
    made: Counter[bytes] = field(default_factory=Counter)
    dies: str = ""

    def send(self, message: bytes) -> Receipt:
        """`dies` once: before the partner has it, or after."""
        dies, self.dies = self.dies, ""
        if dies == "before":
            raise Killed
        key = sha256(message).digest()
        if not (self.repeatable is Repeatable.YES and self.made[key]):
            self.made[key] += 1
        if dies == "after":
            raise Killed
        return Receipt("ServiceRequest/1", b"{}")

    def ask(self, message: bytes) -> Found:
        return Found(self.made[sha256(message).digest()] > 0, "ServiceRequest/1")


@dataclass
class World:
    parts: Parts
    engine: Engine
    desk: Desk
    door: StoreDoor
    sweeper: Sweeper
    killer: Killer
    partners: dict[str, CountingPartner]
    organizations: dict[str, UUID]
    interfaces: dict[str, Interface]
    patient: Callable[[], UUID]

    def open(self, partner: str) -> UUID:
        token = new_id()
        content = make.content(self.patient(), self.organizations[partner])
        assert self.desk.open(make.LARKMOOR, token, content, By.STAFF).outcome
        return token

    def in_triage(self, partner: str) -> UUID:
        """A referral that its partner has, and has not answered."""
        case = self.open(partner)
        assert self.desk.decide(make.LARKMOOR, new_id(), case, Step.SENDING, NOTHING, By.STAFF).outcome
        self.until(lambda: self.stage(case) == Stage.TRIAGE)
        return case

    def closed(self, partner: str) -> UUID:
        case = self.in_triage(partner)
        facts = Facts(reason=Reason.TREATED_ELSEWHERE)
        assert self.desk.decide(make.LARKMOOR, new_id(), case, Step.CLOSURE, facts, By.STAFF).outcome
        self.engine.run(lambda client: self._ended(client, case), 20)
        return case

    def answer(self, partner: str, case: UUID) -> Arrival:
        """The partner's Task update that accepts."""
        interface = self.interfaces[partner]
        task = self.task(case)
        stored = self.door.read(interface, Readable.TASK, str(task.id))
        assert stored is not None
        raw = render(acted(stored.content, Scripted(Act.ACCEPT), datetime.now(UTC)))
        named = f"Task/{task.id}/{stored.version}:{sha256(raw).hexdigest()}"
        return Arrival(ArrivalKind.TASK_UPDATE, raw, named, str(task.id), stored.version)

    def receive(self, partner: str, arrival: Arrival) -> Received:
        """As the web does: commits it, then waits for what becomes of it."""
        interface = self.interfaces[partner]
        received = self.door.receive(interface, arrival)
        return self.door.outcome(interface, received.message_id, 4.0)

    def lose(self, case: UUID) -> None:
        """The engine forgets the case."""
        workflow_id = referral.workflow_id("larkmoor", str(case))
        self.engine.run(lambda client: client.get_workflow_handle(workflow_id).terminate("forgotten"), 10)

    def recover(self, holds: Callable[[], bool]) -> None:
        """What the platform does by itself after somebody died."""

        def swept() -> bool:
            self.sweeper.sweep()
            return holds()

        self.until(swept)

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.05)

    def stage(self, case: UUID) -> str:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            request = session.get(ServiceRequest, case)
            return request.stage if request else ""

    def events(self, case: UUID) -> Counter[str]:
        """How often each step key was recorded, and how often each step."""
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            rows = session.execute(select(CaseEvent.step_key, CaseEvent.step).where(CaseEvent.case_id == case)).all()
        return Counter([row.step_key for row in rows] + [row.step for row in rows])

    def decision(self, token: UUID) -> Decision | None:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.get(Decision, token)

    def task(self, case: UUID) -> Fulfilment:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalars(select(Fulfilment).where(Fulfilment.service_request_id == case)).one()

    def process(self, case: UUID) -> Process:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return session.scalars(select(Process).where(Process.case_id == case)).one()

    def messages(self, case: UUID, direction: Direction) -> list[MessageLog]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(
                session.scalars(select(MessageLog).where(MessageLog.case_id == case, MessageLog.direction == direction))
            )

    def as_admin(self, statement: str, *values: object) -> None:
        """What no part of the platform may do: past row security and the triggers that keep history."""
        with psycopg.connect(libpq(self.parts.settings.admin_url), autocommit=True) as admin:
            admin.execute("set session_replication_role = replica")
            admin.execute(statement.encode(), values)

    def broken(self) -> list[Violation]:
        """The promises that do not hold now."""
        self.sweeper.seal()
        return violations(self.parts, self.engine, 0.5)

    async def _ended(self, client: Client, case: UUID) -> None:
        await client.get_workflow_handle(referral.workflow_id("larkmoor", str(case))).result()


@contextmanager
def standing(cluster: Cluster) -> Iterator[World]:
    """One world on a fresh database; its worker is a thread of this process."""
    settings = cluster.fresh()
    parts = build(settings, 24)
    partners: dict[str, CountingPartner] = {}

    def directory(organization: Organization, _: str) -> Partner:
        return partners[organization.name]

    with _engine(parts, lambda: _worker_activities(parts, directory)) as address:
        settled = _at(settings, address)
        parts = replace(parts, settings=settled)
        engine = Engine(lambda: connect_engine(settled, parts.ring))
        killer = Killer(parts.sessions.engine)
        desk = Desk(parts.sessions, parts.ring, engine, case_review(parts))
        base = f"{settled.public_url}/fhir"
        world = World(
            parts=parts,
            engine=engine,
            desk=desk,
            door=StoreDoor(parts.sessions, parts.ring, parts.auditor, engine, base),
            sweeper=Sweeper(parts, engine, patience=timedelta(0)),
            killer=killer,
            partners=partners,
            organizations={},
            interfaces={},
            patient=lambda: make.patient(parts),
        )
        _furnish(world)
        yield world
        killer.close()
        engine.close()
    parts.sessions.engine.dispose()
    cluster.drop(settings)


def _at(settings: Settings, address: str) -> Settings:
    return settings.model_copy(update={"temporal_address": address, "temporal_namespace": "default"})


def _worker_activities(parts: Parts, directory: Callable[[Organization, str], Partner]) -> list[Callable[..., Any]]:
    quick = replace(parts, settings=parts.settings.model_copy(update={"send_settling": 0.2}))
    return activities(quick, directory)


@contextmanager
def _engine(parts: Parts, known: Callable[[], list[Callable[..., Any]]]) -> Iterator[str]:
    """The engine's address; server and worker live on a loop in a thread of their own."""
    addresses: list[str] = []
    up, down = threading.Event(), threading.Event()

    async def run() -> None:
        async with skipping(parts.ring) as environment:
            with ThreadPoolExecutor(16, thread_name_prefix=WORKER) as pool:
                addresses.append(environment.client.service_client.config.target_host)
                client = await connect_engine(_at(parts.settings, addresses[0]), parts.ring)
                async with make_worker(client, INTERACTIVE, known(), True, pool):
                    up.set()
                    await asyncio.to_thread(down.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="platform", daemon=True)
    thread.start()
    assert up.wait(60), "the engine did not start"
    try:
        yield addresses[0]
    finally:
        down.set()
        thread.join(30)


def _furnish(world: World) -> None:
    """Two partners with a connection: one that may get the same twice, one that must be asked first."""
    make.clinics(world.parts)
    for name, repeatable in (("Quillon", Repeatable.YES), ("Marrable", Repeatable.NO)):
        organization = make.organization(
            world.parts, name=name, transport=Transport.FHIR, repeatable=repeatable is Repeatable.YES
        )
        row = InterfaceRow(
            tenant="larkmoor", kind="fhir", client_id=name, organization_id=organization, name=name, id=new_id()
        )
        with world.parts.sessions.platform() as session:
            session.add(row)
        world.partners[name] = CountingPartner(name, repeatable)
        world.organizations[name] = organization
        world.interfaces[name] = Interface(str(row.id), "larkmoor", str(organization))
