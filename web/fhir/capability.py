"""What the FHIR door offers, for machines: its CapabilityStatement."""

from activities.formats.fhir.operation_outcome import Json
from activities.formats.fhir.render import checked
from activities.formats.fhir.search import PARAMETERS

_TYPES = {"status": "token", "identifier": "token", "group-identifier": "token", "_id": "token", "_lastUpdated": "date"}
_OFFERED = {
    "Task": ("read", "search-type", "update"),
    "ServiceRequest": ("read", "search-type"),
    "Patient": ("read",),
    "DocumentReference": ("create",),
    "Binary": ("create",),
}
_SMART = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "SMART-on-FHIR",
}


def capability_statement(base: str, token_url: str = "") -> Json:
    """`base` is our FHIR address; `token_url` where tokens for it are issued."""
    return checked(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-01-01",
            "kind": "instance",
            "software": {"name": "Careloop"},
            "implementation": {"description": "Referrals: the Task each partner answers", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "security": _security(token_url),
                    "resource": [_resource(kind) for kind in _OFFERED],
                    "interaction": [{"code": "transaction"}],
                }
            ],
        }
    )


def _security(token_url: str) -> Json:
    offered: Json = {
        "service": [{"coding": [_SMART]}],
        "description": "OAuth 2 client credentials with system scopes, such as system/Task.rus.",
    }
    if token_url:
        address = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
        offered["extension"] = [{"url": address, "extension": [{"url": "token", "valueUri": token_url}]}]
    return offered


def _resource(kind: str) -> Json:
    offered: Json = {
        "type": kind,
        "interaction": [{"code": code} for code in _OFFERED[kind]],
        "versioning": "versioned-update" if kind == "Task" else "no-version",
        "updateCreate": False,
    }
    if kind == "DocumentReference":
        offered["conditionalCreate"] = True
    if kind in PARAMETERS:
        offered["searchParam"] = [{"name": name, "type": _TYPES.get(name, "reference")} for name in PARAMETERS[kind]]
    return offered
