"""The inbox's pages: the list, one file, turning, filing and rejecting its pages."""

from uuid import UUID

from flask import Response, abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from activities.formats.scan import ScanRefused
from activities.records.document_inbox import (
    DocumentInbox,
    Filing,
    PagesTaken,
    file_pages,
    ledger,
    reject_pages,
    return_pages,
    see_problem,
    turn_page,
)
from activities.records.document_reference import DocumentType, open_content
from activities.records.queries.inbox import open_with, pages_of, sender_of, suggestions, waiting_list
from activities.records.ring import KeyRing
from rules.access import Permission
from web.access import current, requires, viewed
from web.documents.asked import Asked, Refused, Target, read
from web.documents.file_page import file_view
from web.documents.filing import Reports, notice_of
from web.documents.inbox_page import inbox_view
from web.documents.pictures import download, picture
from web.documents.present import Notice
from web.documents.words import REJECTION_WORDS, TYPE_WORDS
from web.settings import parts
from web.signed_in import clinic, frame

NOTHING_WRONG = Refused()
TAKEN = "Somebody has filed or rejected one of these pages meanwhile. Look at what still waits."


class InboxPages:
    """`reports` tells a referral of its consult note; `ring` opens what is shown."""

    def __init__(self, reports: Reports, ring: KeyRing) -> None:
        self._reports, self._ring = reports, ring

    @requires(Permission.DOCUMENT_READ)
    def show(self) -> str:
        """Everything that waits, the oldest first, and the ledger."""
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            files = waiting_list(session)
            viewed(session, "DocumentInbox", [one.file.id for one in files])
            notice = _filed(session)
            likely = open_with(session, {one.sender.id for one in files if one.sender})
            balance = ledger(session)
        page = inbox_view(files, likely, balance, current(), parts().clock(), of.zone, notice)
        return render_template("documents/inbox.html", frame=frame("documents", of), page=page)

    @requires(Permission.DOCUMENT_READ)
    def file(self, file_id: UUID) -> str:
        return self._page(file_id, Asked.nothing())

    @requires(Permission.DOCUMENT_READ)
    def suggest(self, file_id: UUID) -> str:
        """The same page with the cases and patients that the words name; nothing is kept."""
        return self._page(file_id, read(request.form))

    @requires(Permission.DOCUMENT_WRITE)
    def turn(self, file_id: UUID) -> str:
        """Turns one page; what was typed and chosen stays."""
        number, _, rotation = request.form.get("turn", "").partition(":")
        if not number.isdecimal() or rotation not in ("0", "90", "180", "270"):
            abort(400)
        with parts().sessions.begin(current().context) as session:
            turn_page(session, _file(session, file_id).id, int(number), int(rotation))
        return self._page(file_id, read(request.form))

    @requires(Permission.DOCUMENT_WRITE)
    def take(self, file_id: UUID) -> str | AnyResponse | tuple[str, int]:
        """Files the chosen pages as one document; a consult note then moves its referral."""
        asked = read(request.form)
        refused = asked.lacks()
        if refused:
            return self._page(file_id, asked, refused), 422
        try:
            case_id = self._take(file_id, asked)
        except PagesTaken:
            return self._page(file_id, asked, Refused(problem=TAKEN)), 409
        except ScanRefused as why:
            return self._page(file_id, asked, Refused(problem=str(why))), 422
        if case_id and asked.type:
            self._reports.tell(asked.token, case_id, asked.type)
        return self._on(file_id, f"?filed={asked.token}")

    def _take(self, file_id: UUID, asked: Asked) -> UUID | None:
        """Files them in one transaction; answers the case they belong to."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            target = asked.target(session) or abort(404)
            file_pages(session, self._ring, person.context, _filing(_file(session, file_id).id, asked, target))
        return target.case_id

    @requires(Permission.DOCUMENT_WRITE)
    def reject(self, file_id: UUID) -> str | AnyResponse | tuple[str, int]:
        """Puts the chosen pages aside for a reason."""
        asked, reason = read(request.form), request.form.get("reason", "")
        if reason not in REJECTION_WORDS or not asked.pages:
            return self._page(file_id, asked, _no_reason(reason, asked)), 422
        person = current()
        try:
            with parts().sessions.begin(person.context) as session:
                reject_pages(session, self._ring, person.context, _file(session, file_id).id, asked.pages, reason)
        except PagesTaken:
            return self._page(file_id, asked, Refused(problem=TAKEN)), 409
        return self._on(file_id)

    @requires(Permission.DOCUMENT_WRITE)
    def give_back(self, file_id: UUID, number: int) -> AnyResponse:
        """Lets a rejected page wait again; one that waits already is left as it is."""
        person = current()
        try:
            with parts().sessions.begin(person.context) as session:
                return_pages(session, self._ring, person.context, _file(session, file_id).id, (number,))
        except PagesTaken:
            pass
        return redirect(f"/documents/inbox/{file_id}", 303)

    @requires(Permission.DOCUMENT_WRITE)
    def see(self, file_id: UUID) -> AnyResponse:
        """Somebody has seen to a file that could not be read."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            see_problem(session, self._ring, person.context, _file(session, file_id).id)
        return redirect("/documents", 303)

    @requires(Permission.DOCUMENT_READ)
    def picture(self, file_id: UUID, number: int) -> Response:
        """One page as it is to be filed."""
        with parts().sessions.begin(current().context) as session:
            file = _file(session, file_id)
            shown = next((one.page for one in pages_of(session, file.id) if one.page.number == number), None)
            if shown is None:
                abort(404)
            viewed(session, "InboxPage", [shown.id])
            data = open_content(session, self._ring, current().context, file.hash)
        return picture(data, number, shown.rotation)

    @requires(Permission.DOCUMENT_READ)
    def original(self, file_id: UUID) -> Response:
        """The file as it came."""
        with parts().sessions.begin(current().context) as session:
            file = _file(session, file_id)
            viewed(session, "DocumentInbox", [file.id], "download")
            data = open_content(session, self._ring, current().context, file.hash)
        return download(data, file.content_type, f"received-{file.received_at:%Y-%m-%d}", file.name)

    def _on(self, file_id: UUID, said: str = "") -> AnyResponse:
        """To the file while pages of it wait, else to what is next."""
        with parts().sessions.begin(current().context) as session:
            waits = any(one.page.at is None for one in pages_of(session, file_id))
        return redirect((f"/documents/inbox/{file_id}" if waits else "/documents") + said, 303)

    def _page(self, file_id: UUID, asked: Asked, refused: Refused = NOTHING_WRONG) -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            file = _file(session, file_id)
            viewed(session, "DocumentInbox", [file.id])
            sender = sender_of(session, file.received_from)
            found = suggestions(session, file.received_from, asked.words)
            named = {one.patient.id for one in found.cases} | {one.id for one in found.patients}
            if named:
                viewed(session, "Patient", sorted(named), "suggestions for a received file")
            pages, notice = pages_of(session, file.id), _filed(session)
        view = file_view(file, sender, pages, found, asked, refused, current(), parts().clock(), of.zone, notice)
        return render_template("documents/file.html", frame=frame("documents", of), page=view)


def _file(session: Session, file_id: UUID) -> DocumentInbox:
    return session.get(DocumentInbox, file_id) or abort(404)


def _filed(session: Session) -> Notice | None:
    """What the filing that led here has done."""
    try:
        return notice_of(session, UUID(request.args["filed"]))
    except (KeyError, ValueError):
        return None


def _filing(file_id: UUID, asked: Asked, target: Target) -> Filing:
    kind = asked.type or DocumentType.OTHER
    title = asked.title or TYPE_WORDS[kind]
    return Filing(asked.token, file_id, asked.pages, kind, title, target.patient_id, target.case_id)


def _no_reason(reason: str, asked: Asked) -> Refused:
    return Refused(
        pages="" if asked.pages else "Select the pages to reject.",
        reason="" if reason in REJECTION_WORDS else "Say why they are rejected.",
    )
