import pytest

from rules.access import HELD, Interaction, Permission, Role, clinician, granted, holders, may, scope, scope_allows

MATRIX = {
    "referral_coordinator": {
        Permission.REFERRAL_CREATE: True,
        Permission.REFERRAL_ACT: True,
        Permission.TASK_ASSIGN: True,
        Permission.REFERRAL_DECIDE: False,
        Permission.AUDIT_READ: False,
    },
    "clinician": {
        Permission.REFERRAL_DECIDE: True,
        Permission.QUEUE_READ: True,
        Permission.OPERATIONS_ACT: False,
        Permission.AUDIT_READ: False,
    },
    "nurse": {Permission.REFERRAL_DECIDE: False, Permission.REFERRAL_ACT: True, Permission.PATIENT_READ: True},
    "front_desk": {Permission.REFERRAL_CREATE: False, Permission.PATIENT_WRITE: True, Permission.TASK_ASSIGN: False},
    "intake": {Permission.REFERRAL_ACT: True, Permission.REFERRAL_DECIDE: False},
    "it": {
        Permission.OPERATIONS_ACT: True,
        Permission.MESSAGE_RAW_READ: True,
        Permission.PATIENT_READ: False,
        Permission.REFERRAL_READ: False,
    },
    "privacy_officer": {
        Permission.AUDIT_READ: True,
        Permission.REFERRAL_ACT: False,
        Permission.PATIENT_WRITE: False,
    },
    "auditor": {Permission.AUDIT_READ: True, Permission.TASK_CLAIM: False, Permission.PATIENT_WRITE: False},
    "biller": {Permission.QUEUE_READ: True, Permission.REFERRAL_ACT: False, Permission.PATIENT_WRITE: False},
    "medical_director": {Permission.REFERRAL_DECIDE: True, Permission.OPERATIONS_READ: True},
}


@pytest.mark.parametrize(
    ("role", "permission", "held"),
    [(role, permission, held) for role, row in MATRIX.items() for permission, held in row.items()],
)
def test_each_role_holds_what_the_matrix_says(role: str, permission: Permission, held: bool) -> None:
    assert may([role], permission) is held


def test_no_role_and_an_unknown_role_hold_nothing() -> None:
    assert granted([]) == granted(["root", "admin", "CLINICIAN", ""]) == frozenset()


def test_several_roles_hold_what_each_holds() -> None:
    assert granted(["it", "nurse"]) == HELD[Role.IT] | HELD[Role.NURSE]


def test_every_role_may_be_signed_in_and_every_permission_has_a_holder() -> None:
    assert all(Permission.SESSION in HELD[role] for role in Role)
    assert all(holders(permission) for permission in Permission)


def test_only_clinicians_and_the_medical_director_take_clinical_decisions() -> None:
    assert holders(Permission.REFERRAL_DECIDE) == (Role.CLINICIAN, Role.MEDICAL_DIRECTOR)
    assert not clinician(["trainee", "nurse", "medical_assistant"])


def test_whoever_reads_the_audit_writes_nothing_clinical() -> None:
    writes = {Permission.PATIENT_WRITE, Permission.DOCUMENT_WRITE, Permission.REFERRAL_CREATE, Permission.REFERRAL_ACT}
    assert all(not HELD[role] & writes for role in holders(Permission.AUDIT_READ))


@pytest.mark.parametrize(
    ("words", "resource", "interaction", "allowed"),
    [
        ("system/Task.rus", "Task", Interaction.UPDATE, True),
        ("system/Task.rus", "Task", Interaction.CREATE, False),
        ("system/Task.rus", "Patient", Interaction.READ, False),
        ("system/*.rs", "ServiceRequest", Interaction.SEARCH, True),
        ("system/*.rs", "ServiceRequest", Interaction.UPDATE, False),
        ("system/Task.read", "Task", Interaction.SEARCH, True),
        ("system/Task.write", "Task", Interaction.READ, False),
        ("user/Task.rus", "Task", Interaction.READ, False),
        ("openid system/Task.r", "Task", Interaction.READ, True),
        ("system/Task", "Task", Interaction.READ, False),
        ("", "Task", Interaction.READ, False),
    ],
)
def test_a_scope_allows_exactly_its_letters(words: str, resource: str, interaction: Interaction, allowed: bool) -> None:
    assert scope_allows(words.split(), resource, interaction) is allowed


@pytest.mark.parametrize(
    "text", ["system/Task.sr", "system/Task.rr", "system/Task.x", "system/.r", "patient/*.r", "system/Task.rs?code=1"]
)
def test_a_scope_outside_the_syntax_is_no_scope(text: str) -> None:
    assert scope(text) is None
