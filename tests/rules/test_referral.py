"""The referral as a machine: whatever is done to it, in whatever order, some things always hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.referral.steps import MISSING, STAGE_WORDS, follow, legal, missing, refuses
from rules.referral.table import STEPS
from rules.referral.vocabulary import (
    ENDED,
    OPEN,
    By,
    Candidate,
    Coverage,
    Direction,
    Evidence,
    Facts,
    Need,
    Priority,
    Progress,
    Reached,
    Reason,
    Stage,
    Standing,
    Step,
)
from rules.referral.waits import waiting

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WHOLE = Facts(
    reason=Reason.OTHER,
    note="as agreed on the phone",
    at=NOW + timedelta(days=9),
    recipient="0192f0c1-0000-7000-8000-000000000001",
    candidate="0192f0c1-0000-7000-8000-000000000002",
    channel="phone",
    outcome=Reached.VOICEMAIL,
    priority=Priority.URGENT,
)
FORBIDDEN = ("invalid", "error occurred", "n/a", "pending")
SAID = (WHOLE, replace(WHOLE, outcome=Coverage.CHECK), replace(WHOLE, outcome=Reached.REACHED))

PROGRESSES = st.builds(
    Progress,
    stage=st.sampled_from(Stage),
    priority=st.sampled_from(Priority),
    since=st.just(NOW),
    round=st.integers(0, 3),
    rung=st.integers(0, 4),
    asks=st.integers(0, 4),
    tries=st.lists(st.just(NOW), max_size=4).map(tuple),
    rebookings=st.integers(0, 4),
    before_cancel=st.sampled_from((None, *OPEN)),
    by_hand=st.booleans(),
    evidence=st.builds(Evidence, *[st.sampled_from((None, NOW))] * 5),
)
DEEDS = st.lists(st.tuples(st.sampled_from(Step), st.sampled_from(By)), max_size=40)


def lived(deeds: list[tuple[Step, By]], start: Progress | None = None) -> list[tuple[Step, Progress]]:
    """Takes the steps that may follow, leaves the others out; gives what was taken and what it led to."""
    progress, told = start or Progress(since=NOW), []
    for hour, (step, by) in enumerate(deeds):
        if refuses(progress, step, WHOLE, by) is None:
            progress = follow(progress, step, WHOLE, NOW + timedelta(hours=hour))
            told.append((step, progress))
    return told


def reachable(start: Stage) -> frozenset[Stage]:
    """Every stage that some sequence of steps leads to, walked to the end."""
    found, waiting_for = {start}, [Progress(stage=start, since=NOW)]
    while waiting_for:
        progress = waiting_for.pop()
        for step, by, said in product(STEPS, By, SAID):
            if refuses(progress, step, said, by) is None:
                after = follow(progress, step, said, NOW)
                if after.stage not in found:
                    found.add(after.stage)
                    waiting_for.append(after)
    return frozenset(found)


@given(PROGRESSES, st.sampled_from(Step), st.sampled_from(By))
def test_every_step_that_may_follow_leads_to_a_known_stage_and_a_known_instant(
    progress: Progress, step: Step, by: By
) -> None:
    if refuses(progress, step, WHOLE, by) is None:
        after = follow(progress, step, WHOLE, NOW)
        assert after.stage in Stage
        assert after.since is not None
        assert after.open or waiting(after) is None


@given(PROGRESSES, st.sampled_from(By))
def test_what_is_offered_is_not_refused_and_only_empty_words_are_not_offered(progress: Progress, by: By) -> None:
    allowed = {step for step in STEPS if refuses(progress, step, WHOLE, by) is None}
    offered = set(legal(progress, by))
    assert offered <= allowed
    assert allowed - offered <= {Step.CALL, Step.RECEIPT}


@given(st.sampled_from(sorted(ENDED)), DEEDS)
@settings(max_examples=50)
def test_an_ended_referral_stays_ended_and_takes_late_notes_only(stage: Stage, deeds: list[tuple[Step, By]]) -> None:
    told = lived(deeds, Progress(stage=stage, since=NOW))
    assert {step for step, _ in told} <= {Step.LATE_NOTE, Step.UNEXPECTED}
    assert {after.stage for _, after in told} <= {stage}


@given(PROGRESSES)
def test_the_clock_counts_a_rung_and_changes_nothing_else(progress: Progress) -> None:
    if progress.open:
        assert follow(progress, Step.OVERDUE, Facts(), NOW) == replace(progress, rung=progress.rung + 1)


@pytest.mark.parametrize("step", [step for step, rule in STEPS.items() if rule.by == frozenset({By.ENGINE})])
@given(progress=PROGRESSES)
@settings(max_examples=30)
def test_nothing_the_engine_does_by_itself_ends_cancels_or_declines(step: Step, progress: Progress) -> None:
    if refuses(progress, step, WHOLE, By.ENGINE) is None:
        after = follow(progress, step, WHOLE, NOW)
        assert after.open == progress.open
        assert after.close_reason is progress.close_reason
        assert after.stage is progress.stage or after.stage not in {Stage.DECLINED, Stage.CANCEL_REQUESTED}


@given(DEEDS)
@settings(max_examples=300)
def test_a_referral_closes_with_all_five_proofs_or_with_a_reason(deeds: list[tuple[Step, By]]) -> None:
    for step, after in lived(deeds):
        if after.stage is Stage.CLOSED and step is Step.FOLLOW_UP:
            assert after.evidence.complete
        elif not after.open and step not in (Step.LATE_NOTE, Step.UNEXPECTED):
            assert after.close_reason is not None


@pytest.mark.parametrize(
    "story",
    [
        (Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE, Step.APPOINTMENT, Step.VISIT, Step.REPORT, Step.REVIEW),
        (Step.SENDING, Step.DELIVERY, Step.ACCEPTANCE, Step.VISIT, Step.NO_REPORT, Step.REVIEW),
        (Step.SENDING, Step.DELIVERY, Step.ADVICE, Step.ADVICE_ACCEPTANCE),
        (Step.SENDING, Step.DELIVERY_FAILURE, Step.RECEIPT, Step.ACCEPTANCE, Step.REPORT, Step.REVIEW),
    ],
)
def test_every_way_to_the_end_proves_the_loop(story: tuple[Step, ...]) -> None:
    progress = Progress(since=NOW)
    for step in (*story, Step.PATIENT_NOTICE):
        progress = taken(progress, step)
        assert not progress.evidence.complete
    progress = taken(progress, Step.FOLLOW_UP)
    assert progress.stage is Stage.CLOSED
    assert progress.evidence.complete


def taken(progress: Progress, step: Step) -> Progress:
    by = next(by for by in By if by in STEPS[step].by)
    assert refuses(progress, step, WHOLE, by) is None
    return follow(progress, step, WHOLE, NOW)


def test_every_stage_can_be_reached_from_a_draft() -> None:
    assert reachable(Stage.DRAFT) == frozenset(Stage)


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_open_stage_can_still_be_closed_by_a_person(stage: Stage) -> None:
    assert Step.CLOSURE in legal(Progress(stage=stage, since=NOW), By.STAFF)
    assert Stage.CLOSED in reachable(stage)


@given(PROGRESSES, st.sampled_from(Step), st.sampled_from(By))
def test_a_refusal_says_why_without_the_words_nobody_wants_to_read(progress: Progress, step: Step, by: By) -> None:
    for facts in (WHOLE, Facts()):
        refusal = refuses(progress, step, facts, by)
        if refusal:
            assert refusal.words.endswith(".")
            assert not [word for word in FORBIDDEN if word in refusal.words.lower()]
            assert "_" not in refusal.words


def test_a_refused_step_names_where_the_referral_stands() -> None:
    refusal = refuses(Progress(stage=Stage.SCHEDULED, since=NOW), Step.SENDING, WHOLE, By.STAFF)
    assert refusal is not None
    assert refusal.words == "This referral is scheduled, so “Send” does not apply."


@pytest.mark.parametrize("step", list(Step))
def test_a_step_asks_for_each_fact_it_needs_in_words(step: Step) -> None:
    rule = STEPS[step]
    stage = next(iter(sorted(rule.frm)), Stage.DRAFT)
    by = next(iter(sorted(rule.by)))
    assert missing(step, WHOLE) == ()
    assert missing(step, Facts()) == rule.needs
    for need in rule.needs:
        refusal = refuses(Progress(stage=stage, since=NOW), step, without(need), by)
        assert refusal is not None
        assert refusal.words == MISSING[need]


def without(need: Need) -> Facts:
    return replace(WHOLE, **{need.value: None if need in (Need.REASON, Need.AT, Need.PRIORITY) else ""})  # type: ignore[arg-type]


def test_words_exist_for_every_stage_step_and_need() -> None:
    assert set(STAGE_WORDS) == set(Stage)
    assert set(STEPS) == set(Step)
    assert set(MISSING) == set(Need)
    assert all(rule.label and rule.past for rule in STEPS.values())


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.COVERAGE, Stage.DECLINED])
def test_what_no_partner_holds_is_cancelled_at_once(stage: Stage) -> None:
    after = follow(Progress(stage=stage, since=NOW), Step.CANCELLATION, WHOLE, NOW)
    assert after.stage is Stage.CANCELLED
    assert after.close_reason is Reason.OTHER


def test_a_refused_cancellation_goes_back_to_where_it_was_asked() -> None:
    asked = follow(Progress(stage=Stage.SCHEDULED, since=NOW), Step.CANCELLATION, WHOLE, NOW)
    assert asked.stage is Stage.CANCEL_REQUESTED
    assert follow(asked, Step.CANCELLATION_REFUSED, WHOLE, NOW).stage is Stage.SCHEDULED


@pytest.mark.parametrize(
    ("step", "stage", "field"),
    [
        (Step.INFORMATION_REQUEST, Stage.TRIAGE, "asks"),
        (Step.ATTEMPT, Stage.OUTREACH, "attempts"),
        (Step.NO_SHOW, Stage.SCHEDULED, "rebookings"),
        (Step.NEW_RECIPIENT, Stage.DECLINED, "round"),
    ],
)
def test_what_happens_again_is_counted(step: Step, stage: Stage, field: str) -> None:
    before = Progress(stage=stage, since=NOW)
    assert getattr(follow(before, step, WHOLE, NOW), field) == getattr(before, field) + 1


@pytest.mark.parametrize("step", [Step.NO_REPORT, Step.PRIORITY_CHANGE, Step.LATE_NOTE, Step.UNEXPECTED, Step.RECEIPT])
def test_a_step_that_leaves_the_stage_leaves_its_age(step: Step) -> None:
    earlier = NOW - timedelta(days=4)
    for stage in STEPS[step].frm:
        before = Progress(stage=stage, since=earlier)
        after = follow(before, step, WHOLE, NOW)
        assert (after.since == earlier) == (after.stage is stage)


TWO = Progress(stage=Stage.TRIAGE, since=NOW, candidates=(Candidate("t1", "quillon"), Candidate("t2", "heronfield")))


def said_by(task: str, **fields: object) -> Facts:
    return replace(WHOLE, candidate=task, **fields)  # type: ignore[arg-type]


def test_of_two_who_accept_a_person_chooses_and_the_other_is_not_selected() -> None:
    one = follow(TWO, Step.ACCEPTANCE, said_by("t1"), NOW)
    assert one.stage is Stage.TRIAGE
    both = follow(one, Step.ACCEPTANCE, said_by("t2"), NOW)
    assert both.stage is Stage.TRIAGE
    chosen = follow(both, Step.CHOICE, said_by("t2"), NOW)
    assert chosen.stage is Stage.SCHEDULING
    assert [one.standing for one in chosen.candidates] == [Standing.NOT_SELECTED, Standing.ACCEPTED]


def test_when_one_of_two_declines_the_other_still_has_it() -> None:
    left = follow(TWO, Step.DECLINE, said_by("t1"), NOW)
    assert left.stage is Stage.TRIAGE
    assert follow(left, Step.DECLINE, said_by("t2"), NOW).stage is Stage.DECLINED
    assert follow(left, Step.ACCEPTANCE, said_by("t2"), NOW).stage is Stage.SCHEDULING


def test_nobody_is_chosen_who_has_not_accepted_and_nobody_answers_who_is_out() -> None:
    assert refuses(TWO, Step.CHOICE, said_by("t1"), By.STAFF) is not None
    left = follow(TWO, Step.DECLINE, said_by("t1"), NOW)
    assert refuses(left, Step.ACCEPTANCE, said_by("t1"), By.PARTNER) is not None


def test_the_same_specialist_is_not_asked_twice() -> None:
    assert refuses(TWO, Step.ANOTHER_CANDIDATE, replace(WHOLE, recipient="quillon", candidate=""), By.STAFF) is not None


def test_coverage_that_is_not_clear_is_checked_before_anything_goes_out() -> None:
    checking = follow(Progress(since=NOW), Step.SENDING, replace(WHOLE, outcome=Coverage.CHECK), NOW)
    assert (checking.stage, checking.round) == (Stage.COVERAGE, 0)
    sent = follow(checking, Step.COVERAGE_CLEARANCE, WHOLE, NOW)
    assert (sent.stage, sent.round) == (Stage.SENT, 1)


def test_a_reached_patient_is_booked_next() -> None:
    calling = Progress(stage=Stage.OUTREACH, since=NOW)
    assert follow(calling, Step.ATTEMPT, replace(WHOLE, outcome=Reached.REACHED), NOW).stage is Stage.SCHEDULING
    assert follow(calling, Step.ATTEMPT, WHOLE, NOW).stage is Stage.OUTREACH


def test_a_second_report_is_reviewed_and_told_anew() -> None:
    told = Progress(stage=Stage.PATIENT_TOLD, since=NOW, evidence=Evidence(NOW, NOW, NOW, NOW))
    again = follow(told, Step.REPORT, WHOLE, NOW)
    assert again.stage is Stage.REPORT_RECEIVED
    assert again.evidence == Evidence(NOW, NOW)


def test_after_half_a_year_the_clock_asks_whether_it_expires_and_decides_nothing() -> None:
    ancient = Progress(stage=Stage.SCHEDULED, since=NOW, opened=NOW - timedelta(days=181))
    asked = follow(ancient, Step.OVERDUE, Facts(), NOW)
    assert asked.old
    assert asked.stage is Stage.SCHEDULED
    assert refuses(asked, Step.EXPIRY, WHOLE, By.STAFF) is not None
    assert follow(asked, Step.EXPIRY, WHOLE, NOW).stage is Stage.EXPIRED


@pytest.mark.parametrize(
    ("step", "by", "taken_as"),
    [
        (Step.ACCEPTANCE, By.STAFF, Step.ACCEPTANCE),
        (Step.ACCEPTANCE, By.PARTNER, None),
        (Step.CANCELLATION, By.PARTNER, Step.CANCELLATION),
        (Step.CANCELLATION, By.STAFF, None),
        (Step.SENDING, By.STAFF, None),
    ],
)
def test_referred_to_us_we_answer_and_they_may_cancel(step: Step, by: By, taken_as: Step | None) -> None:
    incoming = Progress(stage=Stage.TRIAGE, direction=Direction.IN, since=NOW)
    refusal = refuses(incoming, step, replace(WHOLE, candidate=""), by)
    assert (refusal is None) == (taken_as is not None)


@pytest.mark.parametrize("step", [Step.DECLINE, Step.REDIRECTION, Step.ADVICE])
def test_what_we_do_not_take_on_is_closed_here(step: Step) -> None:
    incoming = Progress(stage=Stage.TRIAGE, direction=Direction.IN, since=NOW)
    assert follow(incoming, step, WHOLE, NOW).stage is Stage.CLOSED


def test_for_us_as_the_specialist_the_loop_closes_when_the_report_is_sent() -> None:
    seen = Progress(stage=Stage.SEEN, direction=Direction.IN, since=NOW)
    assert follow(seen, Step.REPORT, WHOLE, NOW).stage is Stage.CLOSED
