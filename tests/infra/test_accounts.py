"""People come with roles and leave with everything given back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from activities.records import web_session
from activities.records.account import Account, Grant
from activities.records.audit_event import AuditEvent
from activities.records.base import new_id
from activities.records.task import Task
from activities.records.web_session import Proof
from infra.accounts import Left, accounts, grant_roles, leave
from infra.bootstrap import Parts
from infra.cli.main import assemble
from infra.refusal import Refused
from tests import make

ISSUER, OPERATOR = "https://id.example", "operator:ines"


def given(tenant: str = "larkmoor", role: str = "nurse") -> Grant:
    return Grant(tenant, ISSUER, "sub-1", "Ines Valdemar", "ines@larkmoor.example", (role,))


def open_task(parts: Parts, owner: object) -> object:
    identity = new_id()
    row = Task(
        id=identity,
        tenant="larkmoor",
        workflow_id=f"larkmoor:task:{identity}",
        case_id=identity,
        kind="referral",
        number="R-1",
        action="Call",
        why="",
        stage="triage",
        priority="routine",
        rank=1,
        pool="nurse",
        owner=owner,
        due_at=make.NOW,
        opened_at=make.NOW,
        opened_key="k",
    )
    with parts.sessions.begin(make.LARKMOOR) as session:
        session.add(row)
    return identity


def test_a_person_who_leaves_is_signed_out_and_her_tasks_go_back_to_their_pools(parts: Parts) -> None:
    make.clinics(parts)
    assert grant_roles(parts, OPERATOR, given())
    (account,) = accounts(parts)
    other = make.account(parts, "other", "nurse")
    hers, theirs = open_task(parts, account.id), open_task(parts, other)
    make.member(parts, "nurse", account.id)
    now = datetime.now(UTC)
    with parts.sessions.begin(make.LARKMOOR) as session:
        row = session.get_one(Account, account.id)
        token = web_session.start(session, row, Proof(now), now, timedelta(hours=1))
    assert leave(parts, OPERATOR, "INES@larkmoor.example") == Left(sessions=1, tasks=1, pools=1)
    with parts.sessions.begin(make.LARKMOOR) as session:
        assert session.get_one(Task, hers).owner is None
        assert session.get_one(Task, theirs).owner == other
        assert web_session.find(session, token) is None
        told = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Account")).all()
    assert [(one.action, one.actor) for one in told] == [("C", OPERATOR), ("U", OPERATOR)]
    assert not next(one for one in accounts(parts, "larkmoor") if one.id == account.id).active


def test_granting_again_replaces_the_roles_and_lets_her_back_in(parts: Parts) -> None:
    make.clinics(parts)
    grant_roles(parts, OPERATOR, given())
    leave(parts, OPERATOR, "ines@larkmoor.example")
    assert not grant_roles(parts, OPERATOR, given(role="clinician"))
    (account,) = accounts(parts)
    assert (account.roles, account.active) == (["clinician"], True)


WRONG = (
    (given(role="chef"), "There is no role chef. The roles are: front_desk"),
    (given(tenant="nowhere"), "There is no clinic nowhere"),
    (given(tenant="heronfield"), "belongs to larkmoor already"),
    (Grant("larkmoor", "", "s", "n", "e", ("nurse",)), "set CARELOOP_OIDC_ISSUER"),
)


def test_what_cannot_be_granted_is_said_in_words(parts: Parts) -> None:
    make.clinics(parts)
    grant_roles(parts, OPERATOR, given())
    for wanted, words in WRONG:
        with pytest.raises(Refused, match=words):
            grant_roles(parts, OPERATOR, wanted)


def test_the_commands_speak_plainly(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    make.clinics(parts)
    for name in ("home", "database_url"):
        monkeypatch.setenv(f"CARELOOP_{name.upper()}", str(getattr(parts.settings, name)))
    run = CliRunner()
    who = ("user", "grant", "a@larkmoor.example", "--tenant", "larkmoor", "--role", "nurse", "--issuer", ISSUER)
    assert "a@larkmoor.example may sign in at larkmoor: nurse." in run.invoke(assemble(), who).output
    assert "a@larkmoor.example" in run.invoke(assemble(), ["user", "list"]).output
    left = run.invoke(assemble(), ["user", "leave", "nobody@larkmoor.example"])
    assert (left.exit_code, left.output) == (1, "careloop: Nobody here has the address nobody@larkmoor.example.\n")
