"""Files sent up by hand: into the inbox, or straight to a case."""

from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import abort, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from activities.formats import scan
from activities.records.document_inbox import Incoming, Received, receive_file
from activities.records.document_reference import NewDocument, Source, store_document
from activities.records.queries.case import Case, find
from activities.records.ring import KeyRing
from rules.access import Permission
from web.access import current, requires, viewed
from web.documents.asked import LONGEST_TITLE, kind_of
from web.documents.filing import Reports
from web.documents.present import Notice, UploadView
from web.documents.words import TYPE_WORDS, TYPES
from web.fields import FieldKind, FieldView
from web.referrals.page import banner
from web.settings import parts
from web.signed_in import clinic, frame

MOST_FILES = 20
CHOOSE = "Choose a file."
INTO_INBOX = "They wait in the inbox until somebody says whose they are."


class UploadPages:
    """`reports` tells a referral of its consult note; `ring` seals what comes."""

    def __init__(self, reports: Reports, ring: KeyRing) -> None:
        self._reports, self._ring = reports, ring

    @requires(Permission.DOCUMENT_WRITE)
    def ask(self) -> str:
        return self._inbox_page()

    @requires(Permission.DOCUMENT_WRITE)
    def upload(self) -> str | AnyResponse | tuple[str, int]:
        """Takes files into the inbox; of each that is there already, or cannot be read, the page says so."""
        files = [one for one in request.files.getlist("file") if one.filename][:MOST_FILES]
        if not files:
            return self._inbox_page(CHOOSE), 422
        taken = [self._receive(one) for one in files]
        if len(taken) == 1 and not taken[0][1].problem:
            return redirect(f"/documents/inbox/{taken[0][1].file_id}", 303)
        if all(not got.problem and not got.known for _, got in taken):
            return redirect("/documents", 303)
        return self._inbox_page(notices=tuple(_said(name, got) for name, got in taken))

    def _receive(self, file: FileStorage) -> tuple[str, Received]:
        person, name = current(), (file.filename or "")[-120:]
        incoming = Incoming(Source.UPLOAD, parts().clock(), "", name)
        with parts().sessions.begin(person.context) as session:
            return name, receive_file(session, self._ring, person.context, incoming, file.read())

    @requires(Permission.DOCUMENT_WRITE)
    def ask_attachment(self, case_id: UUID) -> str:
        return self._case_page(case_id)

    @requires(Permission.DOCUMENT_WRITE)
    def attach(self, case_id: UUID) -> str | AnyResponse | tuple[str, int]:
        """Files one upload straight to a case; a consult note then moves its referral."""
        kind, file = kind_of(request.form), request.files.get("file")
        if kind is None or file is None or not file.filename:
            missing = "" if file and file.filename else CHOOSE
            return self._case_page(case_id, missing, "" if kind else "Say what it is."), 422
        data, token = file.read(), _token()
        try:
            looked = scan.read(data)
        except scan.ScanRefused as refused:
            return self._case_page(case_id, str(refused)), 422
        title = request.form.get("title", "").strip()[:LONGEST_TITLE] or TYPE_WORDS[kind]
        new = NewDocument(kind, title, looked.content_type, looked.pages, Source.UPLOAD, parts().clock(), id=token)
        self._store(case_id, new, data)
        self._reports.tell(token, case_id, kind)
        return redirect(f"/documents/{token}?filed=1", 303)

    def _store(self, case_id: UUID, new: NewDocument, data: bytes) -> None:
        person = current()
        with parts().sessions.begin(person.context) as session:
            case = find(session, case_id) or abort(404)
            whose = {"patient_id": case.patient.id, "case_id": case_id, "author": person.context.actor}
            store_document(session, self._ring, person.context, NewDocument(**(vars(new) | whose)), data)

    def _inbox_page(self, error: str = "", notices: tuple[Notice, ...] = ()) -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
        page = UploadView(
            "Upload documents",
            "/documents/upload",
            "Upload",
            INTO_INBOX,
            str(uuid4()),
            "/documents",
            several=True,
            error=error,
            notices=notices,
        )
        return render_template("documents/upload.html", frame=frame("documents", of), page=page)

    def _case_page(self, case_id: UUID, error: str = "", kind_error: str = "") -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            case = find(session, case_id) or abort(404)
            viewed(session, "ServiceRequest", [case_id], "attach a document")
        page = _attachment(case, parts().clock(), of.zone, error, kind_error)
        return render_template("documents/upload.html", frame=frame("documents", of), page=page)


def _attachment(case: Case, now: datetime, zone: ZoneInfo, error: str, kind_error: str) -> UploadView:
    given = request.form
    kind = kind_of(given)
    return UploadView(
        title=f"Add a document to {case.request.number}",
        url=f"/referrals/{case.request.id}/attachments",
        submit="Add the document",
        words=f"It is filed to {case.request.service}, {case.partner.name}. A consult note is recorded as the report.",
        token=given.get("token") or str(uuid4()),
        back_url=f"/referrals/{case.request.id}",
        fields=(
            FieldView("type", "What is it?", FieldKind.CHOICE, (str(kind),) if kind else (), TYPES, error=kind_error),
            FieldView("title", "Title", values=(given.get("title", ""),), required=False, longest=LONGEST_TITLE),
        ),
        patient=banner(case.chart, now.astimezone(zone).date()),
        error=error,
    )


def _said(name: str, got: Received) -> Notice:
    """What became of one of several files."""
    link = f"/documents/inbox/{got.file_id}"
    if got.problem:
        return Notice(f"{name} is kept, but cannot be filed. {got.problem}", warn=True)
    if got.known:
        return Notice(f"{name} was here already.", link, "Open it")
    return Notice(f"{name} is in the inbox.", link, "Open it")


def _token() -> UUID:
    try:
        return UUID(request.form["token"])
    except (KeyError, ValueError):
        abort(400)
