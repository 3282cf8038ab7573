"""Connections to the partners of the directory, made when first needed and kept."""

import time
from threading import Lock

import httpx

from activities.partners.base import Partner, Repeatable
from activities.partners.bearer_token import ClientCredentials
from activities.partners.fhir_server import FhirServer
from activities.partners.fhir_task import FhirTask
from activities.records.organization import Organization
from activities.referral.outgoing import ANSWER, BUNDLE, UPDATE
from infra.settings import Settings


class Directory:
    """Gives the connection to an organization for a kind of message; one for each address, kind and profile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client()
        self._known: dict[tuple[str, str, str, bool], Partner] = {}
        self._lock = Lock()

    def __call__(self, organization: Organization, kind: str = BUNDLE) -> Partner:
        with self._lock:
            key = (str(organization.id), organization.fhir_address, kind, organization.repeatable)
            if key not in self._known:
                self._known[key] = self._connect(organization, kind)
            return self._known[key]

    def _connect(self, organization: Organization, kind: str) -> Partner:
        name, address, tokens = organization.name, organization.fhir_address, self._tokens(organization)
        if kind == ANSWER:
            return FhirTask(name, address, tokens, self._http, time.monotonic)
        # Word of a change is put where it belongs, whatever the partner makes of a referral sent twice.
        repeatable = Repeatable.YES if organization.repeatable or kind == UPDATE else Repeatable.NO
        return FhirServer(name, address, tokens, self._http, repeatable, time.monotonic)

    def _tokens(self, organization: Organization) -> ClientCredentials:
        client_id = f"{organization.tenant}-platform"
        return ClientCredentials(
            organization.name,
            f"{self._settings.oidc_issuer}/token",
            client_id,
            self._secret(client_id),
            "",
            self._http,
            time.monotonic,
        )

    def _secret(self, client_id: str) -> str:
        """Ours at the partners' identity provider; in development the simulated provider has left it here."""
        return (self._settings.home / "identity" / f"{client_id}.secret").read_text().strip()


def make_directory(settings: Settings) -> Directory:
    """The directory of one process."""
    return Directory(settings)
