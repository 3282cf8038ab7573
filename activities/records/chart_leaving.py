"""The part of a chart that goes along with a referral: the minimum that the specialist needs, on paper or as FHIR."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from activities.formats.fhir.allergy_intolerance import NO_KNOWN_ALLERGY, AllergyContent
from activities.formats.fhir.condition import ConditionContent
from activities.formats.fhir.coverage import CoverageContent
from activities.formats.fhir.datatypes import Coding, Concept, Identifier, Reference
from activities.formats.fhir.medication_statement import MedicationContent
from activities.formats.fhir.systems import ICD10
from activities.records.condition import Condition
from activities.records.coverage import Coverage, CoverageKind, member_of
from activities.records.queries.summary import Summary
from activities.records.ring import KeyRing
from rules.consent import may_leave
from rules.referral.vocabulary import Consent

BLANK = Reference("")


@dataclass(frozen=True)
class Leaving:
    """The chart as it goes out with a referral: the tuples of the same names in a `Referral`."""

    coverages: tuple[CoverageContent, ...] = ()
    conditions: tuple[ConditionContent, ...] = ()
    problems: tuple[ConditionContent, ...] = ()
    allergies: tuple[AllergyContent, ...] = ()
    medications: tuple[MedicationContent, ...] = ()


def leaving(chart: Summary, consent: Consent | None) -> Summary:
    """Present problems, medications and allergies, and the primary coverage; Part 2 items with consent only.

    Former names stay behind; of her numbers only `open_telecoms` may be told.
    """
    return replace(
        chart,
        problems=tuple(one for one in chart.problems if may_leave(one.sensitivity, consent)),
        medications=tuple(one for one in chart.medications if may_leave(one.sensitivity, consent)),
        coverages=chart.coverages[:1],
        names=(),
    )


def contents(ring: KeyRing, base: str, chart: Summary, diagnoses: Iterable[str]) -> Leaving:
    """A chart that may leave, as FHIR; `conditions` are those of the diagnoses it is sent for."""
    asked = set(diagnoses)
    return Leaving(
        tuple(_coverage(ring, base, one) for one in chart.coverages if one.kind != CoverageKind.SELF_PAY),
        tuple(_condition(base, one) for one in chart.problems if one.code in asked),
        tuple(_condition(base, one) for one in chart.problems if one.code not in asked),
        _allergies(base, chart),
        tuple(
            MedicationContent(
                BLANK,
                Concept(text=one.medication),
                (_named(base, one.tenant, "medication", str(one.id)),),
                one.dosage,
                one.status,
                one.starts_on,
            )
            for one in chart.medications
        ),
    )


def _coverage(ring: KeyRing, base: str, row: Coverage) -> CoverageContent:
    return CoverageContent(
        beneficiary=BLANK,
        payor=Reference("", row.words),
        subscriber_id=member_of(ring, row),
        relationship=row.relationship,
        plan=row.plan,
        order=row.rank,
        identifiers=(_named(base, row.tenant, "coverage", str(row.id)),),
    )


def _condition(base: str, row: Condition) -> ConditionContent:
    codings = (Coding(ICD10, row.code, row.text),) if row.code else ()
    key = _named(base, row.tenant, "condition", str(row.id))
    return ConditionContent(BLANK, Concept(codings, row.text), (key,), row.clinical_status)


def _allergies(base: str, chart: Summary) -> tuple[AllergyContent, ...]:
    named = tuple(
        AllergyContent(
            BLANK,
            Concept(text=one.substance),
            (_named(base, one.tenant, "allergy", str(one.id)),),
            one.reaction,
            one.severity,
            recorded_on=one.recorded_on,
        )
        for one in chart.allergies
    )
    if named or chart.none_known_on is None:
        return named
    key = _named(base, chart.patient.tenant, "no-known-allergy", str(chart.patient.id))
    return (AllergyContent(BLANK, Concept((NO_KNOWN_ALLERGY,)), (key,), recorded_on=chart.none_known_on),)


def _named(base: str, tenant: str, kind: str, key: str) -> Identifier:
    return Identifier(f"{base}/identifier/{tenant}/{kind}", key)
