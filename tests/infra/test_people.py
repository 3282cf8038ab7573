import re

from infra.seed.people import load
from rules.access import Role, scope


def test_everybody_of_the_cast_has_a_role_that_exists_and_a_subject_of_her_own() -> None:
    people = load().people

    assert len(people) == 23
    assert len({person.subject for person in people}) == len({person.account_id for person in people}) == 23
    assert all(person.roles and set(person.roles) <= set(Role) for person in people)
    assert {person.clinic.tenant for person in people} == {"larkmoor", "heronfield"}


def test_every_npi_has_its_check_digit_and_is_tagged_synthetic() -> None:
    numbered = [person for person in load().people if person.npi]

    assert len(numbered) == 8
    assert all(_luhn("80840" + str(person.npi)) and str(person.npi).startswith("2") for person in numbered)
    assert all(person.identifier_tag == "synthetic" for person in numbered)


def test_addresses_are_first_dot_last_at_the_clinics_example_domain() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z-]+@[a-z]+\.example", person.email) for person in load().people)


def test_surrogates_and_cosigners_are_people_of_the_same_clinic() -> None:
    people = {person.subject: person for person in load().people}
    named = [
        (person, other)
        for person in people.values()
        for other in (person.cosigner, person.away and person.away.surrogate)
        if other
    ]

    assert len(named) == 2
    assert all(people[other].clinic == person.clinic for person, other in named)


def test_every_partner_reaches_a_known_clinic_with_scopes_we_can_read() -> None:
    staff = load()
    tenants = {person.clinic.tenant for person in staff.people}

    assert {client.client_id for client in staff.clients} >= {"larkmoor-platform", "heronfield-platform"}
    assert all(client.reaches in tenants and client.reaches != client.organization for client in staff.clients)
    assert all(scope(word) for client in staff.clients for word in client.scopes)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
