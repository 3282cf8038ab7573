"""Ids made from the facts' own keys, so that a second seeding finds what the first one made."""

from uuid import UUID, uuid5

_PLACE = UUID("5d0c2b3e-6c1d-5a55-9a27-0e6f6d3b8c41")


def identity(tenant: str, kind: str, key: str) -> UUID:
    """The same in every home."""
    return uuid5(_PLACE, f"{tenant}/{kind}/{key}")


def organization_id(tenant: str, key: str) -> str:
    """A partner's entry in a clinic's directory."""
    return str(identity(tenant, "organization", key))


def task_id(tenant: str, referral: str, organization: str) -> str:
    """The Task by which an organization fulfils a referral."""
    return str(identity(tenant, "task", f"{referral}/{organization}"))
