"""What was applied has happened once, and what was not applied has not happened."""

from collections.abc import Iterator

from sqlalchemy import String, cast, func, select

from activities.records.case_event import CaseEvent
from activities.records.decision import Decision, Outcome
from infra.verify.finding import Clinic, Finding


def check(clinic: Clinic) -> Iterator[Finding]:
    rows = clinic.session.execute(
        select(Decision.id, Decision.name, Decision.outcome, CaseEvent.id.label("event"))
        .outerjoin(
            CaseEvent,
            (CaseEvent.case_id == Decision.case_id) & (CaseEvent.step_key == cast(Decision.id, String)),
        )
        .where((func.coalesce(Decision.outcome, "") == Outcome.APPLIED) == CaseEvent.id.is_(None))
    )
    for row in rows:
        if row.event is None:
            yield Finding(
                str(row.id), f"The decision “{row.name}” counts as applied, and its case does not tell of it."
            )
        else:
            stands = f"counts as {row.outcome}" if row.outcome else "has no outcome"
            yield Finding(str(row.id), f"The decision “{row.name}” {stands}, and its case tells of it.")
