"""One document on file: shown page by page, downloaded, marked as filed in error."""

from uuid import UUID, uuid4

from flask import Response, abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from activities.records.account import Account
from activities.records.document_inbox import unfile_document
from activities.records.document_reference import DocumentReference, DocumentStatus, open_document
from activities.records.queries.summary import summary
from activities.records.ring import KeyRing
from activities.records.service_request import ServiceRequest
from rules.access import Permission
from web.access import current, requires, viewed
from web.documents.document_page import document_view, named
from web.documents.filing import notice_of
from web.documents.pictures import download, picture
from web.fields import FieldGroup, FieldKind, FieldView, FormView
from web.settings import parts
from web.signed_in import clinic, frame

LONGEST_REASON = 400


class DocumentPages:
    """`ring` opens the bytes that are shown."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @requires(Permission.DOCUMENT_READ)
    def show(self, document_id: UUID) -> str:
        return self._page(document_id)

    @requires(Permission.DOCUMENT_READ)
    def picture(self, document_id: UUID, number: int) -> Response:
        """One page."""
        return picture(self._open(document_id, f"page {number}")[1], number)

    @requires(Permission.DOCUMENT_READ)
    def download(self, document_id: UUID) -> Response:
        """The document to be saved or printed; its name says no patient's."""
        row, data = self._open(document_id, "download")
        return download(data, row.content_type, f"{row.type}-{row.received_at:%Y-%m-%d}-{row.id.hex[-6:]}")

    @requires(Permission.DOCUMENT_WRITE)
    def ask_withdrawal(self, document_id: UUID) -> str:
        """The question why it was filed in error."""
        return self._page(document_id, _withdrawal(document_id))

    @requires(Permission.DOCUMENT_WRITE)
    def withdraw(self, document_id: UUID) -> str | AnyResponse | tuple[str, int]:
        """Marks it as filed in error; its pages go back to the inbox they came from."""
        reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
        if not reason:
            return self._page(document_id, _withdrawal(document_id, "Say what was wrong.")), 422
        person = current()
        with parts().sessions.begin(person.context) as session:
            if session.get(DocumentReference, document_id) is None:
                abort(404)
            file_id = unfile_document(session, self._ring, person.context, document_id, reason)
        return redirect(f"/documents/inbox/{file_id}" if file_id else f"/documents/{document_id}", 303)

    def _open(self, document_id: UUID, query: str) -> tuple[DocumentReference, bytes]:
        with parts().sessions.begin(current().context) as session:
            opened = open_document(session, self._ring, current().context, document_id) or abort(404)
            viewed(session, "DocumentReference", [document_id], query)
        return opened.row, opened.data

    def _page(self, document_id: UUID, form: FormView | None = None) -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            row = session.get(DocumentReference, document_id) or abort(404)
            viewed(session, "DocumentReference", [document_id])
            chart = summary(session, row.patient_id) if row.patient_id else None
            case = session.get(ServiceRequest, row.case_id) if row.case_id else None
            notice = notice_of(session, document_id) if "filed" in request.args else None
            author = _author(session, row)
        shown = form if row.status == DocumentStatus.CURRENT else None
        view = document_view(row, chart, case, author, shown, notice, current(), parts().clock(), of.zone)
        return render_template("documents/document.html", frame=frame("documents", of), page=view)


def _author(session: Session, row: DocumentReference) -> str:
    """Who filed or made it, by name."""
    identity = named(row.author)
    account = session.get(Account, identity) if identity else None
    return account.name if account else "Careloop" if row.author == "system" else ""


def _withdrawal(document_id: UUID, error: str = "") -> FormView:
    field = FieldView("reason", "What was wrong?", FieldKind.LONG_TEXT, error=error, longest=LONGEST_REASON)
    return FormView(
        title="Filed in error",
        url=f"/documents/{document_id}/withdrawal",
        submit="Take it out of the chart",
        groups=(FieldGroup((field,)),),
        sends=(("token", str(uuid4())),),
        icon="file-x",
        words="The document stays on file and is marked. Pages that came by fax or upload wait in the inbox again.",
        cancel_url=f"/documents/{document_id}",
    )
