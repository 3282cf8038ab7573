"""Seals everything the engine stores: payloads with the tenant's key, client headers with the platform's."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    AdvancedJSONEncoder,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from activities.records.ring import PLATFORM, KeyRing, Unreadable
from workflows.contracts.people import tenant_of

ENCODING, PLACE = b"binary/careloop-sealed", "payload"


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Opening needs no context: the sealed bytes name their key. In a clinic's context no other clinic's key opens."""

    def __init__(self, ring: KeyRing, owner: str = PLATFORM) -> None:
        self._ring, self._owner = ring, owner

    def with_context(self, context: SerializationContext) -> "SealingCodec":
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext) and context.workflow_id:
            return SealingCodec(self._ring, tenant_of(context.workflow_id))
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": ENCODING},
                data=self._ring.seal(self._owner, payload.SerializeToString(), PLACE),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        sealed_by = self._ring.owner_of(payload.data)
        if sealed_by is not None and self._owner != PLATFORM and sealed_by not in (self._owner, PLATFORM):
            raise Unreadable(f"a payload of {self._owner} is sealed with another clinic's key")
        return Payload.FromString(self._ring.open(payload.data, PLACE))


class _Encoder(AdvancedJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal):
            return str(o)
        if isinstance(o, date):
            return o.isoformat()
        return super().default(o)


class _Types(JSONTypeConverter):
    def to_typed_value(self, hint: type, value: Any) -> Any:
        if hint is Decimal:
            return Decimal(value)
        if hint is date:
            return date.fromisoformat(value)
        return JSONTypeConverter.Unhandled


class CareloopPayloadConverter(CompositePayloadConverter):
    """The engine's own JSON, with `Decimal` and `date` beside it."""

    def __init__(self) -> None:
        plain = JSONPlainPayloadConverter(encoder=_Encoder, custom_type_converters=[_Types()])
        super().__init__(*_replaced(DefaultPayloadConverter().converters.values(), plain))


def _replaced(converters: Iterable[Any], plain: JSONPlainPayloadConverter) -> list[Any]:
    return [plain if isinstance(one, JSONPlainPayloadConverter) else one for one in converters]


def data_converter(ring: KeyRing) -> DataConverter:
    """The one converter of web, worker and commands alike."""
    return dataclasses.replace(
        DataConverter.default,
        payload_converter_class=CareloopPayloadConverter,
        payload_codec=SealingCodec(ring),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
