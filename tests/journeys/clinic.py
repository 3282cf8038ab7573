"""A whole clinic as `careloop up` runs it, with a few people of the cast, for journeys through its real doors."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from activities.records.account import Grant, grant
from activities.records.interface import Interface
from activities.records.organization import Transport
from infra.bootstrap import Parts, build
from infra.seed.people import load as load_staff
from infra.settings import load
from infra.supervisor import report
from infra.supervisor.home import Home
from infra.supervisor.remove import remove_store
from infra.supervisor.report import ServiceReport
from tests import make

ROOT = Path(__file__).parents[2]
START, STOP = 120.0, 60.0


@dataclass
class Clinic:
    """A running clinic: its settings, a way into its store, and the process that supervises it."""

    home: Path
    process: "subprocess.Popen[bytes]"
    parts: Parts

    @property
    def address(self) -> str:
        return self.parts.settings.public_url

    def pid(self, service: str) -> int:
        """The process id of one of its services."""
        found = next(one for one in status(self.home)["services"] if one["name"] == service)
        return int(found["pid"])

    def kill(self, service: str) -> None:
        """Kills it without warning, and waits until the supervisor has noticed."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        while self._report(service).pid == pid:
            time.sleep(0.02)

    def alive(self, service: str) -> bool:
        """Whether it can take work, by the word of the supervisor."""
        return self._report(service).healthy

    def _report(self, service: str) -> ServiceReport:
        return next(one for one in report.read(Home(self.home)).services if one.name == service)

    def accepted(self) -> dict[str, int]:
        """How often the simulated specialist accepted each referral."""
        port = self.parts.settings.simulator_specialist_port
        counts: dict[str, int] = httpx.get(f"http://127.0.0.1:{port}/_simulator/counts").json()
        return counts


def status(home: Path) -> dict[str, Any]:
    """What `careloop status --json` says."""
    command = (sys.executable, "-m", "infra.cli.main", "status", "--json", "--home", str(home))
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@contextmanager
def running(home: Path, **settings: str) -> Iterator[Clinic]:
    """Starts a clinic with an empty store and a handful of people; stops it at the end and takes its store away."""
    environment = {**os.environ, "CARELOOP_SEED": "0", **settings}
    command = (sys.executable, "-m", "infra.cli.main", "up", "--home", str(home))
    log = (home.parent / f"{home.name}.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        await_ready(home, process)
        parts = build(load(home), 4)
        yield Clinic(home, process, parts)
        parts.sessions.engine.dispose()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP)
        log.close()
        remove_store(Home(home))


def await_ready(home: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START
    while not (home / "status.json").exists() or not status(home)["ready"]:
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError((home.parent / f"{home.name}.log").read_text()[-4000:])
        time.sleep(0.2)


@dataclass(frozen=True)
class Known:
    """What the journeys speak of."""

    terrence: UUID
    quillon: UUID
    eskild: UUID
    heronfield: UUID  # the other clinic in Larkmoor's directory
    larkmoor: UUID  # Larkmoor in the other clinic's


def furnish(parts: Parts) -> Known:
    """Two clinics connected with each other, their staff, another connected partner, one with a fax only, a patient."""
    make.clinics(parts)
    with parts.sessions.platform() as session:
        for one in load_staff().people:
            grant(
                session,
                Grant(
                    one.clinic.tenant,
                    parts.settings.oidc_issuer,
                    one.subject,
                    one.name,
                    one.email,
                    one.roles,
                    one.title,
                    one.sites,
                    one.npi or "",
                ),
                one.account_id,
            )
    port = parts.settings.simulator_specialist_port
    quillon = make.organization(
        parts,
        name="Quillon Digestive Health",
        npi="2000001117",
        transport=Transport.FHIR,
        fhir_address=f"http://127.0.0.1:{port}",
        services=["Gastroenterology"],
    )
    ours = f"{parts.settings.public_url}/fhir"
    connected: dict[str, Any] = {"transport": Transport.FHIR, "fhir_address": ours}
    heronfield = make.organization(
        parts, name="Heronfield Specialty Associates", npi="2000001026", services=["Cardiology"], **connected
    )
    larkmoor = make.organization(
        parts, make.HERONFIELD, name="Larkmoor Family Medicine", npi="2000001018", phone="+12085550101", **connected
    )
    speaks(parts, "larkmoor", "quillon-platform", quillon, "Quillon Digestive Health")
    speaks(parts, "larkmoor", "heronfield-platform", heronfield, "Heronfield Specialty Associates")
    speaks(parts, "heronfield", "larkmoor-platform", larkmoor, "Larkmoor Family Medicine")
    eskild = make.organization(parts, name="Dr Bertrand Eskild", services=["Orthopaedics"], phone="+12085550191")
    return Known(make.patient(parts, phone="+12085550115"), quillon, eskild, heronfield, larkmoor)


def speaks(parts: Parts, tenant: str, client_id: str, organization: UUID, name: str) -> None:
    """Lets a partner's program reach a clinic's records."""
    with parts.sessions.platform() as session:
        row = Interface(tenant=tenant, kind="fhir", client_id=client_id, organization_id=organization, name=name)
        session.add(row)
