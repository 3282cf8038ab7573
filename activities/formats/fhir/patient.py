"""FHIR Patient."""

from dataclasses import dataclass
from datetime import date

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import (
    Address,
    Coding,
    Concept,
    Identifier,
    PersonName,
    Telecom,
    filled,
    read_addresses,
    read_concept,
    read_identifiers,
    read_name,
    read_telecoms,
    write_addresses,
    write_concept,
    write_identifier,
    write_name,
    write_telecoms,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked

INTERPRETER = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"


@dataclass(frozen=True)
class PatientContent:
    """`gender`: male, female, other, unknown or empty; `language`: a BCP 47 tag such as es or en-US.

    `birth_date` is None when a partner gave only a year or a month.
    """

    identifiers: tuple[Identifier, ...]
    name: PersonName
    birth_date: date | None
    gender: str = ""
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: str = ""
    interpreter: bool = False
    id: str = ""


def build_patient(content: PatientContent) -> Json:
    spoken = [{"language": write_concept(_language(content.language)), "preferred": True}]
    interpreter = [{"url": INTERPRETER, "valueBoolean": True}]
    return checked(
        filled(
            {
                "resourceType": "Patient",
                "id": content.id,
                "extension": interpreter if content.interpreter else None,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "name": [write_name(content.name)],
                "telecom": write_telecoms(content.telecoms),
                "gender": content.gender,
                "birthDate": content.birth_date.isoformat() if content.birth_date else None,
                "address": write_addresses(content.addresses),
                "communication": spoken if content.language else None,
            }
        )
    )


def _language(tag: str) -> Concept:
    return Concept((Coding(systems.LANGUAGE, tag),))


def read_patient(resource: Json) -> PatientContent:
    """From a checked Patient; a missing name is empty, for registration to refuse or to ask about."""
    born = resource.get("birthDate", "")
    return PatientContent(
        identifiers=read_identifiers(resource.get("identifier", [])),
        name=read_name(resource.get("name", [])) or PersonName(""),
        birth_date=date.fromisoformat(born) if len(born) == 10 else None,
        gender=resource.get("gender", ""),
        telecoms=read_telecoms(resource.get("telecom", [])),
        addresses=read_addresses(resource.get("address", [])),
        language=_preferred(resource.get("communication", [])),
        interpreter=any(
            one.get("url") == INTERPRETER and one.get("valueBoolean") is True for one in resource.get("extension", [])
        ),
        id=resource.get("id", ""),
    )


def _preferred(spoken: list[Json]) -> str:
    chosen = next((one for one in spoken if one.get("preferred")), spoken[0] if spoken else {})
    concept = read_concept(chosen.get("language")) or Concept()
    return next((coding.code for coding in concept.codings if coding.system == systems.LANGUAGE), "")
