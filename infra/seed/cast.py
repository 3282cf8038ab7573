"""Reads `clinics.toml` and `cast.toml`; a fact that does not fit the others raises at once."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from activities.records.organization import Transport
from activities.records.service_request import PastStep
from infra.seed import people
from infra.seed.dates import Dates
from infra.seed.facts import Clinic, Contact, Medication, Partner, Patient, Phone, Pool, Problem, Referral, Site
from infra.seed.ids import organization_id, task_id
from rules.referral.history import Impossible, progress_after
from rules.referral.vocabulary import Facts, Priority, Reason, Stage, Step

HOME = "larkmoor"
CHART: Mapping[str, type[Any]] = {"problems": Problem, "medications": Medication, "phones": Phone, "contacts": Contact}


@dataclass(frozen=True)
class Demo:
    """Both clinics with their directories, the staff, the twelve patients and their referrals."""

    clinics: Mapping[str, Clinic]
    partners: Mapping[str, Partner]
    pools: tuple[Pool, ...]
    staff: people.Staff
    patients: tuple[Patient, ...]
    referrals: tuple[Referral, ...]

    def person(self, subject: str) -> people.Person:
        """One of the staff by her name at the identity provider."""
        return next(one for one in self.staff.people if one.subject == subject)


def read_facts(name: str) -> dict[str, Any]:
    """One of the files beside this one."""
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def load(now: datetime) -> Demo:
    """The demo as of `now`, the moment seeding ends."""
    place, cast, staff = read_facts("clinics.toml"), read_facts("cast.toml"), people.load()
    clinics = {one["tenant"]: _clinic(one) for one in place["clinics"]}
    partners = {one["key"]: _partner(one) for one in place["partners"]}
    patients = tuple(_patient(one) for one in cast["patients"])
    pools = tuple(
        Pool(**{**one, "covers": tuple(one["covers"]), "leads": tuple(one["leads"])}) for one in place["pools"]
    )
    demo = Demo(clinics, partners, pools, staff, patients, ())
    return replace(demo, referrals=tuple(_referral(one, demo, now) for one in cast["referrals"]))


def _clinic(entry: dict[str, Any]) -> Clinic:
    return Clinic(**{**entry, "sites": {one["key"]: Site(**one) for one in entry["sites"]}})


def _partner(entry: dict[str, Any]) -> Partner:
    lists = {name: tuple(entry[name]) for name in ("known_to", "services")}
    return Partner(**{**entry, **lists, "transport": Transport(entry["transport"])})


def _patient(entry: dict[str, Any]) -> Patient:
    lists = {name: tuple(entry.get(name, ())) for name in ("allergies", "alerts", "address")}
    chart = {name: tuple(_entry(kind, one) for one in entry.get(name, ())) for name, kind in CHART.items()}
    return Patient(**{**entry, **lists, **chart, "tenant": HOME})


def _entry(kind: type[Any], entry: dict[str, Any]) -> Any:
    """One line of a chart; a wrong key raises."""
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()})


def _referral(entry: dict[str, Any], demo: Demo, now: datetime) -> Referral:
    patient = next(one for one in demo.patients if one.key == entry["patient"])
    dates = Dates(now, ZoneInfo(demo.clinics[HOME].sites[patient.site].zone))
    task_of = partial(task_id, HOME, entry["key"])
    past = tuple(_step(one, demo, dates, task_of) for one in entry["steps"])
    opened_at, priority = dates.past(entry["opened"]), Priority(entry["priority"])
    progress = progress_after(past, priority, opened_at, organization_id(HOME, entry["to"]), task_of)
    if progress.stage is not Stage(entry["stage"]):
        raise Impossible(f"{entry['key']} is {entry['stage']}, but its steps lead to {progress.stage}")
    progress = replace(
        progress,
        since=dates.past(entry["since"]) if "since" in entry else progress.since,
        by_hand=demo.partners[entry["to"]].by_hand,
    )
    kept = {name: entry[name] for name in ("key", "number", "patient", "to", "service", "question")}
    return Referral(
        **kept,
        tenant=HOME,
        priority=priority,
        diagnoses=tuple(entry["diagnoses"]),
        site=patient.site,
        requester=demo.person(entry["requester"]),
        opened_by=demo.person(entry["opened_by"]),
        opened_at=opened_at,
        past=past,
        progress=progress,
    )


def _step(entry: dict[str, str], demo: Demo, dates: Dates, task_of: Callable[[str], str]) -> PastStep:
    """`by` is one of the staff or a partner; `visit` is the instant that the step speaks of.

    `to` is the partner it is sent to by this step, `from` the one who answers where there are several.
    """
    by = entry["by"]
    partner = demo.partners.get(by)
    facts = Facts(
        reason=Reason(entry["reason"]) if "reason" in entry else None,
        note=entry.get("note", ""),
        at=dates.appointment(entry["visit"]) if "visit" in entry else None,
        recipient=organization_id(HOME, entry["to"]) if "to" in entry else "",
        candidate=task_of(organization_id(HOME, entry["from"])) if "from" in entry else "",
        channel=entry.get("channel", ""),
        outcome=entry.get("outcome", ""),
    )
    actor = partner.name if partner else demo.person(by).name
    return PastStep(Step(entry["step"]), dates.past(entry["at"]), actor, facts)
