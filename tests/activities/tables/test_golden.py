"""What the shipped tables answer, for every case: a change of a default shows here."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from activities.tables.check import checked
from activities.tables.engine import Tables, hash_of
from activities.tables.shipped import Content, Row, Table, shipped
from infra.bootstrap import Parts
from rules.referral.vocabulary import OPEN, Priority
from rules.referral.waits import CLOCKS, Since
from tests import make

GOLDEN = Path(__file__).parent


def golden(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def ask(parts: Parts, table: Table, **facts: str) -> dict[str, object]:
    with parts.sessions.begin(make.LARKMOOR) as session:
        return dict(Tables().decide(session, "larkmoor", table, facts, make.NOW).outcome)


def rows_of(content: Content) -> list[Row]:
    nodes = content["nodes"]
    assert isinstance(nodes, list)
    rows: list[Row] = nodes[1]["content"]["rules"]
    return [{name: cell for name, cell in row.items() if name != "_id"} for row in rows]


def test_the_shipped_clocks_are_the_golden_ones(parts: Parts) -> None:
    make.clinics(parts)
    said = {}
    for stage in sorted(OPEN):
        for priority in Priority:
            for since in (Since.STAGE, Since.RUNG) if stage == "draft" else (Since.STAGE,):
                found = ask(parts, Table.REFERRAL_CLOCK, since=since, stage=stage, priority=priority, tries="1")
                said[f"{since} {stage} {priority}"] = f"{found['amount']} {found['unit']}"
    assert said == golden("referral_clock")


def test_the_next_try_to_reach_a_patient_follows_the_number_of_tries(parts: Parts) -> None:
    make.clinics(parts)
    tries = [
        ask(parts, Table.REFERRAL_CLOCK, since="attempt", stage="outreach", priority="routine", tries=str(number))
        for number in (1, 2, 3, 4)
    ]
    assert [found["amount"] for found in tries] == [2, 5, 3, 4]


def test_the_shipped_routing_is_the_golden_one(parts: Parts) -> None:
    make.clinics(parts)
    said = {}
    for asked in ("referral_coordinator", "clinician", "intake"):
        for priority in Priority:
            facts = {"stage": "draft", "priority": priority, "site": "boise", "service": "Cardiology", "asked": asked}
            found = ask(parts, Table.REFERRAL_ROUTING, **facts)
            said[f"{asked} {priority}"] = f"{found['pool']} by {found['ladder']}"
    assert said == golden("referral_routing")


def test_every_clock_of_the_rules_is_a_row_of_the_table(parts: Parts) -> None:
    make.clinics(parts)
    for stage, clocks in CLOCKS.items():
        for priority, clock in clocks.items():
            found = ask(parts, Table.REFERRAL_CLOCK, since="stage", stage=stage, priority=priority, tries="1")
            assert found == {"amount": clock.amount, "unit": clock.unit}


@pytest.mark.parametrize("table", Table)
def test_a_shipped_table_passes_the_check_that_a_clinics_own_must_pass(table: Table) -> None:
    assert checked(table, rows_of(shipped(table))) == shipped(table)


def test_a_shipped_answer_is_version_1_and_names_its_content(parts: Parts) -> None:
    make.clinics(parts)
    facts = {"since": "stage", "stage": "sent", "priority": "stat", "tries": "1"}
    with parts.sessions.begin(make.LARKMOOR) as session:
        found = Tables().decide(session, "larkmoor", Table.REFERRAL_CLOCK, facts, make.NOW - timedelta(days=400))
    assert (found.table, found.version) == ("referral_clock", 1)
    assert found.hash == hash_of(shipped(Table.REFERRAL_CLOCK))
