"""The demo clinics' keys: made before any process loads the ring, because none loads it twice."""

from infra.keys import add_key, has_key, load_ring
from infra.settings import Settings

TENANTS = ("larkmoor", "heronfield")


def give_keys(settings: Settings) -> tuple[str, ...]:
    """Adds what the ring lacks, and makes the ring if there is none; answers the clinics that had no key."""
    load_ring(settings)
    lacking = tuple(tenant for tenant in TENANTS if not has_key(settings, tenant))
    for tenant in lacking:
        add_key(settings, tenant)
    return lacking
