"""The audit is whole: nothing was changed, taken away or slipped in, and nothing stays unsealed."""

from collections.abc import Iterator

from activities.records import audit_seal
from infra.verify.finding import Clinic, Finding


def check(clinic: Clinic) -> Iterator[Finding]:
    for words in audit_seal.verify(clinic.sessions, clinic.ring, clinic.tenant):
        yield Finding("audit", words)
