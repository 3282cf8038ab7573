"""The staff of the demo clinics and the programs of their partners, read from `people.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

_PLACE = UUID("8b0b34a5-92a5-4c0e-9f7e-6f6c1d3a5b10")


@dataclass(frozen=True)
class Clinic:
    tenant: str
    name: str
    domain: str


@dataclass(frozen=True)
class Away:
    """Days counted from D0, both included; `surrogate` is a subject."""

    first_day: int
    last_day: int
    surrogate: str


@dataclass(frozen=True)
class Person:
    """One member of staff; `subject` is the identity provider's name for her and never changes."""

    clinic: Clinic
    given: str
    family: str
    title: str
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    to_try: str
    identifier_tag: str
    credentials: str = ""
    npi: str | None = None
    dea: str | None = None
    cosigner: str | None = None
    away: Away | None = None

    @property
    def subject(self) -> str:
        return f"{self.given}.{self.family}".lower()

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}" + (f", {self.credentials}" if self.credentials else "")

    @property
    def email(self) -> str:
        return f"{self.subject}@{self.clinic.domain}"

    @property
    def account_id(self) -> UUID:
        """The same in every home, so that seeding again finds the account even under a new issuer address."""
        return uuid5(_PLACE, f"{self.clinic.tenant}/{self.subject}")


@dataclass(frozen=True)
class PartnerClient:
    """A partner's program: with a token it reaches the records of one clinic, within its SMART scopes."""

    client_id: str
    reaches: str
    organization: str
    name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Staff:
    people: tuple[Person, ...]
    clients: tuple[PartnerClient, ...]


def _person(entry: dict[str, Any], clinics: dict[str, Clinic], tag: str) -> Person:
    known = {**entry, "clinic": clinics[entry["clinic"]], "identifier_tag": tag}
    known["roles"], known["sites"] = tuple(entry["roles"]), tuple(entry["sites"])
    if "away" in entry:
        known["away"] = Away(**entry["away"])
    return Person(**known)


def load() -> Staff:
    """Everybody in the order of the file; a wrong key or an unknown clinic raises at once."""
    facts = tomllib.loads(Path(__file__).with_name("people.toml").read_text(encoding="utf-8"))
    clinics = {tenant: Clinic(tenant, **entry) for tenant, entry in facts["clinics"].items()}
    people = tuple(_person(entry, clinics, facts["identifier_tag"]) for entry in facts["people"])
    clients = tuple(PartnerClient(**{**entry, "scopes": tuple(entry["scopes"])}) for entry in facts["clients"])
    return Staff(people, clients)
