"""Who may do what: permissions, the roles that hold them, and the predicates between. Nothing unnamed is allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody does at a clinic; an account holds one or more."""

    FRONT_DESK = "front_desk"
    SCHEDULER = "scheduler"
    REFERRAL_COORDINATOR = "referral_coordinator"
    INTAKE = "intake"
    MEDICAL_ASSISTANT = "medical_assistant"
    PRESCRIBER_DELEGATE = "prescriber_delegate"
    NURSE = "nurse"
    RESULTS_NURSE = "results_nurse"
    CLINICIAN = "clinician"
    TRAINEE = "trainee"
    MEDICAL_DIRECTOR = "medical_director"
    CHARGE_ENTRY = "charge_entry"
    CODER = "coder"
    BILLER = "biller"
    DENIAL_SPECIALIST = "denial_specialist"
    PAYMENT_POSTER = "payment_poster"
    AR_MANAGER = "ar_manager"
    PRIVACY_OFFICER = "privacy_officer"
    IT = "it"
    RULES_STEWARD = "rules_steward"
    AUDITOR = "auditor"
    ORGANIZATION_ADMIN = "organization_admin"


class Permission(StrEnum):
    SESSION = "session"  # to be signed in at all
    QUEUE_READ = "queue.read"
    TASK_CLAIM = "task.claim"  # claim, release, snooze and complete what is one's own or one's pool's
    TASK_ASSIGN = "task.assign"  # give a task to somebody else
    PATIENT_READ = "patient.read"
    PATIENT_WRITE = "patient.write"
    DOCUMENT_READ = "document.read"
    DOCUMENT_WRITE = "document.write"
    PARTNER_READ = "partner.read"
    PARTNER_WRITE = "partner.write"
    REFERRAL_READ = "referral.read"
    REFERRAL_CREATE = "referral.create"
    REFERRAL_ACT = "referral.act"  # steps any member of staff may record: attempts, bookings, chases
    REFERRAL_DECIDE = "referral.decide"  # clinical steps: triage, review, advice, priority, expiry
    OPERATIONS_READ = "operations.read"
    OPERATIONS_ACT = "operations.act"  # retry, release or reject a message; reconcile
    MESSAGE_RAW_READ = "message.raw.read"  # the bytes a partner sent or got
    AUDIT_READ = "audit.read"
    ACCOUNT_WRITE = "account.write"


P = Permission
_SIGNED_IN = frozenset({P.SESSION})
_CHART = frozenset({P.PATIENT_READ, P.DOCUMENT_READ, P.PARTNER_READ, P.REFERRAL_READ})
_WORK = _SIGNED_IN | _CHART | {P.QUEUE_READ, P.TASK_CLAIM}
_DESK = _WORK | {P.PATIENT_WRITE, P.DOCUMENT_WRITE, P.REFERRAL_ACT}
_COORDINATION = _DESK | {P.REFERRAL_CREATE, P.TASK_ASSIGN, P.PARTNER_WRITE, P.MESSAGE_RAW_READ}
_CLINIC = _DESK | {P.REFERRAL_CREATE, P.TASK_ASSIGN}
_CLINICIAN = _CLINIC | {P.REFERRAL_DECIDE}
_MONEY = _SIGNED_IN | {P.QUEUE_READ, P.TASK_CLAIM, P.PATIENT_READ, P.DOCUMENT_READ, P.REFERRAL_READ}

HELD: dict[Role, frozenset[Permission]] = {
    Role.FRONT_DESK: _DESK,
    Role.SCHEDULER: _DESK,
    Role.REFERRAL_COORDINATOR: _COORDINATION,
    Role.INTAKE: _COORDINATION,
    Role.MEDICAL_ASSISTANT: _CLINIC,
    Role.PRESCRIBER_DELEGATE: _CLINIC,
    Role.NURSE: _CLINIC,
    Role.RESULTS_NURSE: _CLINIC,
    Role.CLINICIAN: _CLINICIAN,
    Role.TRAINEE: _CLINIC,
    Role.MEDICAL_DIRECTOR: _CLINICIAN | {P.OPERATIONS_READ},
    Role.CHARGE_ENTRY: _MONEY,
    Role.CODER: _MONEY,
    Role.BILLER: _MONEY,
    Role.DENIAL_SPECIALIST: _MONEY,
    Role.PAYMENT_POSTER: _MONEY,
    Role.AR_MANAGER: _MONEY | {P.TASK_ASSIGN, P.OPERATIONS_READ},
    Role.PRIVACY_OFFICER: _SIGNED_IN | _CHART | {P.QUEUE_READ, P.TASK_CLAIM, P.AUDIT_READ},
    Role.IT: _SIGNED_IN
    | {
        P.QUEUE_READ,
        P.TASK_CLAIM,
        P.OPERATIONS_READ,
        P.OPERATIONS_ACT,
        P.MESSAGE_RAW_READ,
        P.PARTNER_READ,
        P.PARTNER_WRITE,
    },
    Role.RULES_STEWARD: _SIGNED_IN | {P.QUEUE_READ, P.TASK_CLAIM, P.OPERATIONS_READ},
    # Audit readers cannot edit: no claim, no write.
    Role.AUDITOR: _SIGNED_IN | _CHART | {P.AUDIT_READ},
    Role.ORGANIZATION_ADMIN: _SIGNED_IN
    | {
        P.QUEUE_READ,
        P.TASK_CLAIM,
        P.TASK_ASSIGN,
        P.OPERATIONS_READ,
        P.PARTNER_READ,
        P.PARTNER_WRITE,
        P.ACCOUNT_WRITE,
    },
}

_ROLES = {str(role): role for role in Role}


def granted(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything these roles hold together; a word that is no role holds nothing."""
    return frozenset().union(*(HELD.get(_ROLES[word], frozenset()) for word in roles if word in _ROLES))


def may(roles: Iterable[str], permission: Permission) -> bool:
    """Whether any of the roles holds the permission."""
    return permission in granted(roles)


def clinician(roles: Iterable[str]) -> bool:
    """Whether steps that need a clinician's licence may be taken under these roles."""
    return may(roles, Permission.REFERRAL_DECIDE)


def holders(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold a permission, for the sentence that says whom to ask."""
    return tuple(role for role in Role if permission in HELD.get(role, frozenset()))


class Interaction(StrEnum):
    """The letters of a SMART v2 scope, in the order the specification requires."""

    CREATE = "c"
    READ = "r"
    UPDATE = "u"
    DELETE = "d"
    SEARCH = "s"


@dataclass(frozen=True)
class Scope:
    """One SMART App Launch 2 system scope: `system/Task.rus`, or `system/*.rs` for every resource."""

    resource: str
    interactions: frozenset[Interaction]

    def allows(self, resource: str, interaction: Interaction) -> bool:
        return self.resource in ("*", resource) and interaction in self.interactions


_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}


def scope(text: str) -> Scope | None:
    """The system scope in a word of an access token; None for any other word (`openid`, `user/…`)."""
    level, _, rest = text.partition("/")
    resource, _, letters = rest.partition(".")
    letters = _VERSION_1.get(letters, letters)
    # A scope narrowed by a query (`.rs?code=…`) is not taken: reading it as the whole type would widen it.
    if level != "system" or not resource or not letters or not is_ordered(letters):
        return None
    return Scope(resource, frozenset(Interaction(letter) for letter in letters))


def is_ordered(letters: str) -> bool:
    """SMART App Launch 2, scope syntax: a subset of `cruds`, each letter once, in that order."""
    places = ["cruds".find(letter) for letter in letters]
    return -1 not in places and places == sorted(set(places))


def scope_allows(scopes: Iterable[str], resource: str, interaction: Interaction) -> bool:
    """Whether any of a bearer's scopes covers this interaction with this resource type."""
    return any(held.allows(resource, interaction) for word in scopes if (held := scope(word)) is not None)
