"""The only wiring: settings in, working parts out. Each process makes its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.common import HeaderCodecBehavior
from temporalio.service import GrpcCompression

from activities.case_review import CaseReview
from activities.deadline import Deadlines
from activities.inbound import InboundActivities
from activities.outbound import OutboundActivities
from activities.partners.base import Partner
from activities.records.audit_event import Auditor
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.sessions import Sessions, connect
from activities.referral.arrival import Arrivals
from activities.referral.document_arrival import DocumentArrivals
from activities.referral.newcomer import Newcomers
from activities.referral.packet import Packet
from activities.referral.record import ReferralActivities
from activities.referral.reload import ReferralReload
from activities.referral.task import ReferralTask
from activities.reviews import Reviews
from activities.tables.engine import Tables
from activities.task import TaskActivities
from infra.interceptors import ActorInterceptor
from infra.keys import load_ring
from infra.payload_codec import data_converter
from infra.production import refuse
from infra.settings import Settings


@dataclass(frozen=True)
class Parts:
    """What every process of ours needs: the store, the keys, the audit."""

    settings: Settings
    ring: KeyRing
    sessions: Sessions
    auditor: Auditor


def build(settings: Settings, pool: int) -> Parts:
    """Opens the key ring and a pool of `pool` connections; connects to nothing yet.

    Raises Unsafe for what production does not allow.
    """
    refuse(settings)
    ring = load_ring(settings)
    return Parts(settings, ring, Sessions(connect(settings.database_url, pool), ring.signing), Auditor(ring))


async def connect_engine(settings: Settings, ring: KeyRing) -> Client:
    """A client of the engine that seals all it says."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(ring),
        interceptors=[ActorInterceptor()],
        header_codec_behavior=HeaderCodecBehavior.CODEC,
        grpc_compression=GrpcCompression.NONE,
    )


def case_review(parts: Parts) -> CaseReview:
    """How a person is asked to look at a case."""
    return CaseReview(Reviews(parts.ring, Deadlines(Tables()), partial(datetime.now, UTC)))


def activities(parts: Parts, directory: Callable[[Organization, str], Partner]) -> list[Callable[..., Any]]:
    """Every activity a worker runs."""
    packet = Packet(parts.ring, parts.settings.public_url)
    deadlines = Deadlines(Tables())
    clock = partial(datetime.now, UTC)
    task = ReferralTask(deadlines, clock)
    referral = ReferralActivities(parts.sessions, parts.ring, parts.auditor, packet, task, case_review(parts))
    review = case_review(parts)
    reload = ReferralReload(parts.sessions, parts.ring, review, clock)
    base = f"{parts.settings.public_url.rstrip('/')}/fhir"
    bundles = Arrivals(parts.ring, referral, Newcomers(parts.auditor, parts.ring, base), review)
    documents = DocumentArrivals(parts.ring, base)
    inbound = InboundActivities(parts.sessions, parts.ring, parts.auditor, review, clock, bundles, documents)
    outbound = OutboundActivities(parts.sessions, parts.ring, directory, review, parts.settings.send_settling)
    own = TaskActivities(parts.sessions, parts.ring, parts.auditor, deadlines, clock)
    return [
        own.take,
        own.climb,
        own.finish,
        referral.open,
        referral.record,
        reload.reload,
        inbound.file,
        inbound.park,
        outbound.send,
        outbound.give_up,
    ]
