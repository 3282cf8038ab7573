"""FHIR's shared data types: frozen values, how they are written, and how they are read from checked JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.formats.fhir import systems
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.primitives import instant


@dataclass(frozen=True)
class Coding:
    system: str
    code: str
    display: str = ""


@dataclass(frozen=True)
class Concept:
    """A CodeableConcept: codings in the order of preference, and the words a person wrote."""

    codings: tuple[Coding, ...] = ()
    text: str = ""

    @property
    def words(self) -> str:
        """What a person may read: the text, else the first display, else the first code; may be empty."""
        shown = [coding.display or coding.code for coding in self.codings]
        return self.text or next((one for one in shown if one), "")


@dataclass(frozen=True)
class Identifier:
    """`type_code` is one of table 0203: MR (record number), NPI, MB (member), PLAC (placer), FILL (filler)."""

    system: str
    value: str
    type_code: str = ""


@dataclass(frozen=True)
class Reference:
    """`reference` is relative (`Patient/<id>`), absolute, or `urn:uuid:…` inside a bundle."""

    reference: str
    display: str = ""


@dataclass(frozen=True)
class PersonName:
    family: str
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Telecom:
    """`system`: phone, fax, email, sms …; `use`: home, work, mobile or empty."""

    system: str
    value: str
    use: str = ""


@dataclass(frozen=True)
class Address:
    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = "US"


@dataclass(frozen=True)
class Note:
    text: str
    at: datetime | None = None
    author: str = ""


def filled(elements: Mapping[str, Any]) -> Json:
    """Without the elements that are None or empty: FHIR writes no nulls and no empty values."""
    return {name: value for name, value in elements.items() if value is not None and value not in ("", [], {})}


def moment(at: datetime | None) -> str | None:
    """An aware datetime as a FHIR instant, whole seconds unless it has a fraction."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def write_coding(coding: Coding) -> Json:
    return filled({"system": coding.system, "code": coding.code, "display": coding.display})


def write_concept(concept: Concept | None) -> Json | None:
    if concept is None:
        return None
    return filled({"coding": [write_coding(coding) for coding in concept.codings], "text": concept.text}) or None


def write_identifier(identifier: Identifier | None) -> Json | None:
    if identifier is None:
        return None
    kind = write_concept(Concept((Coding(systems.IDENTIFIER_TYPE, identifier.type_code),)))
    return filled(
        {
            "type": kind if identifier.type_code else None,
            "system": identifier.system,
            "value": identifier.value,
        }
    )


def write_reference(reference: Reference | None) -> Json | None:
    if reference is None:
        return None
    return filled({"reference": reference.reference, "display": reference.display})


def write_name(name: PersonName) -> Json:
    return filled({"family": name.family, "given": list(name.given)})


def write_telecoms(telecoms: Iterable[Telecom]) -> list[Json]:
    return [filled({"system": one.system, "value": one.value, "use": one.use}) for one in telecoms]


def write_addresses(addresses: Iterable[Address]) -> list[Json]:
    return [
        filled(
            {
                "line": list(one.lines),
                "city": one.city,
                "state": one.state,
                "postalCode": one.postal_code,
                "country": one.country,
            }
        )
        for one in addresses
    ]


def write_notes(notes: Iterable[Note]) -> list[Json]:
    return [filled({"authorString": note.author, "time": moment(note.at), "text": note.text}) for note in notes]


def read_concept(value: Json | None) -> Concept | None:
    if value is None:
        return None
    codings = [
        Coding(coding.get("system", ""), coding.get("code", ""), coding.get("display", ""))
        for coding in value.get("coding", [])
    ]
    return Concept(tuple(codings), value.get("text", ""))


def read_identifiers(values: Iterable[Json]) -> tuple[Identifier, ...]:
    return tuple(read_identifier(value) for value in values)


def read_identifier(value: Json) -> Identifier:
    kind = read_concept(value.get("type")) or Concept()
    code = next((one.code for one in kind.codings if one.system == systems.IDENTIFIER_TYPE), "")
    return Identifier(value.get("system", ""), value.get("value", ""), code)


def read_reference(value: Json | None) -> Reference | None:
    """None for one that is neither an address nor a name: a reference by identifier only cannot be followed."""
    if value is None or not ("reference" in value or "display" in value):
        return None
    return Reference(value.get("reference", ""), value.get("display", ""))


def read_name(values: list[Json]) -> PersonName | None:
    """The official name, else the first; a name given only as text becomes the family name."""
    chosen = next((name for name in values if name.get("use") == "official"), values[0] if values else None)
    if chosen is None:
        return None
    given = tuple(part for part in chosen.get("given", []) if part is not None)
    return PersonName(chosen.get("family") or chosen.get("text", ""), given)


def read_telecoms(values: Iterable[Json]) -> tuple[Telecom, ...]:
    return tuple(Telecom(one.get("system", ""), one["value"], one.get("use", "")) for one in values if "value" in one)


def read_addresses(values: Iterable[Json]) -> tuple[Address, ...]:
    return tuple(
        Address(
            tuple(line for line in one.get("line", []) if line is not None),
            one.get("city", ""),
            one.get("state", ""),
            one.get("postalCode", ""),
            one.get("country", ""),
        )
        for one in values
    )


def read_notes(values: Iterable[Json]) -> tuple[Note, ...]:
    return tuple(
        Note(one["text"], read_moment(one.get("time")), one.get("authorString", "")) for one in values if "text" in one
    )


def read_moment(value: str | None) -> datetime | None:
    """An aware datetime; None for a date without a time of day, which names no moment."""
    return instant(value) if value is not None and "T" in value else None
