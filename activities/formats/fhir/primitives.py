"""How each FHIR primitive must look in JSON (R4B, Data Types)."""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time


class Digits(float):
    """A decimal as it came: `text` keeps the digits (`1.10`), so that what we return is what we were sent."""

    text: str

    def __new__(cls, text: str) -> "Digits":
        made = super().__new__(cls, text)
        made.text = text
        return made


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_YEAR = r"[0-9]{4}"
_DAY = rf"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?"
_ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_FULL_DAY = rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"


@dataclass(frozen=True)
class Primitive:
    """`words` completes the sentence "<path> must be …"."""

    words: str
    json: type
    pattern: re.Pattern[str] | None = None
    lowest: int = -2147483648


PRIMITIVES: dict[str, Primitive] = {
    "boolean": Primitive("true or false, without quotes", bool),
    "integer": Primitive("a whole number, without quotes", int),
    "unsignedInt": Primitive("a whole number from 0, without quotes", int, lowest=0),
    "positiveInt": Primitive("a whole number from 1, without quotes", int, lowest=1),
    "decimal": Primitive("a number, without quotes", float),
    "string": Primitive("a text with at least one visible character", str, re.compile(r"[\s\S]*\S[\s\S]*")),
    "code": Primitive("a code: no space at either end", str, re.compile(r"[^\s]+(\s[^\s]+)*")),
    "id": Primitive("1 to 64 letters, digits, '-' or '.'", str, re.compile(r"[A-Za-z0-9\-.]{1,64}")),
    "uri": Primitive("an address without spaces", str, re.compile(r"\S+")),
    "oid": Primitive("urn:oid: and numbers", str, re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")),
    "uuid": Primitive("urn:uuid: and a UUID", str, re.compile(r"urn:uuid:[0-9a-fA-F-]{36}")),
    "date": Primitive("a date such as 2026-03-01", str, re.compile(_DAY)),
    "dateTime": Primitive(
        "a date, or a date and time with its zone, such as 2026-03-01T09:30:00-07:00",
        str,
        re.compile(rf"{_DAY}|{_FULL_DAY}T{_CLOCK}{_ZONE}"),
    ),
    "instant": Primitive(
        "a date and time with its zone, such as 2026-03-01T09:30:00-07:00",
        str,
        re.compile(rf"{_FULL_DAY}T{_CLOCK}{_ZONE}"),
    ),
    "time": Primitive("a time such as 09:30:00", str, re.compile(_CLOCK)),
    "base64Binary": Primitive("bytes in base64", str, re.compile(r"\s*([0-9a-zA-Z+/]\s*){2,}(=\s*){0,2}")),
}
_CALENDAR = frozenset({"date", "dateTime", "instant"})


def primitive_fault(kind: str, value: object) -> str | None:
    """What the value must be instead, or None when it is as the standard says."""
    rule = PRIMITIVES[kind]
    if rule.json is str:
        return _text_fault(kind, rule, value)
    if rule.json is bool:
        return None if isinstance(value, bool) else rule.words
    if isinstance(value, bool) or not isinstance(value, int | float):
        return rule.words
    if rule.json is float:
        return None if math.isfinite(value) else rule.words
    return None if isinstance(value, int) and rule.lowest <= value <= 2147483647 else rule.words


def _text_fault(kind: str, rule: Primitive, value: object) -> str | None:
    if not isinstance(value, str):
        return rule.words
    if _UNPRINTABLE.search(value):
        return "a text without control characters"
    if rule.pattern is not None and not rule.pattern.fullmatch(value):
        return rule.words
    if kind in _CALENDAR and not _on_the_calendar(value):
        return "a day that exists"
    if kind == "base64Binary" and len("".join(value.split())) % 4:
        return rule.words
    return None


def _on_the_calendar(value: str) -> bool:
    try:
        if "T" in value:
            instant(value)
        elif len(value) == 10:
            date.fromisoformat(value)
        else:
            return int(value[:4]) > 0
    except ValueError:
        return False
    return True


def instant(value: str) -> datetime:
    """An `instant`, or a `dateTime` that has a time, as an aware datetime (microseconds; a leap second is :59)."""
    head, _, tail = value.partition("T")
    clock = re.match(_CLOCK, tail)
    if clock is None:
        raise ValueError("no time of day")
    zone = tail[clock.end() :]
    whole, _, fraction = clock.group().partition(".")
    whole = whole[:-2] + "59" if whole.endswith(":60") else whole
    read = time.fromisoformat(f"{whole}.{fraction[:6]:0<6}")
    return datetime.combine(date.fromisoformat(head), read, datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo)
