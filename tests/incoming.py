"""Referrals made to Heronfield, on a real store and without an engine: the door commits, the filing runs when asked."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.testing import ActivityEnvironment

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import Identifier, PersonName, Telecom
from activities.formats.fhir.organization import OrganizationContent
from activities.formats.fhir.patient import PatientContent
from activities.formats.fhir.referral_bundle import Referral, build_referral, build_update
from activities.formats.fhir.render import render
from activities.formats.fhir.task import build_task
from activities.partners.base import Partner
from activities.records.arrived import arrived_of
from activities.records.base import new_id
from activities.records.interface import Interface as InterfaceRow
from activities.records.message_log import MessageLog
from activities.records.organization import Organization, Transport
from activities.records.sessions import Context
from activities.records.values import load
from infra.bootstrap import Parts, activities
from rules.referral.steps import follow
from rules.referral.vocabulary import By, Facts, Step
from tests import make
from tests.formats.fhir.referrals import a_referral
from web.fhir.door import Arrival, ArrivalKind, Interface, Received
from web.fhir.store import StoreDoor
from workflows.contracts import inbound
from workflows.contracts import referral as contract

T = TypeVar("T")
Row = TypeVar("Row")
Json = dict[str, Any]
LARKMOOR_NPI, HERONFIELD_NPI = "2000001018", "2000001026"


class NoEngine:
    """Never answers: what the door has committed stays recorded."""

    def run(self, work: Callable[[Any], Any], seconds: float) -> Any:
        raise TimeoutError


def no_partner(organization: Organization, kind: str) -> Partner:
    raise AssertionError("nothing is sent in these tests")


@dataclass
class Heronfield:
    """The clinic that is referred to; `larkmoor` is the referrer's row in its directory."""

    parts: Parts
    larkmoor: UUID = field(init=False)
    interface: Interface = field(init=False)

    def __post_init__(self) -> None:
        make.clinics(self.parts)
        self.larkmoor = self.connected("Larkmoor Family Medicine", LARKMOOR_NPI, "larkmoor-platform")
        self.door = StoreDoor(
            self.parts.sessions,
            self.parts.ring,
            self.parts.auditor,
            NoEngine(),  # type: ignore[arg-type]
            self.base,
        )
        self.interface = self.through("larkmoor-platform")
        self._activities = {one.__name__: one for one in activities(self.parts, no_partner)}

    @property
    def base(self) -> str:
        return f"{self.parts.settings.public_url}/fhir"

    def connected(self, name: str, npi: str, client_id: str) -> UUID:
        """A partner of Heronfield's directory that may send it referrals."""
        fields: Json = {"name": name, "npi": npi, "transport": Transport.FHIR, "fhir_address": self.base}
        partner = make.organization(self.parts, make.HERONFIELD, **fields)
        with self.parts.sessions.platform() as session:
            session.add(
                InterfaceRow(
                    id=new_id(),
                    tenant="heronfield",
                    kind="fhir",
                    client_id=client_id,
                    organization_id=partner,
                    name=name,
                )
            )
        return partner

    def through(self, client_id: str) -> Interface:
        found = self.door.interface_of(client_id)
        assert found is not None
        return found

    def receive(
        self, said: Json, kind: ArrivalKind = ArrivalKind.REFERRAL, line: bytes = b"p", **more: Any
    ) -> Received:
        """What the door commits, filed as the engine would; gives what the sender is told then."""
        interface = more.pop("interface", self.interface)
        raw = render(said)
        address = more.pop("address", address_of(said) if "entry" in said else "")
        name = more.pop("name", f"{kind}:{address}")
        arrival = Arrival(kind, raw, name, line=line, address=address, **more)
        self.door.receive(interface, arrival)
        self.file(interface, line)
        return self.door.receive(interface, arrival)

    def file(self, interface: Interface, line: bytes = b"p") -> inbound.Batch:
        key = self.parts.ring.digest("heronfield", "patient line", line).hex()
        where = inbound.workflow_id("heronfield", interface.id, key)
        batch: inbound.Batch = self._run("file", where, inbound.Line(interface.id, key))
        return batch

    def step(
        self, case: UUID, step: Step, facts: Facts | None = None, context: Context = make.HERONFIELD
    ) -> contract.Recorded:
        """A step that a person of the clinic decides."""
        facts = facts or Facts()
        where = contract.workflow_id(context.tenant, str(case))
        before = self._run("reload", where, contract.Reload(str(case))).state
        key = make.decision(self.parts, case, step, facts, make.HERONFIELD, By.CLINICIAN)
        after = replace(before, progress=follow(before.progress, step, facts, make.NOW))
        recorded: contract.Recorded = self._run(
            "record", where, contract.Change(key, step, facts, make.NOW, before, after)
        )
        return recorded

    def _run(self, name: str, workflow_id: str, argument: object) -> Any:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_id=workflow_id)
        return environment.run(self._activities[name], argument)

    def rows(self, kind: type[Row], context: Context = make.HERONFIELD) -> list[Row]:
        with self.parts.sessions.begin(context) as session:
            return list(session.scalars(select(kind)))

    def count(self, kind: type, context: Context = make.HERONFIELD) -> int:
        with self.parts.sessions.begin(context) as session:
            return session.scalar(select(func.count()).select_from(kind)) or 0

    def read(self, work: Callable[[Session], T]) -> T:
        with self.parts.sessions.begin(make.HERONFIELD) as session:
            return work(session)

    def told(self, message: MessageLog) -> Step | None:
        """The step that a filed message is for its case."""
        return arrived_of(self.parts.ring, message).step

    def state(self, sealed: bytes, workflow_id: str) -> contract.State:
        return load(contract.State, self.parts.ring.open(sealed, f"process:{workflow_id}"))

    def referral(self, number: str = "R-20418", task: str = "", **patient: Any) -> Referral:
        """A referral from Larkmoor to Heronfield; `patient` changes who it is about."""
        whole = a_referral(self.base, number)
        address = f"{self.base}/Task/{task}" if task else whole.task.address
        return replace(
            whole,
            patient=replace(terrence(self.base), **patient),
            sender=clinic("Larkmoor Family Medicine", LARKMOOR_NPI),
            recipient=clinic("Heronfield Specialty Associates", HERONFIELD_NPI),
            task=replace(whole.task, address=address),
        )


def clinic(name: str, npi: str) -> OrganizationContent:
    return OrganizationContent(name, (Identifier(systems.NPI, npi),))


def terrence(base: str) -> PatientContent:
    """Terrence Vailgood as Larkmoor knows him."""
    return PatientContent(
        identifiers=(Identifier(f"{base}/identifier/larkmoor/mrn", "LM-000105", "MR"),),
        name=PersonName("Vailgood", ("Terrence",)),
        birth_date=date(1964, 9, 30),
        gender="male",
        telecoms=(Telecom("phone", "(208) 555-0115"),),
    )


def word(whole: Referral, **elements: Any) -> Json:
    """Word of a referral sent before; `elements` of its Task as they are now."""
    return build_update(whole, {**build_task(whole.task), **elements})


def sent(whole: Referral) -> Json:
    return build_referral(whole)


def address_of(bundle: Json) -> str:
    task = bundle["entry"][-1]["resource"]
    found: str = task["identifier"][0]["value"]
    return found
