"""What leaves on paper: the packet of a referral as it would be faxed now, and its letters."""

from uuid import UUID

from flask import Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from activities.formats.pdf.render import render
from activities.formats.scan import ScanType, read
from activities.records.as_paper import paper_packet, sender
from activities.records.document_reference import DocumentType, NewDocument, Source, store_document
from activities.records.queries.case import find
from activities.records.ring import KeyRing
from rules.access import Permission
from web.access import current, requires, viewed
from web.documents import letters
from web.documents.pictures import download
from web.documents.present import LetterView
from web.referrals.page import banner
from web.settings import parts
from web.signed_in import clinic, frame


class PaperPages:
    """`ring` opens the documents that go with a packet, and seals the letters that are made."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @requires(Permission.DOCUMENT_READ)
    def packet(self, case_id: UUID) -> Response:
        """Cover, request and enclosures as they would go out now; nothing is kept or sent."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            case = find(session, case_id) or abort(404)
            viewed(session, "ServiceRequest", [case_id], "packet")
            made = paper_packet(session, self._ring, person.context, case.request, case.partner, parts().clock())
        return download(made.data, ScanType.PDF, f"packet-{case.request.number}")

    @requires(Permission.DOCUMENT_WRITE)
    def choose(self, case_id: UUID) -> str:
        """The letters one may write."""
        return self._page(case_id)

    @requires(Permission.DOCUMENT_WRITE)
    def ask(self, case_id: UUID, letter: str) -> str:
        return self._page(case_id, _known(letter))

    @requires(Permission.DOCUMENT_WRITE)
    def make(self, case_id: UUID, letter: str) -> str | AnyResponse | tuple[str, int]:
        """Makes a letter once for each form, and keeps it as a document of the case."""
        token, errors = _token(), self._make(case_id, _known(letter), _token())
        if errors:
            return self._page(case_id, letter, errors), 422
        return redirect(f"/documents/{token}", 303)

    def _make(self, case_id: UUID, letter: str, token: UUID) -> dict[str, str]:
        person, now = current(), parts().clock()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            case = find(session, case_id) or abort(404)
            if letters.lacks(case, letters.SLUGS[letter]):
                abort(409)
            ours = sender(session, case.request.site)
            written = letters.write(case, letter, request.form, ours, person, now, of.zone)
            if written.errors:
                return dict(written.errors)
            data = render(written.paper, now)
            new = NewDocument(
                type=DocumentType.OTHER,
                title=written.title,
                content_type=ScanType.PDF,
                pages=read(data).pages,
                source=Source.OURS,
                received_at=now,
                patient_id=case.patient.id,
                case_id=case_id,
                author=person.context.actor,
                id=token,
            )
            store_document(session, self._ring, person.context, new, data)
        return {}

    def _page(self, case_id: UUID, letter: str = "", errors: dict[str, str] | None = None) -> str:
        with parts().sessions.begin(current().context) as session:
            of = clinic(session)
            case = find(session, case_id) or abort(404)
            viewed(session, "ServiceRequest", [case_id], "letters")
        url = f"/referrals/{case_id}/letters"
        form = letters.form_view(case, letter, url, request.form, errors) if letter else None
        page = LetterView(
            title=f"Letter for {case.request.number}",
            patient=banner(case.chart, parts().clock().astimezone(of.zone).date()),
            back_url=url if letter else f"/referrals/{case_id}",
            groups=letters.choices(case, url),
            form=form,
        )
        return render_template("documents/letters.html", frame=frame("referrals", of), page=page)


def _known(letter: str) -> str:
    return letter if letter in letters.SLUGS else abort(404)


def _token() -> UUID:
    try:
        return UUID(request.form["token"])
    except (KeyError, ValueError):
        abort(400)
