"""What the engine keeps is unreadable without the clinic's key."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities import acting
from activities.records.ring import PLATFORM, Key, KeyRing, Unreadable
from infra.bootstrap import connect_engine
from infra.payload_codec import ENCODING, PLACE, SealingCodec, data_converter
from infra.settings import Settings
from infra.worker import runner
from tests.engine import make_test_ring, skipping
from workflows.contracts.people import ACTOR_HEADER, speaker

ARGUMENT, ANSWER, SIGNAL, UPDATE, FAULT = (f"Quenneville-{n}" for n in ("born-1958", "seen", "called", "told", "fault"))
ACTOR = "account-0192f0c1"
SOON = timedelta(seconds=10)


@dataclass(frozen=True)
class Told:
    words: str
    amount: Decimal = Decimal("12.30")
    born: date = date(1958, 3, 14)
    at: datetime = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    amounts: tuple[Decimal, ...] = (Decimal("0.1"), Decimal("-7E+3"))
    days: dict[str, date] | None = None
    ended: date | None = None


@workflow.defn(name="Story")
class Story:
    @workflow.init
    def __init__(self, told: Told) -> None:
        self._heard = ""

    @workflow.run
    async def run(self, told: Told) -> Told:
        await workflow.wait_condition(lambda: self._heard != "")
        once = RetryPolicy(maximum_attempts=1)
        for name in ("echo", "fail"):
            try:
                await workflow.execute_activity(name, told, start_to_close_timeout=SOON, retry_policy=once)
                await workflow.execute_local_activity(name, told, start_to_close_timeout=SOON, retry_policy=once)
            except ActivityError as failed:
                raise ApplicationError(f"{FAULT} again", str(failed.cause), non_retryable=True) from failed
        return told

    @workflow.signal
    def hear(self, words: str) -> None:
        self._heard = words

    @workflow.update
    def answer(self, words: str) -> str:
        return f"{words} {ANSWER}"


class Work:
    def __init__(self) -> None:
        self.heard: list[Told] = []
        self.actors: list[str] = []

    @activity.defn(name="echo")
    def echo(self, told: Told) -> Told:
        self.heard.append(told)
        self.actors.append(acting.actor.get())
        return Told(ANSWER)

    @activity.defn(name="fail")
    def fail(self, told: Told) -> None:
        raise ApplicationError(f"{FAULT} of {told.words}", told, type="Diverged", non_retryable=True)


@dataclass(frozen=True)
class Kept:
    """One workflow's history as the engine keeps it, and what the workflow's own side saw of it."""

    events: list[HistoryEvent]
    heard: list[Told]
    actors: list[str]
    answered: str
    failure: BaseException

    @property
    def bytes(self) -> bytes:
        return b"".join(event.SerializeToString() for event in self.events)


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    yield asyncio.run(_run())


async def _run() -> Kept:
    ring, work = make_test_ring(), Work()
    async with skipping(ring) as environment:
        address = environment.client.service_client.config.target_host
        settings = Settings(temporal_address=address, temporal_namespace=environment.client.namespace)
        client = await connect_engine(settings, ring)
        with ThreadPoolExecutor(4) as pool:
            async with Worker(
                client,
                task_queue="story",
                workflows=[Story],
                activities=[work.echo, work.fail],
                activity_executor=pool,
                workflow_runner=runner(False),
            ):
                return await _tell(client, work)


async def _tell(client: Client, work: Work) -> Kept:
    speaker.set(ACTOR)
    told = Told(ARGUMENT, days={"visit": date(2026, 12, 1)})
    handle = await client.start_workflow(Story.run, told, id="larkmoor:story:1", task_queue="story")
    answered = await handle.execute_update(Story.answer, UPDATE)
    await handle.signal(Story.hear, SIGNAL)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    history = await handle.fetch_history()
    return Kept(list(history.events), work.heard, work.actors, answered, failed.value.cause)


def payloads(events: list[HistoryEvent]) -> list[Payload]:
    """Every payload anywhere in the history, headers included."""
    found: list[Payload] = []

    def walk(message: object) -> None:
        if isinstance(message, Payload):
            found.append(message)
            return
        for field, value in message.ListFields():  # type: ignore[attr-defined]
            if field.message_type is None:
                continue
            if field.message_type.GetOptions().map_entry:
                children = value.values() if field.message_type.fields_by_name["value"].message_type else ()
            else:
                children = value if hasattr(value, "append") else (value,)
            for child in children:
                walk(child)

    for event in events:
        walk(event)
    return found


@pytest.mark.parametrize("words", [ARGUMENT, ANSWER, SIGNAL, UPDATE, FAULT, "1958-03-14", "12.30", ACTOR])
def test_the_history_holds_no_argument_answer_failure_or_actor_in_plain(kept: Kept, words: str) -> None:
    assert words.encode() not in kept.bytes
    assert b"Quenneville" not in kept.bytes


# What the engine's own library notes of a local activity; nothing of it comes from us but the activity's name.
NOTED = {
    "seq", "attempt", "activity_id", "activity_type", "complete_time", "backoff", "original_schedule_time",
    "activation_index",
}  # fmt: skip


def test_every_payload_of_ours_in_the_history_is_sealed(kept: Kept) -> None:
    found = payloads(kept.events)
    plain = [json.loads(payload.data) for payload in found if payload.metadata["encoding"] != ENCODING]
    assert len(found) - len(plain) > 12
    assert [set(note) - NOTED for note in plain] == [set()]


def test_all_of_a_clinics_payloads_open_with_its_key_and_with_no_other(kept: Kept) -> None:
    ours, theirs = make_test_ring(), without("larkmoor")
    sealed = [payload.data for payload in payloads(kept.events) if ours.owner_of(payload.data) == "larkmoor"]
    opened = b"".join(ours.open(data, PLACE) for data in sealed)
    assert all(words.encode() in opened for words in (ARGUMENT, ANSWER, SIGNAL, UPDATE, FAULT))
    for data in sealed:
        with pytest.raises(Unreadable, match="not in the ring"):
            theirs.open(data, PLACE)


def test_headers_name_the_actor_under_the_platforms_key(kept: Kept) -> None:
    ring = make_test_ring()
    headers = [
        getattr(event, field).header.fields[ACTOR_HEADER]
        for event in kept.events
        for field in ("workflow_execution_started_event_attributes", "workflow_execution_signaled_event_attributes")
        if event.HasField(field)
    ]
    assert len(headers) == 2
    for header in headers:
        assert ring.owner_of(header.data) == PLATFORM
        assert ACTOR.encode() in ring.open(header.data, PLACE)


def test_activities_hear_what_was_said_and_who_said_it(kept: Kept) -> None:
    assert kept.heard == [Told(ARGUMENT, days={"visit": date(2026, 12, 1)})] * 2
    assert kept.actors == [ACTOR, ACTOR]
    assert kept.answered == f"{UPDATE} {ANSWER}"


def test_whoever_has_the_key_reads_why_it_failed(kept: Kept) -> None:
    assert isinstance(kept.failure, ApplicationError)
    assert kept.failure.message == f"{FAULT} again"
    assert isinstance(kept.failure.cause, ActivityError)
    assert ARGUMENT in str(kept.failure.cause.cause)


VALUES: list[tuple[object, type]] = [
    (Told("x"), Told),
    (Told("x", days={"a": date(2024, 2, 29)}, ended=date(2026, 3, 8)), Told),
    (Decimal("0.10"), Decimal),
    (Decimal("123456789012345678901234567890.123456789"), Decimal),
    (date(1, 1, 1), date),
    (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), datetime),
]


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_amounts_and_days_come_back_as_they_were(value: object, kind: type) -> None:
    converter = data_converter(make_test_ring()).with_context(WorkflowSerializationContext("ns", "larkmoor:x:1"))

    async def around() -> object:
        (back,) = await converter.decode(await converter.encode([value]), [kind])
        return back

    back = asyncio.run(around())
    assert back == value
    assert str(back) == str(value)
    assert type(back) is type(value)


def test_a_payload_moved_from_one_clinic_to_another_does_not_open_there() -> None:
    codec = SealingCodec(make_test_ring())
    ours = codec.with_context(WorkflowSerializationContext("ns", "larkmoor:referral:1"))
    theirs = codec.with_context(WorkflowSerializationContext("ns", "heronfield:referral:1"))

    async def moved() -> None:
        sealed = await ours.encode([Payload(data=b"x")])
        assert await ours.decode(sealed) == [Payload(data=b"x")]
        with pytest.raises(Unreadable, match="another clinic's key"):
            await theirs.decode(sealed)

    asyncio.run(moved())


def test_a_workflow_of_an_unknown_clinic_is_not_sealed_with_another_key() -> None:
    codec = SealingCodec(make_test_ring()).with_context(WorkflowSerializationContext("ns", "nowhere:referral:1"))
    with pytest.raises(Unreadable, match="no key of nowhere"):
        asyncio.run(codec.encode([Payload(data=b"x")]))


def without(owner: str) -> KeyRing:
    """The test ring after a clinic was shredded."""
    owners = (PLATFORM, "larkmoor", "heronfield")
    keys = [Key(bytes([number]) * 8, name, bytes([number + 1]) * 32) for number, name in enumerate(owners, 1)]
    return KeyRing([key for key in keys if key.owner != owner], b"\x07" * 32)
