"""All checks over all clinics. What is found must still hold a moment later: a running platform is never at rest."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from activities.records.sessions import Context, Purpose
from activities.records.tenant import Tenant
from infra.bootstrap import Parts
from infra.verify import audit, effects, engine, ledger, next_action, settled, task_versions
from infra.verify.finding import Check, Clinic, Finding
from web.client import Engine
from workflows.contracts.people import SYSTEM

CHECKS: Mapping[str, Check] = {
    "ledger": ledger.check,
    "settled": settled.check,
    "effects": effects.check,
    "next-action": next_action.check,
    "engine": engine.check,
    "task-versions": task_versions.check,
    "audit": audit.check,
}
MOMENT = 1.5


@dataclass(frozen=True)
class Violation:
    """A finding with the check and the clinic it belongs to."""

    check: str
    tenant: str
    subject: str
    words: str


def violations(parts: Parts, engine: Engine, moment: float = MOMENT) -> list[Violation]:
    """Everything that is wrong now and was wrong `moment` seconds before."""
    first = _look(parts, engine)
    if not first:
        return []
    time.sleep(moment)
    before = {(one.check, one.tenant, one.subject) for one in first}
    return [one for one in _look(parts, engine) if (one.check, one.tenant, one.subject) in before]


def _look(parts: Parts, engine: Engine) -> list[Violation]:
    with parts.sessions.platform() as session:
        tenants = list(session.scalars(select(Tenant.id).order_by(Tenant.id)))
    return [
        Violation(name, tenant, found.subject, found.words)
        for tenant in tenants
        for name in CHECKS
        for found in _check(parts, engine, tenant, CHECKS[name])
    ]


def _check(parts: Parts, engine: Engine, tenant: str, check: Check) -> list[Finding]:
    with parts.sessions.begin(Context(tenant, SYSTEM, Purpose.OPERATIONS)) as session:
        return list(check(Clinic(tenant, session, parts.sessions, parts.ring, engine)))
