"""Operations: how the platform runs, and how what stopped goes on."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, redirect, render_template, request
from temporalio.client import Client
from temporalio.service import RPCError
from werkzeug.wrappers import Response

from activities.records.audit_event import Action
from activities.records.queries import operations
from activities.records.replay import reopen_decision
from rules.access import Permission
from web.access import current, requires, viewed
from web.client import Engine
from web.decisions import Desk
from web.live import LIVE, Live
from web.operations.page import PERIODS, Read, operations_page
from web.settings import parts
from web.signed_in import clinic, frame

ENGINE_SECONDS = 2.0


class OperationsPages:
    """`desk` hands decisions over again; `engine` is asked whether it answers."""

    def __init__(self, desk: Desk, engine: Engine) -> None:
        self._desk, self._engine = desk, engine

    @requires(Permission.OPERATIONS_READ)
    def show(self) -> str:
        """Ledgers of a period, what stopped, and where cases wait now."""
        person, now, period = current(), parts().clock(), request.args.get("period", "today")
        period = period if period in PERIODS else "today"
        engine = self._engine_answers()
        with parts().sessions.begin(person.context) as session:
            of = clinic(session)
            since = begin_of(period, now, of.zone)
            read = Read(
                operations.ledgers(session, since),
                operations.stopped(session),
                operations.waits(session, now),
                operations.backlog(session),
                operations.promises(session, now),
                engine,
                streams(),
            )
            viewed(session, "Operations", [one.id for one in read.stopped], request.query_string.decode())
        page = operations_page(read, period, since, person, now, of, NOTICES.get(request.args.get("done", ""), ""))
        return render_template("operations/operations.html", frame=frame("operations", of), page=page)

    @requires(Permission.OPERATIONS_ACT)
    def replay_decision(self, decision_id: UUID) -> Response:
        """A parked decision goes to its workflow once more, under its own id."""
        person = current()
        with parts().sessions.begin(person.context) as session:
            again = reopen_decision(session, decision_id)
            if again:
                detail: dict[str, object] = {"act": "replay"}
                parts().auditor.write(
                    session, person.context, Action.EXECUTE, "Decision", str(decision_id), detail=detail
                )
        settled = self._desk.hand_over(person.context, decision_id) if again else None
        done = "gone" if settled is None else str(settled.outcome or "pending")
        return redirect(f"/operations?done={done}", 303)

    def _engine_answers(self) -> bool:
        async def ask(client: Client) -> bool:
            return bool(await client.service_client.check_health(timeout=timedelta(seconds=ENGINE_SECONDS)))

        try:
            return self._engine.run(ask, ENGINE_SECONDS)
        except (TimeoutError, RuntimeError, RPCError):
            return False


NOTICES = {
    "applied": "Handed over again: it was applied.",
    "refused": "Handed over again: the case refuses it now. Its page says why.",
    "parked": "Handed over again: it stopped for the same cause.",
    "pending": "Handed over again: the engine has not answered yet.",
    "gone": "Nothing was handed over: somebody else has settled it meanwhile.",
    "filed": "The message was taken up again.",
    "rejected": "The message was rejected.",
}


def begin_of(period: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight of the clinic's day, or so many days ago."""
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    return midnight if period == "today" else midnight - timedelta(days=int(period))


def streams() -> str:
    """How many pages this web process keeps live."""
    live: Live | None = current_app.extensions.get(LIVE)
    return f"{len(live)} of {live.most} places taken in this process" if live else "Not served by this process"


def create_operations(desk: Desk, engine: Engine) -> Blueprint:
    """The operations page, to be registered by the application."""
    pages = OperationsPages(desk, engine)
    blueprint = Blueprint("operations", __name__, url_prefix="/operations", template_folder="templates")
    blueprint.add_url_rule("", "show", pages.show)
    blueprint.add_url_rule(
        "/decisions/<uuid:decision_id>/replay", "replay_decision", pages.replay_decision, methods=["POST"]
    )
    return blueprint
