"""The real application over a furnished store, read by Flask's own client: no browser, the same cookies and tokens."""

import re
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from activities.records.audit_event import AuditEvent
from infra.bootstrap import Parts
from tests import make
from tests.pages.real_clinic import RealClinic, application, furnish

ADDRESS = "http://localhost"


class Reader:
    """Somebody signed in; `clinic` names what there is."""

    def __init__(self, app: Flask, clinic: RealClinic, name: str) -> None:
        self._client, self.clinic = app.test_client(), clinic
        self._client.set_cookie("careloop_pages", clinic.session(name))

    def get(self, address: str) -> TestResponse:
        return self._client.get(self.clinic.told(address), buffered=True)

    def post(self, address: str, **form: Any) -> TestResponse:
        page = self._client.get("/session")
        assert page.status_code < 400
        return self._client.post(self.clinic.told(address), data={"csrf_token": self.token(), **form})

    def token(self) -> str:
        """The form token, as any page of hers carries it."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self._client.get("/queue").text)
        assert found is not None
        return found[1]


class Shown:
    """A furnished clinic and its application; `as_(name)` signs somebody in."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.clinic = furnish(parts)
        self.clinic.address = ADDRESS
        self._app = application(parts, ADDRESS)
        self._app.testing = False

    def as_(self, name: str = "Nadia Ferro-Lund") -> Reader:
        return Reader(self._app, self.clinic, name)

    def audited(self, entity: str) -> list[AuditEvent]:
        """The audit events about a kind of record, oldest first."""
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            query = select(AuditEvent).where(AuditEvent.entity == entity).order_by(AuditEvent.recorded_at)
            return list(session.scalars(query))
