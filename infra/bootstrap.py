"""The only wiring: settings in, working parts out. Each process makes its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client
from temporalio.common import HeaderCodecBehavior
from temporalio.service import GrpcCompression

from activities.inbound import InboundActivities
from activities.outbound import OutboundActivities
from activities.partners.base import Partner
from activities.records.audit_event import Auditor
from activities.records.organization import Organization
from activities.records.ring import KeyRing
from activities.records.sessions import Sessions, connect
from activities.referral.packet import Packet
from activities.referral.record import ReferralActivities
from infra.interceptors import ActorInterceptor
from infra.keys import load_ring
from infra.payload_codec import data_converter
from infra.settings import Settings


@dataclass(frozen=True)
class Parts:
    """What every process of ours needs: the store, the keys, the audit."""

    settings: Settings
    ring: KeyRing
    sessions: Sessions
    auditor: Auditor


def build(settings: Settings, pool: int) -> Parts:
    """Opens the key ring and a pool of `pool` connections; connects to nothing yet."""
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


def activities(parts: Parts, directory: Callable[[Organization], Partner]) -> list[Callable[..., Any]]:
    """Every activity a worker runs."""
    packet = Packet(parts.ring, parts.settings.public_url)
    referral = ReferralActivities(parts.sessions, parts.ring, parts.auditor, packet)
    inbound = InboundActivities(parts.sessions, parts.ring, parts.auditor)
    outbound = OutboundActivities(parts.sessions, parts.ring, directory)
    return [referral.open, referral.record, inbound.file, inbound.settle, outbound.send]
