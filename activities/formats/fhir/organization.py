"""FHIR Organization."""

from dataclasses import dataclass

from activities.formats.fhir.datatypes import (
    Address,
    Identifier,
    Telecom,
    filled,
    read_addresses,
    read_identifiers,
    read_telecoms,
    write_addresses,
    write_identifier,
    write_telecoms,
)
from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked


@dataclass(frozen=True)
class OrganizationContent:
    name: str
    identifiers: tuple[Identifier, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    addresses: tuple[Address, ...] = ()
    id: str = ""


def build_organization(content: OrganizationContent) -> Json:
    return checked(
        filled(
            {
                "resourceType": "Organization",
                "id": content.id,
                "identifier": [write_identifier(one) for one in content.identifiers],
                "name": content.name,
                "telecom": write_telecoms(content.telecoms),
                "address": write_addresses(content.addresses),
            }
        )
    )


def read_organization(resource: Json) -> OrganizationContent:
    return OrganizationContent(
        name=resource.get("name", ""),
        identifiers=read_identifiers(resource.get("identifier", [])),
        telecoms=read_telecoms(resource.get("telecom", [])),
        addresses=read_addresses(resource.get("address", [])),
        id=resource.get("id", ""),
    )
