from dataclasses import replace

import pytest

from activities.records.account import Account, Grant, by_subject, grant
from activities.records.base import new_id
from infra.bootstrap import Parts
from tests.make import clinics

NADIA = Grant(
    tenant="larkmoor",
    issuer="http://127.0.0.1:4444",
    subject="nadia.ferro-lund",
    name="Nadia Ferro-Lund",
    email="nadia.ferro-lund@larkmoor.example",
    roles=("referral_coordinator",),
    sites=("boise",),
)


def test_granting_twice_changes_the_one_account(parts: Parts) -> None:
    clinics(parts)
    with parts.sessions.platform() as session:
        first = grant(session, NADIA)
    with parts.sessions.platform() as session:
        again = grant(session, replace(NADIA, roles=("nurse",)))
        account = session.get_one(Account, first)

    assert again == first
    assert account.roles == ["nurse"] and account.sites == ["boise"] and account.active


def test_an_account_moves_with_its_id_when_the_issuers_address_changes(parts: Parts) -> None:
    clinics(parts)
    identity = new_id()
    with parts.sessions.platform() as session:
        grant(session, NADIA, identity)
    moved = replace(NADIA, issuer="http://127.0.0.1:5555")
    with parts.sessions.platform() as session:
        assert grant(session, moved, identity) == identity
        assert by_subject(session, NADIA.issuer, NADIA.subject) is None


def test_an_account_never_changes_its_clinic(parts: Parts) -> None:
    clinics(parts)
    with parts.sessions.platform() as session:
        grant(session, NADIA)
    with pytest.raises(ValueError, match="already belongs to larkmoor"), parts.sessions.platform() as session:
        grant(session, replace(NADIA, tenant="heronfield"))
