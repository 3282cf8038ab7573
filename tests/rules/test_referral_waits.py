"""What an open referral waits for: always one thing, with an owner and a clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.access import Role
from rules.calendar import Calendar, due
from rules.referral.table import STEPS
from rules.referral.vocabulary import (
    ENDED,
    OPEN,
    By,
    Candidate,
    Direction,
    Priority,
    Progress,
    Stage,
    Standing,
    Step,
)
from rules.referral.waits import (
    ACTIONS,
    CALL_WITHIN,
    CHASES,
    CLOCKS,
    INCOMING,
    MAX_ASKS,
    MAX_ATTEMPTS,
    MAX_REBOOKINGS,
    Waiting,
    waiting,
    worded,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CALENDAR = Calendar("America/Boise")
POOLS = {"referral_coordinator", "clinician"}
MUCH = st.integers(0, 6)


def wait(stage: Stage, priority: Priority = Priority.ROUTINE, **fields: object) -> Waiting:
    found = waiting(Progress(stage=stage, priority=priority, since=NOW, **fields))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("priority", list(Priority))
@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_open_stage_waits_for_one_thing_with_an_owner_and_a_clock(stage: Stage, priority: Priority) -> None:
    found = wait(stage, priority)
    assert found.action and found.why
    assert found.pool in POOLS <= {str(role) for role in Role}
    assert found.clock == (CALL_WITHIN if found.step is Step.CALL else CLOCKS[stage][priority])
    assert due(CALENDAR, found.start, found.clock, found.person) > NOW


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_what_is_more_urgent_is_due_no_later(stage: Stage) -> None:
    ends = [due(CALENDAR, NOW, CLOCKS[stage][priority]) for priority in Priority]
    assert ends == sorted(ends)


@pytest.mark.parametrize("stage", sorted(ENDED))
def test_an_ended_referral_waits_for_nothing(stage: Stage) -> None:
    assert waiting(Progress(stage=stage, since=NOW)) is None


@given(
    stage=st.sampled_from(sorted(OPEN)),
    priority=st.sampled_from(Priority),
    rung=MUCH,
    asks=MUCH,
    tries=st.lists(st.just(NOW), max_size=6).map(tuple),
    last_try=st.sampled_from(("", "voicemail", "refused", "wrong-number")),
    old=st.booleans(),
    direction=st.sampled_from(Direction),
    rebookings=MUCH,
    by_hand=st.booleans(),
    failed_delivery=st.sampled_from(("", "Their server answers with 403.")),
    visit_at=st.sampled_from((None, NOW + timedelta(days=3))),
)
def test_whatever_has_happened_the_step_waited_for_may_be_taken(
    stage: Stage, priority: Priority, **fields: object
) -> None:
    found = wait(stage, priority, **fields)
    assert stage in STEPS[found.step].frm
    assert found.pool in POOLS | {"intake"}
    assert found.person or found.step in CHASES
    if found.person and stage not in (Stage.SENT, Stage.SCHEDULED):
        assert STEPS[found.step].by & {By.STAFF, By.CLINICIAN}


def test_a_partner_who_lets_the_time_pass_is_asked_by_a_person() -> None:
    for stage, (action, _, _, person, step) in ACTIONS.items():
        late = wait(stage, rung=1)
        assert late.person
        assert late.action == (action if person else CHASES[step])


def test_no_partner_is_waited_for_without_words_for_asking_him() -> None:
    actions = (*ACTIONS.values(), *INCOMING.values())
    assert {step for *_, person, step in actions if not person} == set(CHASES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            Progress(Stage.AWAITING_INFO, since=NOW, asks=MAX_ASKS - 1),
            Progress(Stage.AWAITING_INFO, since=NOW, asks=MAX_ASKS),
        ),
        (
            Progress(Stage.OUTREACH, Priority.URGENT, since=NOW, tries=(NOW,) * (MAX_ATTEMPTS - 1)),
            Progress(Stage.OUTREACH, Priority.URGENT, since=NOW, tries=(NOW,) * MAX_ATTEMPTS),
        ),
        (
            Progress(Stage.NO_SHOW, since=NOW, rebookings=MAX_REBOOKINGS),
            Progress(Stage.NO_SHOW, since=NOW, rebookings=MAX_REBOOKINGS + 1),
        ),
    ],
)
def test_what_has_been_tried_often_enough_goes_to_a_clinician_who_decides(before: Progress, after: Progress) -> None:
    usual, decided = waiting(before), waiting(after)
    assert usual is not None and decided is not None
    assert usual.pool == "referral_coordinator"
    assert decided.pool == "clinician"
    assert decided.step is Step.CLOSURE


def test_three_calls_then_a_letter_then_the_referrer_decides() -> None:
    tried = Progress(Stage.OUTREACH, since=NOW, tries=(NOW,) * 3, channels=("phone", "text"))
    letter = waiting(tried)
    assert letter is not None
    assert letter.action == "Send the patient a letter"
    decided = waiting(replace(tried, tries=(NOW,) * 4, channels=("letter", "phone", "text")))
    assert decided is not None
    assert decided.pool == "clinician"


def test_two_specialists_who_may_both_see_the_patient_are_a_choice() -> None:
    candidates = (Candidate("t1", "a", Standing.ACCEPTED), Candidate("t2", "b"))
    found = wait(Stage.TRIAGE, candidates=candidates)
    assert found.person
    assert found.step is Step.CHOICE


@pytest.mark.parametrize("stage", sorted(INCOMING))
def test_referred_to_us_each_stage_has_its_own_owner(stage: Stage) -> None:
    found = wait(stage, direction=Direction.IN)
    assert found.pool in {"intake", "clinician"}
    assert STEPS[found.step].incoming


def test_a_failed_delivery_is_a_persons_work_with_its_cause() -> None:
    found = wait(Stage.SENT, failed_delivery="Their server answers with {403}.")
    assert found.person
    assert found.step is Step.NEW_RECIPIENT
    assert worded(found, Progress(since=NOW), "Quillon", "America/Boise").why == "Their server answers with {403}."


def test_a_recipient_without_a_connection_is_a_persons_work_from_the_start() -> None:
    assert not wait(Stage.SENT).person
    assert wait(Stage.SENT, by_hand=True).person
    assert wait(Stage.SENT, by_hand=True).step is Step.RECEIPT


def test_a_booked_visit_is_waited_for_until_a_business_day_after_it() -> None:
    visit = datetime(2026, 12, 4, 17, 0, tzinfo=UTC)
    found = wait(Stage.SCHEDULED, visit_at=visit)
    assert found.start == visit
    assert due(CALENDAR, found.start, found.clock, found.person) == datetime(2026, 12, 7, 17, 0, tzinfo=UTC)


def test_an_urgent_referral_is_announced_by_phone_within_the_hour() -> None:
    found = wait(Stage.TRIAGE, Priority.URGENT)
    assert (found.step, found.person, found.clock) == (Step.CALL, True, CALL_WITHIN)
    announced = wait(Stage.TRIAGE, Priority.URGENT, called=True)
    assert (announced.step, announced.person) == (Step.ACCEPTANCE, False)
    assert wait(Stage.TRIAGE).step is Step.ACCEPTANCE


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_wait_is_worded_whole(stage: Stage) -> None:
    for direction in Direction:
        progress = Progress(stage=stage, direction=direction, since=NOW, visit_at=NOW)
        found = waiting(progress)
        assert found is not None
        said = worded(found, progress, "Quillon", "America/Boise")
        assert not {"{", "}"} & set(said.action + said.why)
