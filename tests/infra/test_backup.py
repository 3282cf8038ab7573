"""A rehearsed restore: what a clinic had comes back into an empty place, its cases go on, and nothing fires twice."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from activities.partners.base import Partner
from activities.records.audit_event import Action, AuditEvent
from activities.records.audit_seal import AuditSeal, seal, verify
from activities.records.base import new_id
from activities.records.case_event import CaseEvent
from activities.records.decision import Outcome
from activities.records.organization import Organization
from activities.records.process import Process
from activities.records.service_request import PastStep, ServiceRequest
from infra.backup.make import backup
from infra.backup.manifest import MANIFEST, RING, STORE, read
from infra.backup.own_server import standing
from infra.backup.restore import restore
from infra.bootstrap import Parts, activities, build, case_review, connect_engine
from infra.cli.main import assemble
from infra.reconcile import Reconciler
from infra.refusal import Refused
from infra.settings import Settings
from infra.supervisor.home import Home
from infra.supervisor.remove import remove
from infra.supervisor.store_urls import libpq
from infra.verify.run import violations
from rules.referral.vocabulary import By, Facts, Priority, Progress, Stage, Step
from tests import make
from tests.engine import skipping, working
from tests.postgres import Cluster
from web.client import Engine
from web.decisions import Desk, Settled

SOON = timedelta(seconds=12)
PATIENCE = 30.0


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[Engine]:
    """An engine that knows nothing yet, with a worker on this store."""
    async with skipping(parts.ring) as environment:
        where = {
            "temporal_address": environment.client.service_client.config.target_host,
            "temporal_namespace": environment.client.namespace,
        }
        settings = parts.settings.model_copy(update=where)
        client = await connect_engine(settings, parts.ring)
        engine = Engine(lambda: connect_engine(settings, parts.ring))
        async with working(client, activities(parts, _nobody)):
            yield engine
            await asyncio.to_thread(engine.close)


def _nobody(partner: Organization, kind: str) -> Partner:
    raise AssertionError(f"{kind} was sent to {partner.name}")


def desk(parts: Parts, engine: Engine) -> Desk:
    return Desk(parts.sessions, parts.ring, engine, case_review(parts))


def open_cases(parts: Parts, engine: Engine) -> tuple[UUID, UUID]:
    """One whose instant passes in a moment, and one that waits for a specialist for days."""
    make.clinics(parts)
    partner, now = make.organization(parts), datetime.now(UTC)
    soon = Progress(Stage.SENT, Priority.STAT, since=now - timedelta(hours=1) + SOON, round=1)
    waits = Progress(Stage.TRIAGE, since=now - timedelta(hours=2), round=1)
    found = []
    for progress in (soon, waits):
        progress = replace(progress, by_hand=True)
        past = (PastStep(Step.SENDING, now - timedelta(hours=3), "Ines Valdemar"),)
        said = make.content(
            make.patient(parts), partner, progress=progress, past=past, opened_at=now, priority=progress.priority
        )
        token = new_id()
        assert desk(parts, engine).open(make.LARKMOOR, token, said, By.STAFF).outcome is Outcome.APPLIED
        found.append(token)
    return found[0], found[1]


def empty_place(cluster: Cluster, parts: Parts, folder: Path) -> Settings:
    """A home with the master key alone, and the name of a database that is not there."""
    (folder / "keys").mkdir(parents=True)
    shutil.copy(parts.settings.master_file, folder / "keys" / "master.key")
    return cluster.settings(f"restored_{new_id().hex[-8:]}").model_copy(update={"home": folder})


def overdue(parts: Parts, case: UUID) -> int:
    with parts.sessions.begin(make.LARKMOOR) as session:
        query = select(func.count()).where(CaseEvent.case_id == case, CaseEvent.step == Step.OVERDUE)
        return session.scalar(query) or 0


def stage(parts: Parts, case: UUID) -> str:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return session.get_one(ServiceRequest, case).stage


def due_at(parts: Parts, case: UUID) -> datetime:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return session.scalars(select(Process.next_due).where(Process.case_id == case)).one() or datetime.max.replace(
            tzinfo=UTC
        )


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_after_a_restore_every_case_goes_on_and_what_fell_due_meanwhile_fires_once(
    cluster: Cluster, parts: Parts, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"

    async def before() -> tuple[UUID, UUID]:
        async with running(parts) as engine:
            cases = await asyncio.to_thread(open_cases, parts, engine)
            seal(parts.sessions, parts.ring, "larkmoor")
            await asyncio.to_thread(backup, parts.settings, taken, datetime.now(UTC))
            assert overdue(parts, cases[0]) == 0
            return cases

    late, waits = asyncio.run(before())
    with psycopg.connect(libpq(parts.settings.admin_url)) as lost:
        lost.execute("truncate service_request, process, case_event, decision, audit_event, audit_seal cascade")
    place = empty_place(cluster, parts, tmp_path / "home")
    restored = restore(place, taken)
    assert (restored.open_cases, restored.keyless, restored.findings) == (2, (), ())
    again = build(place, 8)

    async def after() -> Settled:
        async with running(again) as engine:
            counts = await asyncio.to_thread(Reconciler(again, engine).run)
            assert (counts.open, counts.running, counts.started, counts.failed) == (2, 0, 2, 0)
            await asyncio.to_thread(eventually, lambda: overdue(again, late) == 1)
            await asyncio.to_thread(Reconciler(again, engine).run)
            settled = await asyncio.to_thread(
                desk(again, engine).decide, make.LARKMOOR, new_id(), waits, Step.ACCEPTANCE, Facts(), By.STAFF
            )
            for tenant in ("larkmoor", "heronfield"):
                seal(again.sessions, again.ring, tenant)
            assert await asyncio.to_thread(violations, again, engine, 1.0) == []
            return settled

    try:
        assert due_at(again, late) > datetime.now(UTC) - timedelta(minutes=5)
        settled = asyncio.run(after())
        assert settled.outcome is Outcome.APPLIED
        assert stage(again, waits) == Stage.SCHEDULING
        assert (overdue(again, late), overdue(again, waits)) == (1, 0)
    finally:
        again.sessions.engine.dispose()
        cluster.drop(place)


@pytest.fixture
def clinic(parts: Parts) -> Parts:
    """Two clinics with a sealed audit."""
    make.clinics(parts)
    make.patient(parts)
    with parts.sessions.begin(make.LARKMOOR) as session:
        for _ in range(3):
            parts.auditor.write(session, make.LARKMOOR, Action.READ, "Patient", "p1")
    seal(parts.sessions, parts.ring, "larkmoor")
    return parts


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path / "home")
    place.make()
    yield place
    if place.folder.exists():
        remove(place)


def test_a_server_that_counts_its_transactions_anew_seals_on_behind_what_was_sealed(
    clinic: Parts, home: Home, tmp_path: Path
) -> None:
    backup(clinic.settings, tmp_path / "taken", datetime.now(UTC))
    shutil.copy(clinic.settings.master_file, home.keys / "master.key")
    (home.temporal / "engine.db").write_text("what an engine knew")
    said = CliRunner().invoke(assemble(), ["restore", str(tmp_path / "taken"), "--home", str(home.folder)])
    assert said.exit_code == 0, said.output
    assert "careloop reconcile" in said.output
    assert not list(home.temporal.iterdir())
    refused = CliRunner().invoke(assemble(), ["restore", str(tmp_path / "taken"), "--home", str(home.folder)])
    assert refused.exit_code == 1
    assert "has a store already" in refused.output
    with standing(Settings(home=home.folder), home) as settings:
        parts = build(settings, 2)
        assert seal(parts.sessions, parts.ring, "larkmoor") == 1
        assert verify(parts.sessions, parts.ring, "larkmoor") == []
        with parts.sessions.begin(make.LARKMOOR) as session:
            told = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Restore")).one()
            assert told.detail["segment"] == 1
            assert told.xid >> 48 == 1
            assert session.scalars(select(AuditSeal.n).order_by(AuditSeal.n)).all() == [1, 2]
        parts.sessions.engine.dispose()


def test_a_backup_holds_the_keys_wrapped_and_neither_master_nor_signing_key(clinic: Parts, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    manifest = backup(clinic.settings, taken, datetime.now(UTC))
    assert sorted(file.name for file in taken.iterdir()) == sorted([MANIFEST, RING, STORE])
    assert {file.stat().st_mode & 0o777 for file in taken.iterdir()} == {0o600}
    assert (taken / RING).read_bytes() == clinic.settings.ring_file.read_bytes()
    whole = b"".join(file.read_bytes() for file in taken.iterdir())
    assert clinic.settings.master_file.read_bytes().strip() not in whole
    padded = bytes(byte ^ 0x36 for byte in clinic.ring.signing.ljust(64, b"\0"))
    assert padded.hex().encode() not in whole
    assert manifest.counts["patient"] == 1
    assert manifest.anchors["larkmoor"].n == 1
    assert read(taken) == manifest


HARMS: tuple[tuple[Callable[[Path], object], str], ...] = (
    (lambda taken: (taken / MANIFEST).unlink(), "no backup, or one that was cut short"),
    (lambda taken: (taken / STORE).write_bytes(b"PGDMP"), "is not as it was written"),
    (lambda taken: (taken / RING).unlink(), "is missing"),
    (lambda taken: (taken / MANIFEST).write_text(json.dumps({"format": "other"})), "made by another release"),
)


def test_a_backup_that_was_changed_is_refused_and_nothing_is_written_over(clinic: Parts, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    backup(clinic.settings, taken, datetime.now(UTC))
    for number, (harm, words) in enumerate(HARMS):
        copy = shutil.copytree(taken, tmp_path / f"copy-{number}")
        harm(copy)
        with pytest.raises(Refused, match=words):
            read(copy)
    with pytest.raises(Refused, match="is not empty: name a new folder"):
        backup(clinic.settings, taken, datetime.now(UTC))
    with pytest.raises(Refused, match="is not empty: a backup is brought back into an empty one only"):
        restore(clinic.settings, taken)


def test_without_the_master_key_nothing_is_brought_back_and_a_role_that_sees_nothing_takes_nothing(
    cluster: Cluster, clinic: Parts, tmp_path: Path
) -> None:
    backup(clinic.settings, tmp_path / "taken", datetime.now(UTC))
    place = empty_place(cluster, clinic, tmp_path / "home")
    place.master_file.unlink()
    with pytest.raises(Refused, match="Put the master key at"):
        restore(place, tmp_path / "taken")
    assert not place.ring_file.exists()
    bound = clinic.settings.model_copy(update={"admin_url": clinic.settings.owner_url})
    with pytest.raises(Refused, match="give it BYPASSRLS"):
        backup(bound, tmp_path / "empty", datetime.now(UTC))
