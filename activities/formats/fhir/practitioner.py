"""FHIR Practitioner."""

from dataclasses import dataclass

from activities.formats.fhir import systems
from activities.formats.fhir.datatypes import (
    Identifier,
    PersonName,
    Telecom,
    filled,
    read_identifiers,
    read_name,
    read_telecoms,
    write_identifier,
    write_name,
    write_telecoms,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class PractitionerContent:
    """`npi` is ten digits, or empty."""

    name: PersonName
    npi: str = ""
    telecoms: tuple[Telecom, ...] = ()
    id: str = ""


def build_practitioner(content: PractitionerContent) -> Json:
    npi = [write_identifier(Identifier(systems.NPI, content.npi, "NPI"))]
    return checked(
        filled(
            {
                "resourceType": "Practitioner",
                "id": content.id,
                "identifier": npi if content.npi else None,
                "name": [write_name(content.name)],
                "telecom": write_telecoms(content.telecoms),
            }
        )
    )


def read_practitioner(resource: Json) -> PractitionerContent:
    identifiers = read_identifiers(resource.get("identifier", []))
    return PractitionerContent(
        name=read_name(resource.get("name", [])) or PersonName(""),
        npi=next((one.value for one in identifiers if one.system == systems.NPI), ""),
        telecoms=read_telecoms(resource.get("telecom", [])),
        id=resource.get("id", ""),
    )
