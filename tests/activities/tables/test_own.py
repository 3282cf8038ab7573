"""A clinic's own versions: checked, approved by a second person, in force from their day, for this clinic only."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from activities.records.rule_table import NotApproved, approve
from activities.records.sessions import Context
from activities.tables.check import checked, propose
from activities.tables.engine import Decision, Tables
from activities.tables.schema import TableRefused
from activities.tables.shipped import Row, Table, shipped
from infra.bootstrap import Parts
from tests import make
from tests.activities.tables.test_golden import rows_of

AUTHOR, STEWARD = replace(make.LARKMOOR, actor="author"), replace(make.LARKMOOR, actor="steward")
FACTS = {"since": "stage", "stage": "sent", "priority": "stat", "tries": "1"}
TOMORROW = make.NOW + timedelta(days=1)


def own_rows(amount: int) -> list[Row]:
    """The shipped clock with another answer for a sent STAT referral."""
    rows = rows_of(shipped(Table.REFERRAL_CLOCK))
    sent = next(row for row in rows if row.get("stage") == '"sent"' and row.get("priority") == '"stat"')
    sent["amount"] = str(amount)
    return rows


def decide(parts: Parts, tables: Tables, at: datetime, context: Context = make.LARKMOOR) -> Decision:
    with parts.sessions.begin(context) as session:
        return tables.decide(session, context.tenant, Table.REFERRAL_CLOCK, FACTS, at)


def put_in_force(parts: Parts, amount: int, effective_from: datetime) -> int:
    with parts.sessions.begin(AUTHOR) as session:
        version = propose(session, AUTHOR, Table.REFERRAL_CLOCK, own_rows(amount), effective_from)
    with parts.sessions.begin(STEWARD) as session:
        approve(session, STEWARD, Table.REFERRAL_CLOCK, version)
    return version


def test_an_own_version_holds_from_its_day(parts: Parts) -> None:
    make.clinics(parts)
    tables = Tables()
    assert put_in_force(parts, 3, TOMORROW) == 2
    assert decide(parts, tables, TOMORROW - timedelta(seconds=1)).outcome["amount"] == 1
    found = decide(parts, tables, TOMORROW)
    assert (found.outcome["amount"], found.version) == (3, 2)


def test_a_later_version_takes_over_and_the_earlier_one_still_answers_for_its_time(parts: Parts) -> None:
    make.clinics(parts)
    tables = Tables()
    put_in_force(parts, 3, make.NOW)
    put_in_force(parts, 5, TOMORROW)
    assert [decide(parts, tables, at).outcome["amount"] for at in (make.NOW, TOMORROW)] == [3, 5]


def test_a_version_that_nobody_approved_is_not_in_force(parts: Parts) -> None:
    make.clinics(parts)
    with parts.sessions.begin(AUTHOR) as session:
        propose(session, AUTHOR, Table.REFERRAL_CLOCK, own_rows(3), make.NOW)
    assert decide(parts, Tables(), TOMORROW).version == 1


def test_nobody_approves_her_own_version(parts: Parts) -> None:
    make.clinics(parts)
    with parts.sessions.begin(AUTHOR) as session:
        version = propose(session, AUTHOR, Table.REFERRAL_CLOCK, own_rows(3), make.NOW)
    with pytest.raises(NotApproved, match="second person"), parts.sessions.begin(AUTHOR) as session:
        approve(session, AUTHOR, Table.REFERRAL_CLOCK, version)


def test_another_clinic_keeps_the_shipped_table(parts: Parts) -> None:
    make.clinics(parts)
    tables = Tables()
    put_in_force(parts, 3, make.NOW)
    assert decide(parts, tables, TOMORROW).version == 2
    assert decide(parts, tables, TOMORROW, make.HERONFIELD).version == 1


def test_the_application_may_not_change_a_version(parts: Parts) -> None:
    make.clinics(parts)
    put_in_force(parts, 3, make.NOW)
    with pytest.raises(ProgrammingError, match="permission denied"), parts.sessions.begin(AUTHOR) as session:
        session.execute(text("update rule_table set content = '{}'"))


def test_a_version_whose_content_was_changed_behind_its_hash_decides_nothing(parts: Parts) -> None:
    make.clinics(parts)
    put_in_force(parts, 3, make.NOW)
    admin = create_engine(parts.settings.admin_url)
    with admin.begin() as connection:
        connection.execute(text("update rule_table set content = jsonb_set(content, '{contentType}', '\"other\"')"))
    admin.dispose()
    with pytest.raises(TableRefused, match="not the one that was approved"):
        decide(parts, Tables(), TOMORROW)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "from 1 to 2000 rows"),
        ([{"amount": "1", "unit": '"h"', "stag": '"sent"'}], "Row 1: there is no column stag."),
        ([{"priority": '"stat', "amount": "1", "unit": '"h"'}], "Row 1, priority: Unexpected EOF"),
        ([{"amount": "1"}], "Row 1, unit: it is empty."),
        ([{"amount": "0", "unit": '"h"'}], "Row 1: amount is 0 but must be a whole number from 1 to 3660."),
        ([{"amount": "1", "unit": '"weeks"'}], "Row 1: unit is 'weeks' but must be one of h, BH, BD, d."),
        ([{"priority": '"stat"', "amount": "1", "unit": '"h"'}], "No row answers since stage, kind review, priority"),
        (
            [{"amount": "1", "unit": '"h"'}, {"priority": '"stat"', "amount": "2", "unit": '"h"'}],
            "Row 2 never answers",
        ),
        (
            [{"priority": '"statt"', "amount": "1", "unit": '"h"'}, {"amount": "2", "unit": '"h"'}],
            "Row 1 never answers: a row above it fits first, or a word in it is misspelt.",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_row_and_column(rows: list[Row], said: str) -> None:
    with pytest.raises(TableRefused) as refused:
        checked(Table.TASK_CLOCK, rows)
    assert any(reason.startswith(said) or said in reason for reason in refused.value.reasons)


def test_a_clinic_may_send_one_sites_work_to_another_pool() -> None:
    rows: list[Row] = [
        {"site": '"coeur_dalene"', "stage": '"declined"', "pool": '"nurse"', "ladder": '"standard"'},
        *rows_of(shipped(Table.REFERRAL_ROUTING)),
    ]
    assert checked(Table.REFERRAL_ROUTING, rows)
