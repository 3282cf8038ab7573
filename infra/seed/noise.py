"""The patients beside the twelve: drawn by lot from `noise.toml`, the same ones in every home."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random  # noqa: TID251  drawn by lot, always the same lot
from typing import Any

from infra.seed.cast import Demo, read_facts
from infra.seed.facts import Patient

IN_ALL = {"larkmoor": 200, "heronfield": 80}
FIRST_MRN = {"larkmoor": ("LM-{:06}", 201), "heronfield": ("HF-{}", 2001)}
BORN_FROM, BORN_TO = date(1932, 1, 1), date(2024, 12, 31)
MEDICARE_BORN_BEFORE = date(1961, 11, 1)
LINES = range(124, 190)  # the last four digits 0124 to 0189


def lot(*names: str) -> Random:
    """A lot of its own for each purpose, so that one list's length changes nothing in another."""
    return Random("/".join(names))  # noqa: S311


def generated_patients(demo: Demo) -> tuple[Patient, ...]:
    """As many as make 200 at Larkmoor and 80 at Heronfield; nobody has a name or birth date of the cast's."""
    return tuple(one for tenant in IN_ALL for one in _of(tenant, demo))


def _of(tenant: str, demo: Demo) -> Iterator[Patient]:
    facts, chance = read_facts("noise.toml"), lot("patients", tenant)
    sites, phones = list(demo.clinics[tenant].sites), _phones(facts["area_codes"][tenant], chance)
    pattern, first = FIRST_MRN[tenant]
    known = sum(1 for one in demo.patients if one.tenant == tenant)
    taken = {(one.family, one.given) for one in demo.patients}
    birthdays = {one.birth_date for one in demo.patients}
    for number in range(first, first + IN_ALL[tenant] - known):
        person = _person(facts, chance, taken)
        taken.add((person["family"], person["given"]))
        born = _birth_date(chance, birthdays)
        yield Patient(
            key=pattern.format(number),
            tenant=tenant,
            mrn=pattern.format(number),
            birth_date=born,
            site=chance.choices(sites, [6, 4][: len(sites)])[0],
            phone=next(phones),
            allergies=_some(facts["allergies"], chance, (60, 30, 10)),
            alerts=_some(facts["alerts"], chance, (80, 18, 2)),
            coverage=_coverage(facts["coverages"], born, chance),
            **person,
        )


def _person(facts: dict[str, Any], chance: Random, taken: set[tuple[str, str]]) -> dict[str, Any]:
    """A name that nobody has yet, the sex that goes with it and what is spoken."""
    while True:
        group = chance.choices(facts["names"], [one["weight"] for one in facts["names"]])[0]
        sex = chance.choice(("female", "male"))
        family, given = chance.choice(group["family"]), chance.choice(group[sex])
        if (family, given) not in taken:
            break
    foreign = group["language"] != "en" and chance.random() < 0.45
    language = group["language"] if foreign else "en"
    interpreter = foreign and chance.random() < 0.6
    return {"family": family, "given": given, "sex": sex, "language": language, "interpreter": interpreter}


def _birth_date(chance: Random, taken: set[date]) -> date:
    while True:
        born = BORN_FROM + timedelta(days=chance.randrange((BORN_TO - BORN_FROM).days))
        if born not in taken:
            return born


def _phones(codes: Sequence[int], chance: Random) -> Iterator[str]:
    """Each number once, in no order."""
    numbers = [f"({code}) 555-0{line}" for code in codes for line in LINES]
    return iter(chance.sample(numbers, len(numbers)))


def _some(words: Sequence[str], chance: Random, weights: tuple[int, ...]) -> tuple[str, ...]:
    """None, one or two of the words, as the weights say."""
    return tuple(sorted(chance.sample(words, chance.choices(range(len(weights)), weights)[0])))


def _coverage(choices: Sequence[str], born: date, chance: Random) -> str:
    if born < MEDICARE_BORN_BEFORE:
        return chance.choice(("Medicare Part B", "Medicare Part B, Coppergate supplement"))
    return chance.choice(choices)
