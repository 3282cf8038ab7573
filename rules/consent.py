"""What may leave the clinic: labels of sensitive items, and the written consent that some of them need."""

from collections.abc import Iterable
from enum import StrEnum

from rules.referral.vocabulary import Consent


class Sensitivity(StrEnum):
    """Labels of a resource. PART_2 comes from a substance-use programme under 42 CFR Part 2."""

    PART_2 = "part-2"
    SUBSTANCE_USE = "substance-use"
    HIV = "hiv"
    BEHAVIORAL = "behavioral"
    SEXUAL = "sexual"
    GENETIC = "genetic"
    VIOLENCE = "violence"


def may_leave(labels: Iterable[str], consent: Consent | None) -> bool:
    """Part 2 items go out with the patient's written consent only (42 CFR 2.31, 2.33); the others for treatment."""
    return consent is Consent.ON_FILE or Sensitivity.PART_2 not in labels
