"""The lines of a chart in words: what a patient has, takes and must not be given, and how she is reached."""

from activities.records.allergy import Severity
from activities.records.as_paper import phone_words
from activities.records.condition import Condition
from activities.records.medication_statement import MedicationStatement
from activities.records.patient_contact import ContactRole, PatientContact
from activities.records.patient_telecom import PatientTelecom
from activities.records.queries.summary import Summary
from rules.consent import Sensitivity
from web.patients.present import AllergyRow, ChartRow
from web.present import Tag, Tone, us_date
from web.referrals.present import Fact

LANGUAGES = {
    "en": "English", "es": "Spanish", "eu": "Basque", "bs": "Bosnian", "vi": "Vietnamese", "ne": "Nepali",
    "so": "Somali", "ru": "Russian", "ar": "Arabic", "fr": "French", "zh": "Chinese", "sw": "Swahili", "fa": "Persian",
}  # fmt: skip
ROLES = {
    ContactRole.GUARDIAN: "Guardian",
    ContactRole.EMERGENCY: "Emergency contact",
    ContactRole.CAREGIVER: "Caregiver",
    ContactRole.NEXT_OF_KIN: "Next of kin",
    ContactRole.OTHER: "Contact",
}
RANKS = ("Primary", "Secondary", "Third")
PART_2 = Tag("Part 2", Tone.WARN, "lock")
SEVERE = Tag("Severe", Tone.DANGER, "alert-triangle")


def allergy_rows(chart: Summary) -> tuple[AllergyRow, ...]:
    """The severest first."""
    severe = Severity.SEVERE
    return tuple(
        AllergyRow(one.substance, one.reaction, SEVERE if one.severity == severe else None) for one in chart.allergies
    )


def problem_rows(chart: Summary) -> tuple[ChartRow, ...]:
    return tuple(ChartRow(one.text, one.code, _label(one)) for one in chart.problems)


def medication_rows(chart: Summary) -> tuple[ChartRow, ...]:
    return tuple(ChartRow(one.medication, _taken(one), _label(one)) for one in chart.medications)


def coverage_rows(chart: Summary) -> tuple[ChartRow, ...]:
    """The member id stays sealed."""
    ranks = (*RANKS, *("Further" for _ in chart.coverages))
    return tuple(ChartRow(one.words, rank) for one, rank in zip(chart.coverages, ranks, strict=False))


def reach(chart: Summary) -> tuple[Fact, ...]:
    """How to reach her, best first, and who else may be asked."""
    patient = chart.patient
    phones = tuple(_telecom(one) for one in chart.telecoms)
    spoken = LANGUAGES.get(patient.language, patient.language)
    return (
        Fact("Phone", phones or (phone_words(patient.phone) or "Not recorded",)),
        *(Fact(ROLES[ContactRole(one.role)], (_contact(one),)) for one in chart.contacts),
        Fact("Language", (spoken,)),
        Fact("Interpreter", ("Needed" if patient.interpreter else "Not needed",)),
    )


def _telecom(row: PatientTelecom) -> str:
    said = [
        ("texts", row.sms_ok),
        ("voice only", row.voice_only),
        ("shared", row.shared),
        ("confidential visits only", row.confidential),
        ("wrong number", row.wrong),
    ]
    marks = ", ".join(words for words, holds in said if holds)
    number = phone_words(row.value) if row.system == "phone" else row.value
    return f"{number} ({marks})" if marks else number


def _contact(row: PatientContact) -> str:
    name = f"{row.name} ({row.relation})" if row.relation else row.name
    return f"{name}, {phone_words(row.phone)}" if row.phone else name


def _taken(row: MedicationStatement) -> str:
    since = f"since {us_date(row.starts_on)}" if row.starts_on else ""
    return ", ".join(part for part in (row.dosage, since) if part)


def _label(row: Condition | MedicationStatement) -> Tag | None:
    return PART_2 if Sensitivity.PART_2 in row.sensitivity else None
