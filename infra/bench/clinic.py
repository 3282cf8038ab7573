"""A whole clinic as `careloop up` runs it, furnished with what the benchmarks speak of."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import select

from activities.records.account import Account, Grant, grant
from activities.records.base import new_id
from activities.records.interface import Interface
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.sessions import Context
from activities.records.tenant import Tenant
from activities.records.web_session import Proof, start
from infra.bench.machine import family
from infra.bootstrap import Parts, build, connect_engine
from infra.seed.people import load as load_staff
from infra.settings import load
from infra.supervisor import report
from infra.supervisor.clinic import CHECKOUT
from infra.supervisor.home import Home
from infra.supervisor.remove import remove
from web.client import Engine
from workflows.contracts.people import SYSTEM

TENANT = "larkmoor"
CLIENT = "quillon-platform"
COORDINATOR, PHYSICIAN = "nadia.ferro-lund", "ifeoma.oyelaran"
START, STOP = 120.0, 60.0
POOL = 24


@dataclass
class Clinic:
    """A clinic; `process` supervises it."""

    home: Home
    process: "subprocess.Popen[bytes]"

    @cached_property
    def parts(self) -> Parts:
        """A way into its store, once it runs."""
        return build(load(self.home.folder), POOL)

    @cached_property
    def engine(self) -> Engine:
        """A way to its engine, once it runs."""
        return Engine(lambda: connect_engine(self.parts.settings, self.parts.ring))

    @property
    def address(self) -> str:
        return self.parts.settings.public_url

    @property
    def system(self) -> Context:
        """For what nobody in particular does."""
        return Context(TENANT, SYSTEM)

    @property
    def specialist(self) -> str:
        """Where the simulated specialist is."""
        return f"http://127.0.0.1:{self.parts.settings.simulator_specialist_port}"

    def processes(self) -> list[int]:
        """The supervisor and all it runs."""
        return family(self.process.pid)

    def kill(self, service: str) -> None:
        """kill -9."""
        pid = next(one.pid for one in report.read(self.home).services if one.name == service)
        assert pid is not None, f"{service} does not run"
        os.kill(pid, signal.SIGKILL)

    def script(self, numbers: list[str], acts: list[object]) -> None:
        """What the specialist does with referrals of these numbers, also with those it does not have yet."""
        httpx.post(f"{self.specialist}/_simulator/script", json=dict.fromkeys(numbers, acts), timeout=30)


def up(home: Home, log: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Starts `careloop up`; its output is appended to `log`."""
    command = (sys.executable, "-m", "infra.cli.main", "up", "--home", str(home.folder))
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  our own argument list
            command,
            cwd=CHECKOUT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def await_ready(home: Home, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns when everything is ready; raises RuntimeError with the end of the log when it does not become so."""
    deadline = time.monotonic() + START
    while not report.read(home).ready:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the clinic did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


def down(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(STOP)


@contextmanager
def standing(folder: Path) -> Iterator[Clinic]:
    """A clinic that is ready and furnished, without the demo; nothing of it is left at the end."""
    home, log = Home(folder / "home"), folder / "clinic.log"
    clinic = Clinic(home, up(home, log, CARELOOP_SEED="0"))
    try:
        await_ready(home, clinic.process, log)
        furnish(clinic)
        yield clinic
        clinic.engine.close()
        clinic.parts.sessions.engine.dispose()
    finally:
        down(clinic.process)
        remove(home)


def furnish(clinic: Clinic) -> None:
    """The clinic, its staff, itself and one connected partner in its directory."""
    parts = clinic.parts
    partner = new_id()
    with parts.sessions.platform() as session:
        session.add(Tenant(id=TENANT, name="Larkmoor Family Medicine", zone="America/Boise"))
        session.flush()
        session.add(
            Interface(tenant=TENANT, kind="fhir", client_id=CLIENT, organization_id=partner, name="Quillon Digestive")
        )
    with parts.sessions.begin(clinic.system) as session:
        session.add(Organization(id=new_id(), tenant=TENANT, name="Larkmoor", npi="2000001018", partner=False))
        session.add(
            Organization(
                id=partner,
                tenant=TENANT,
                name="Quillon Digestive Health",
                npi="2000001117",
                transport=Transport.FHIR,
                fhir_address=clinic.specialist,
                services=["Gastroenterology"],
            )
        )
        for one in load_staff().people:
            if one.clinic.tenant == TENANT:
                roles, sites = one.roles, one.sites
                issuer = parts.settings.oidc_issuer
                given = Grant(TENANT, issuer, one.subject, one.name, one.email, roles, one.title, sites, one.npi or "")
                grant(session, given, one.account_id)


def account(clinic: Clinic, subject: str) -> Account:
    """One of the staff."""
    with clinic.parts.sessions.platform() as session:
        return session.scalars(select(Account).where(Account.subject == subject)).one()


def patients(clinic: Clinic, count: int) -> list[UUID]:
    """New patients."""
    rows = [
        Patient(
            id=new_id(),
            tenant=TENANT,
            mrn=f"LM-{new_id().hex[-8:]}",
            family=f"Vailgood {number}",
            given="Terrence",
            birth_date=date(1964, 9, 30),
            sex="male",
        )
        for number in range(count)
    ]
    with clinic.parts.sessions.begin(clinic.system) as session:
        session.add_all(rows)
    return [one.id for one in rows]


def partner_id(clinic: Clinic) -> UUID:
    """The connected partner."""
    with clinic.parts.sessions.begin(clinic.system) as session:
        return session.scalars(select(Organization.id).where(Organization.partner.is_(True))).one()


class Browser:
    """Somebody signed in, over HTTP."""

    def __init__(self, clinic: Clinic, who: Account) -> None:
        now = datetime.now(UTC)
        with clinic.parts.sessions.begin(Context(TENANT, str(who.id))) as session:
            token = start(session, who, Proof(now), now, timedelta(hours=10))
        cookie = f"careloop_{clinic.home.short_id}"
        self._http = httpx.Client(base_url=clinic.address, cookies={cookie: token}, timeout=30, trust_env=False)
        self._csrf = ""

    def get(self, path: str) -> httpx.Response:
        """A page; raises httpx.HTTPStatusError for any other answer."""
        answer = self._http.get(path).raise_for_status()
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self._csrf = found.group(1) if found else self._csrf
        return answer

    def post(self, path: str, **form: str) -> httpx.Response:
        """A form of the page that was got last, whatever the answer."""
        return self._http.post(path, data={"csrf_token": self._csrf, **form})

    def close(self) -> None:
        self._http.close()
