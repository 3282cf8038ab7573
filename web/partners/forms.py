"""The form that keeps a partner's entry in the directory up to date."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlsplit

from activities.records.as_paper import phone_words
from activities.records.organization import Organization, Transport
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView
from web.partners.present import packet_items

LONGEST, MOST_LINES = 200, 40
WAYS = (
    Choice(Transport.FHIR, "Connected", "referrals go out and answers come in by themselves"),
    Choice(Transport.PAPER, "Fax and phone", "somebody faxes, calls and records the answers"),
)
NOT_A_NUMBER = "Enter the whole number with its area code, for example (208) 555-0191."


@dataclass(frozen=True)
class Answered:
    """The fields as the directory keeps them, and per field what is wrong with its answer."""

    values: Mapping[str, object]
    errors: Mapping[str, str]


def read(form: Mapping[str, str], partner: Organization) -> Answered:
    """The answers of a posted form."""
    services = words_of(form.get("services", ""))
    values: dict[str, object] = {
        "phone": number(form.get("phone", "")),
        "fax": number(form.get("fax", "")),
        "hours": form.get("hours", "").strip()[:LONGEST],
        "transport": form.get("transport", ""),
        "fhir_address": form.get("fhir_address", "").strip().rstrip("/"),
        "services": services,
        "plans": words_of(form.get("plans", "")),
        "next_open_on": _day(form.get("next_open_on", "")),
        "packet": {one: lines for one in services if (lines := _lines(form, partner, one))},
    }
    return Answered(values, _wrong(form, values))


def _wrong(form: Mapping[str, str], values: Mapping[str, object]) -> dict[str, str]:
    errors = {name: NOT_A_NUMBER for name in ("phone", "fax") if values[name] is None}
    if values["transport"] not in set(Transport):
        errors["transport"] = "Choose how this partner is reached."
    address = str(values["fhir_address"])
    if values["transport"] == Transport.FHIR and urlsplit(address).scheme not in ("https", "http"):
        errors["fhir_address"] = "Enter the address of the partner's FHIR server, beginning with https://."
    if not values["services"]:
        errors["services"] = "Enter at least one service, for example Cardiology."
    if form.get("next_open_on") and values["next_open_on"] is None:
        errors["next_open_on"] = "Enter the day as MM/DD/YYYY."
    return errors


def entry_form(
    partner: Organization, version: int, form: Mapping[str, str], errors: Mapping[str, str], problem: str = ""
) -> FormView:
    """The questions, with what was typed kept."""
    url = f"/partners/{partner.id}"
    return FormView(
        title=f"Entry of {partner.name}",
        url=f"{url}/entry",
        submit="Save the entry",
        groups=tuple(
            FieldGroup(tuple(_kept(one, form, errors) for one in fields), title) for title, fields in _groups(partner)
        ),
        sends=(("version", str(version)),),
        problem=problem,
        told="Referrals that are sent from now on use it; those sent already stay as they were.",
        cancel_url=url,
    )


def _groups(partner: Organization) -> tuple[tuple[str, tuple[FieldView, ...]], ...]:
    day = partner.next_open_on.isoformat() if partner.next_open_on else ""
    reach = (
        FieldView("transport", "How referrals are sent", FieldKind.CHOICE, (partner.transport,), WAYS),
        _text("fhir_address", "FHIR address", partner.fhir_address),
        replace(_text("phone", "Phone", phone_words(partner.phone)), kind=FieldKind.PHONE),
        replace(_text("fax", "Fax", phone_words(partner.fax)), kind=FieldKind.PHONE),
        _text("hours", "When the phone is answered", partner.hours, "For example: 8 AM to 4 PM, ext. 3"),
    )
    takes = (
        replace(_text("services", "Services", ", ".join(partner.services), "Separated by commas"), required=True),
        _text("plans", "Plans taken", ", ".join(partner.plans), "Separated by commas"),
        replace(_text("next_open_on", "Next open date", day, "As last heard from their office"), kind=FieldKind.DATE),
    )
    packets = tuple(
        replace(
            _text(packet_name(partner, one), one, "\n".join(packet_items(partner, one)), "One record a line"),
            kind=FieldKind.LONG_TEXT,
        )
        for one in partner.services
    )
    return (("Reach", reach), ("What they take", takes), ("Records they want, by service", packets))


def _text(name: str, label: str, value: str, hint: str = "") -> FieldView:
    return FieldView(name, label, values=(value,) if value else (), hint=hint, required=False, longest=LONGEST)


def _kept(field: FieldView, form: Mapping[str, str], errors: Mapping[str, str]) -> FieldView:
    values = (form[field.name],) if field.name in form else field.values
    return replace(field, values=values, error=errors.get(field.name, ""))


def packet_name(partner: Organization, service: str) -> str:
    """The field of a service's checklist."""
    return f"packet-{partner.services.index(service)}" if service in partner.services else ""


def _lines(form: Mapping[str, str], partner: Organization, service: str) -> list[str]:
    text = form.get(packet_name(partner, service), "")
    return [line.strip()[:LONGEST] for line in text.splitlines() if line.strip()][:MOST_LINES]


def words_of(text: str) -> list[str]:
    """Comma-separated words, each once."""
    return list(dict.fromkeys(one.strip()[:LONGEST] for one in text.split(",") if one.strip()))[:MOST_LINES]


def number(text: str) -> str | None:
    """A phone number as `+12085550191`; None for something else, empty for nothing."""
    digits = re.sub(r"\D", "", text)
    if not text.strip():
        return ""
    if len(digits) == 10:
        return f"+1{digits}"
    return f"+{digits}" if len(digits) == 11 and digits.startswith("1") else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
