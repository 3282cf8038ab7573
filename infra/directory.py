"""Connections to the partners of the directory, made when first needed and kept."""

import time
from collections.abc import Callable
from threading import Lock

import httpx

from activities.partners.base import Partner, Repeatable
from activities.partners.bearer_token import ClientCredentials
from activities.partners.fhir_server import FhirServer
from activities.records.organization import Organization
from infra.settings import Settings

SCOPE = "system/Task.crus system/ServiceRequest.crus system/Patient.crus system/DocumentReference.crs"


class Directory:
    """Gives the connection to an organization; one per organization and address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client()
        self._known: dict[tuple[str, str], Partner] = {}
        self._lock = Lock()

    def __call__(self, organization: Organization) -> Partner:
        with self._lock:
            key = (str(organization.id), organization.fhir_address)
            if key not in self._known:
                self._known[key] = self._connect(organization)
            return self._known[key]

    def _connect(self, organization: Organization) -> Partner:
        repeatable = Repeatable.YES if organization.repeatable else Repeatable.NO
        tokens = self._tokens(organization)
        return FhirServer(organization.name, organization.fhir_address, tokens, self._http, repeatable, time.monotonic)

    def _tokens(self, organization: Organization) -> ClientCredentials:
        client_id = f"{organization.tenant}-platform"
        return ClientCredentials(
            organization.name,
            f"{self._settings.oidc_issuer}/token",
            client_id,
            self._secret(client_id),
            SCOPE,
            self._http,
            time.monotonic,
        )

    def _secret(self, client_id: str) -> str:
        """Ours at the partners' identity provider; in development the simulated provider has left it here."""
        return (self._settings.home / "identity" / f"{client_id}.secret").read_text().strip()


def make_directory(settings: Settings) -> Callable[[Organization], Partner]:
    """The directory of one process."""
    return Directory(settings)
