"""Whether a partner is known to take a patient's plan, before payers are connected."""

from collections.abc import Iterable

SELF_PAY = "self-pay"


def covered(coverage: str, plans: Iterable[str]) -> bool:
    """True when the patient pays herself or one of the partner's plans is the patient's; unknown is False."""
    held = coverage.casefold()
    return SELF_PAY in held or any(plan.casefold() in held for plan in plans if plan)
