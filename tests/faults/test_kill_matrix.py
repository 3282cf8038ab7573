"""Whoever dies, and wherever: nothing is lost, nothing happens twice, and the promises hold afterwards.

Each case kills one part at one of its commits; afterwards only what the platform does by itself may help.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from activities.records.base import new_id
from activities.records.decision import Outcome
from activities.records.message_log import Direction, MessageState
from rules.referral.vocabulary import By, Facts, Reason, Stage, Step
from tests import make
from tests.faults.killing import Killed, Point, When
from tests.faults.world import NOTHING, WEB, WORKER, World

pytestmark = pytest.mark.xdist_group("faults")
REASON = Facts(reason=Reason.TREATED_ELSEWHERE)
# Commits of each part on each path; a test below fails when a path gains or loses one.
PATHS = {
    "opening": {WEB: 1, WORKER: 1},
    "decision": {WEB: 1, WORKER: 1},
    "refusal": {WEB: 2},
    "answer": {WEB: 3, WORKER: 3},
    "send": {WORKER: 4},
}


def points(path: str) -> list[Point]:
    return [
        Point(whose, number, when)
        for whose, count in PATHS[path].items()
        for number in range(1, count + 1)
        for when in When
    ]


def by_web(work: Callable[[], object]) -> None:
    """Runs it as a thread of the web; what kills it is nobody's concern."""

    def run() -> None:
        with suppress(Killed):
            work()

    thread = threading.Thread(target=run, name=WEB)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("point", points("opening"), ids=str)
def test_a_referral_is_opened_once_or_not_at_all(world: World, point: Point) -> None:
    token = new_id()
    content = make.content(world.patient(), world.organizations["Quillon"])
    with world.killer.armed(point):
        by_web(lambda: world.desk.open(make.LARKMOOR, token, content, By.STAFF))
        assert world.killer.struck
    if world.decision(token) is None:
        assert world.stage(token) == ""
        return
    world.recover(lambda: (row := world.decision(token)) is not None and row.outcome == Outcome.APPLIED)
    assert (world.stage(token), world.events(token)[Step.OPENING]) == (Stage.DRAFT, 1)


@pytest.mark.parametrize("point", points("decision"), ids=str)
def test_a_decision_is_applied_once_or_was_never_taken(world: World, point: Point) -> None:
    case, token = world.in_triage("Quillon"), new_id()
    with world.killer.armed(point):
        by_web(lambda: world.desk.decide(make.LARKMOOR, token, case, Step.CLOSURE, REASON, By.STAFF))
        assert world.killer.struck
    if world.decision(token) is None:
        assert world.stage(case) == Stage.TRIAGE
        return
    world.recover(lambda: (row := world.decision(token)) is not None and row.outcome == Outcome.APPLIED)
    assert (world.stage(case), world.events(case)[str(token)]) == (Stage.CLOSED, 1)


@pytest.mark.parametrize("point", points("refusal"), ids=str)
def test_a_refused_decision_stays_refused_although_it_would_fit_later(world: World, point: Point) -> None:
    case, token = world.open("Quillon"), new_id()
    with world.killer.armed(point):
        by_web(lambda: world.desk.decide(make.LARKMOOR, token, case, Step.REVIEW, Facts(note="fine"), By.CLINICIAN))
        assert world.killer.struck
    if world.decision(token) is None:
        return
    world.recover(lambda: (row := world.decision(token)) is not None and row.outcome is not None)
    row = world.decision(token)
    assert row is not None
    assert (row.outcome, world.events(case)[str(token)]) == (Outcome.REFUSED, 0)
    assert "a draft" in row.answer


@pytest.mark.parametrize("point", points("answer"), ids=str)
def test_a_partners_answer_that_was_acknowledged_reaches_its_case_once(world: World, point: Point) -> None:
    case = world.in_triage("Quillon")
    arrival = world.answer("Quillon", case)
    with world.killer.armed(point):
        by_web(lambda: world.receive("Quillon", arrival))
        world.until(lambda: world.killer.struck)
    received = world.messages(case, Direction.IN)
    if not received:
        assert world.task(case).version == 1
        return
    world.recover(lambda: all(one.settled_at for one in world.messages(case, Direction.IN)))
    assert [one.state for one in world.messages(case, Direction.IN)] == [MessageState.FILED]
    assert (world.stage(case), world.task(case).version) == (Stage.SCHEDULING, 2)
    assert world.events(case)[str(received[0].id)] == 1


@pytest.mark.parametrize("partner", ["Quillon", "Marrable"])
@pytest.mark.parametrize("point", points("send"), ids=str)
def test_a_referral_reaches_its_partner_once_wherever_the_sender_dies(world: World, point: Point, partner: str) -> None:
    case = world.open(partner)
    made = world.partners[partner].made.total()
    with world.killer.armed(Point(point.whose, point.number + 1, point.when)):
        world.desk.decide(make.LARKMOOR, new_id(), case, Step.SENDING, NOTHING, By.STAFF)
        world.until(lambda: world.killer.struck)
    world.until(lambda: world.stage(case) == Stage.TRIAGE)
    assert world.partners[partner].made.total() == made + 1
    assert [one.state for one in world.messages(case, Direction.OUT)] == [MessageState.SENT]
    assert world.events(case)[Step.DELIVERY] == 1


@pytest.mark.parametrize("partner", ["Quillon", "Marrable"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_referral_reaches_its_partner_once_when_the_sender_dies_on_the_wire(
    world: World, partner: str, moment: str
) -> None:
    case = world.open(partner)
    made = world.partners[partner].made.total()
    world.partners[partner].dies = moment
    world.desk.decide(make.LARKMOOR, new_id(), case, Step.SENDING, NOTHING, By.STAFF)
    world.until(lambda: world.stage(case) == Stage.TRIAGE)
    assert world.partners[partner].made.total() == made + 1
    assert world.events(case)[Step.DELIVERY] == 1


def test_a_decision_on_a_case_the_engine_has_lost_is_applied(world: World) -> None:
    case, token = world.in_triage("Quillon"), new_id()
    world.lose(case)
    settled = world.desk.decide(make.LARKMOOR, token, case, Step.CLOSURE, REASON, By.STAFF)
    assert settled.outcome is Outcome.APPLIED
    assert (world.stage(case), world.events(case)[str(token)]) == (Stage.CLOSED, 1)


def test_an_answer_for_a_case_the_engine_has_lost_reaches_it(world: World) -> None:
    case = world.in_triage("Quillon")
    arrival = world.answer("Quillon", case)
    world.lose(case)
    world.receive("Quillon", arrival)
    world.recover(lambda: world.stage(case) == Stage.SCHEDULING)


def test_an_answer_for_a_closed_case_is_kept_and_shown_to_a_person_and_the_case_stays_closed(world: World) -> None:
    case = world.closed("Quillon")
    ended = world.process(case).closed_at
    world.receive("Quillon", world.answer("Quillon", case))
    world.recover(lambda: world.events(case)[Step.LATE_NOTE] == 1)
    assert (world.stage(case), world.process(case).closed_at) == (Stage.CLOSED, ended)
    world.engine.run(lambda client: world._ended(client, case), 10)


def test_two_hand_overs_of_one_decision_at_once_are_one(world: World) -> None:
    case, token = world.in_triage("Quillon"), new_id()
    told: list[Outcome | None] = []

    def decide() -> None:
        told.append(world.desk.decide(make.LARKMOOR, token, case, Step.CLOSURE, REASON, By.STAFF).outcome)

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert told == [Outcome.APPLIED] * 4
    assert world.events(case)[str(token)] == 1


@pytest.mark.parametrize("path", PATHS)
def test_every_commit_of_a_path_is_among_the_crash_points(world: World, path: str) -> None:
    case = world.in_triage("Quillon") if path in ("decision", "answer") else world.open("Quillon")
    arrival = world.answer("Quillon", case) if path == "answer" else None
    with world.killer.armed(None):
        match path:
            case "opening":
                content = make.content(world.patient(), world.organizations["Quillon"])
                by_web(lambda: world.desk.open(make.LARKMOOR, new_id(), content, By.STAFF))
            case "refusal":
                review = Facts(note="fine")
                by_web(lambda: world.desk.decide(make.LARKMOOR, new_id(), case, Step.REVIEW, review, By.CLINICIAN))
            case "decision":
                by_web(lambda: world.desk.decide(make.LARKMOOR, new_id(), case, Step.CLOSURE, REASON, By.STAFF))
            case "answer":
                assert arrival is not None
                by_web(lambda: world.receive("Quillon", arrival))
                world.until(lambda: all(one.settled_at for one in world.messages(case, Direction.IN)))
            case _:
                by_web(lambda: world.desk.decide(make.LARKMOOR, new_id(), case, Step.SENDING, NOTHING, By.STAFF))
                world.until(lambda: world.stage(case) == Stage.TRIAGE)
        seen = {whose: world.killer.commits(whose) for whose in PATHS[path]}
    own = {WORKER: 1} if path == "send" else {}
    assert seen == {whose: count + own.get(whose, 0) for whose, count in PATHS[path].items()}


def test_after_all_of_it_every_promise_holds(world: World) -> None:
    assert world.broken() == []
