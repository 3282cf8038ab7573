"""The message log: its list, one message, its raw bytes, and how a waiting one goes on."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from activities.records.audit_event import Action
from activities.records.message_log import Direction, MessageState
from activities.records.queries import messages
from activities.records.queries.messages import MessageLine
from activities.records.replay import Line, pending_line, reject_message, reopen_message
from activities.records.ring import KeyRing
from rules.access import Permission
from web.access import Person, current, requires, viewed
from web.fhir.store import StoreDoor
from web.operations.page import PERIODS
from web.operations.present import MessagePage, MessageRow, MessagesPage
from web.operations.views import begin_of
from web.operations.words import STATES, kind_words, way_words
from web.present import Act, moment_words
from web.referrals.present import Fact
from web.settings import parts
from web.signed_in import Clinic, clinic, frame
from web.tasks.asked import as_id

PAGE, POKE_SECONDS, LONGEST_REASON = 50, 4.0, 500


class MessagePages:
    """`ring` opens raw bytes; `door` has a line of messages filed."""

    def __init__(self, ring: KeyRing, door: StoreDoor) -> None:
        self._ring, self._door = ring, door

    @requires(Permission.OPERATIONS_READ)
    def show_all(self) -> str:
        """Messages of an interface, a direction, a standing and a period, newest first; no content."""
        person, now = current(), parts().clock()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            wanted = _filters(now, of)
            lines = messages.page(session, wanted, PAGE + 1, as_id(request.args.get("after", "")))
            total = messages.count(session, wanted)
            viewed(session, "MessageLog", [one.message.id for one in lines[:PAGE]], request.query_string.decode())
        page = _list(lines, total, person, now, of)
        return render_template("operations/messages.html", frame=frame("operations", of), page=page)

    @requires(Permission.OPERATIONS_READ)
    def show(self, message_id: UUID) -> str:
        return self._show(message_id)

    def _show(self, message_id: UUID, problem: str = "") -> str:
        person, now = current(), parts().clock()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            line = messages.message(session, message_id) or abort(404)
            viewed(session, "MessageLog", [message_id])
        page = _page(line, person, now, of, problem)
        return render_template("operations/message.html", frame=frame("operations", of), page=page)

    @requires(Permission.MESSAGE_RAW_READ)
    def raw(self, message_id: UUID) -> Response:
        """The bytes as they came or went, as plain text; each reading is on the audit."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            row = (messages.message(session, message_id) or abort(404)).message
            parts().auditor.write(
                session, person.context, Action.READ, "MessageLog", str(message_id), detail={"raw": True}
            )
            text = self._ring.open(row.raw, f"message:{row.id}", person.tenant).decode("utf-8", "replace")
        return Response(text, mimetype="text/plain")

    @requires(Permission.OPERATIONS_ACT)
    def replay(self, message_id: UUID) -> AnyResponse:
        """A waiting message is filed once more, in its patient's line."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            line = reopen_message(session, message_id)
            self._note(session, message_id, "replay" if line else "")
            line = line or pending_line(session, message_id)
        return self._poke(line, "filed")

    @requires(Permission.OPERATIONS_ACT)
    def reject(self, message_id: UUID) -> AnyResponse | tuple[str, int]:
        """A person says that a waiting message is not to be filed, and why."""
        reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
        if not reason:
            return self._show(message_id, "Say why it is rejected: the partner may ask."), 422
        with parts().sessions.begin(current().context) as session:
            line = reject_message(session, message_id, reason, parts().clock())
            self._note(session, message_id, "rejection" if line else "")
        return self._poke(line, "rejected")

    def _note(self, session: Session, message_id: UUID, act: str) -> None:
        if act:
            context = current().context
            parts().auditor.write(session, context, Action.EXECUTE, "MessageLog", str(message_id), detail={"act": act})

    def _poke(self, line: Line | None, done: str) -> AnyResponse:
        if line is None:
            return redirect("/operations?done=gone", 303)
        self._door.poke(current().tenant, str(line.interface_id), line.patient_key, POKE_SECONDS)
        return redirect(f"/operations?done={done}", 303)


def _filters(now: datetime, of: Clinic) -> messages.Filters:
    asked = request.args
    period = asked.get("period", "30")
    return messages.Filters(
        partner=as_id(asked.get("partner", "")),
        direction=asked.get("way", "") if asked.get("way") in set(Direction) else "",
        states=tuple(one for one in asked.getlist("state") if one in set(MessageState)),
        since=begin_of(period if period in PERIODS else "30", now, of.zone),
    )


def _list(lines: list[MessageLine], total: int, person: Person, now: datetime, of: Clinic) -> MessagesPage:
    shown = lines[:PAGE]
    kept = [(name, one) for name, one in request.args.items(multi=True) if name != "after"]
    more = f"/operations/messages?{urlencode([*kept, ('after', str(shown[-1].message.id))])}" if shown else ""
    states = [STATES[MessageState(one)].word for one in request.args.getlist("state") if one in set(MessageState)]
    return MessagesPage(
        title=f"Messages: {', '.join(states).lower()}" if states else "Messages",
        rows=tuple(_row(one, person, now, of) for one in shown),
        counted=f"{total} {'message' if total == 1 else 'messages'}",
        next_url=more if len(lines) > PAGE else "",
    )


def _row(line: MessageLine, person: Person, now: datetime, of: Clinic) -> MessageRow:
    message = line.message
    may_open = line.number and person.may(Permission.REFERRAL_READ)
    return MessageRow(
        url=f"/messages/{message.id}",
        at=moment_words(message.received_at, now, of.zone),
        way=way_words(message.direction),
        partner=line.partner or "No longer connected",
        kind=kind_words(message.kind),
        case=line.number,
        case_url=f"/referrals/{message.case_id}" if may_open else "",
        state=STATES[MessageState(message.state)],
        detail=message.detail,
    )


def _page(line: MessageLine, person: Person, now: datetime, of: Clinic, problem: str) -> MessagePage:
    message, row = line.message, _row(line, person, now, of)
    settled = moment_words(message.settled_at, now, of.zone) if message.settled_at else "Not yet"
    told = (
        ("Received" if message.direction == Direction.IN else "Made", row.at),
        ("Settled", settled),
        ("Kind", message.kind),
        ("Their id", message.external_id),
        ("SHA-256", message.content_hash.hex()),
        ("Case", line.number),
    )
    waits = message.state == MessageState.WAITING and message.direction == Direction.IN
    act = waits and message.settled_at is None and person.may(Permission.OPERATIONS_ACT)
    opens = (Act("Open case", row.case_url),) if row.case_url else ()
    retry = (Act("Retry", f"{row.url}/replay", "refresh", filled=True, posts=True),) if act else ()
    return MessagePage(
        title=f"{row.kind} {row.way.lower()} {row.partner}",
        state=row.state,
        facts=tuple(Fact(label, (words,)) for label, words in told if words),
        cause=message.detail,
        raw_url=f"{row.url}/raw" if person.may(Permission.MESSAGE_RAW_READ) else "",
        acts=(*retry, *opens),
        rejection_url=f"{row.url}/rejection" if act else "",
        problem=problem,
    )


def create_messages(ring: KeyRing, door: StoreDoor) -> Blueprint:
    """The message log's pages, to be registered by the application."""
    pages = MessagePages(ring, door)
    blueprint = Blueprint("messages", __name__, template_folder="templates")
    blueprint.add_url_rule("/operations/messages", "show_all", pages.show_all)
    blueprint.add_url_rule("/messages/<uuid:message_id>", "show", pages.show)
    blueprint.add_url_rule("/messages/<uuid:message_id>/raw", "raw", pages.raw)
    blueprint.add_url_rule("/messages/<uuid:message_id>/replay", "replay", pages.replay, methods=["POST"])
    blueprint.add_url_rule("/messages/<uuid:message_id>/rejection", "reject", pages.reject, methods=["POST"])
    return blueprint
