"""The pages of documents with the real store, and an engine that gives the answer it is told to."""

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from io import BytesIO
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from temporalio.client import Client
from werkzeug.test import TestResponse

from activities.records.audit_event import AuditEvent
from activities.records.decision import Decision, Outcome
from activities.records.document_inbox import Ledger, ledger
from activities.records.document_reference import DocumentReference
from activities.records.sessions import Context
from activities.records.values import load
from infra.bootstrap import Parts
from rules.referral.vocabulary import Facts
from tests import make
from tests.web.clinic import Browser, WebClinic, probe
from web.client import Engine
from web.decisions import Desk
from web.documents.views import create_documents
from web.handover import Answer, Fate
from web.referrals.views import create_referrals
from web.tasks.views import create_tasks

T = TypeVar("T")
NADIA, IMKE = "nadia.ferro-lund", "imke.dallowick"


class Answering(Engine):
    """Answers every hand-over alike and counts them; no engine is behind it.

    What it says is applied is settled in the store, as a step's own transaction does.
    """

    def __init__(self, parts: Parts, answer: Answer) -> None:
        super().__init__(self._nobody)
        self._parts, self.answer, self.asked = parts, answer, 0

    def run(self, work: Callable[[Client], Coroutine[Any, Any, T]], seconds: float) -> T:
        self.asked += 1
        if self.answer.fate is Fate.APPLIED:
            with self._parts.sessions.begin(make.LARKMOOR) as session:
                session.execute(update(Decision).where(Decision.outcome.is_(None)).values(outcome=Outcome.APPLIED))
        return self.answer  # type: ignore[return-value]

    async def _nobody(self) -> Client:
        raise AssertionError("no engine in this test")


def nobody_asked(
    session: Session, context: Context, case_id: UUID, key: str, action: str, why: str, at: datetime
) -> None:
    """No review task is opened here."""


class DocumentDesk:
    """One person's browser on the documents of her clinic."""

    def __init__(self, clinic: WebClinic, person: str = NADIA, answer: Answer = Answer(Fate.APPLIED)) -> None:  # noqa: B008
        self.clinic, self.parts = clinic, clinic.parts
        self.engine = Answering(self.parts, answer)
        desk = Desk(self.parts.sessions, self.parts.ring, self.engine, nobody_asked)
        ring = self.parts.ring
        pages = [create_documents(desk, ring), create_referrals(desk, ring), create_tasks()]
        self.app = clinic.build([probe(), *pages])
        self.browser: Browser = clinic.browser(self.app)
        assert self.browser.sign_in(person).status_code == 303

    def get(self, address: str) -> TestResponse:
        return self.browser.get(address)

    def post(self, address: str, **form: Any) -> TestResponse:
        """With the page's form token; `for_` is sent as `for`."""
        named = {name.rstrip("_"): value for name, value in form.items()}
        return self.browser.post(address, {"csrf_token": self.browser.token(), "token": str(uuid4())} | named)

    def file(self, file_id: UUID, *pages: int, **form: Any) -> TestResponse:
        return self.post(f"/documents/inbox/{file_id}/filing", page=[str(one) for one in pages], **form)

    def upload(self, address: str, *files: tuple[str, bytes], **form: Any) -> TestResponse:
        sent = [(BytesIO(data), name) for name, data in files]
        return self.post(address, file=sent, **form)

    def documents(self) -> list[DocumentReference]:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(select(DocumentReference).order_by(DocumentReference.id)))

    def decided(self) -> list[tuple[UUID, str, Facts]]:
        """What was decided: id, step and facts."""
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            rows = list(session.scalars(select(Decision)))
        ring = self.parts.ring
        return [(one.id, one.name, load(Facts, ring.open(one.arguments, f"decision:{one.id}"))) for one in rows]

    def ledger(self) -> Ledger:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return ledger(session)

    def seen(self, entity: str) -> list[dict[str, object]]:
        """What the audit says was shown of an entity, in order."""
        said = select(AuditEvent.detail).where(AuditEvent.entity == entity, AuditEvent.action == "R")
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return list(session.scalars(said.order_by(AuditEvent.recorded_at)))


def words(page: TestResponse) -> str:
    """The page's text without tags, in single spaces."""
    plain = re.sub(r"<(script|style|svg).*?</\1>|<[^>]+>", " ", page.text, flags=re.DOTALL)
    return " ".join(plain.replace("&#39;", "'").split())
