"""Frozen dataclasses as bytes and back: what is sealed into `process.state` and `decision.arguments`."""

import dataclasses
import json
from typing import Any, TypeVar

from temporalio.converter import AdvancedJSONEncoder, value_to_type

T = TypeVar("T")


def dump(value: object) -> bytes:
    """JSON with dates in ISO form; empty and default fields are kept."""
    return json.dumps(value, cls=AdvancedJSONEncoder, separators=(",", ":"), ensure_ascii=False).encode()


def load(kind: type[T], data: bytes) -> T:
    """The dataclass again; unknown fields of a later release are ignored."""
    value: T = value_to_type(kind, json.loads(data))
    return value


def plain(value: Any) -> dict[str, object]:
    """A dataclass as JSON-ready fields without the empty ones, for a jsonb column."""
    fields = json.loads(dump(dataclasses.asdict(value)))
    return {name: field for name, field in fields.items() if field not in (None, "", [], {})}
