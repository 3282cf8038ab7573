"""The one next action of a referral, with the buttons that are legal for whoever looks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from activities.records.as_paper import phone_words
from activities.records.queries.case import Case
from rules.access import Permission, clinician
from rules.referral.steps import legal
from rules.referral.vocabulary import By, Progress, Step
from rules.referral.waits import waiting, worded
from web.access import Person
from web.present import Act, Owner, due_words
from web.referrals.present import NextAction
from web.referrals.shown import Shown
from web.referrals.sides import label
from web.referrals.standing import due_of
from web.signed_in import owner

POOL_WORDS = {
    "referral_coordinator": "Referral coordinators",
    "clinician": "Clinicians",
    "intake": "Intake",
    "medical_director": "Medical director",
    "organization_admin": "Administrators",
}
# What the page offers beside the one filled button; the rest lies under "More".
QUIET = (Step.CLOSURE, Step.CANCELLATION, Step.EXPIRY, Step.PRIORITY_CHANGE, Step.NEW_RECIPIENT)


def pool_words(pool: str) -> str:
    """Who works in a pool, as people say it."""
    return POOL_WORDS.get(pool) or pool.replace("_", " ").capitalize() or "Nobody yet"


def by_of(person: Person) -> By:
    """Whether this person's steps are a clinician's."""
    return By.CLINICIAN if clinician(person.roles) else By.STAFF


def next_action(
    case: Case, progress: Progress, person: Person, now: datetime, zone: ZoneInfo, shown: Shown
) -> NextAction | None:
    """The one thing to do, with the buttons that are legal for this person now."""
    wait = waiting(progress)
    if wait is None:
        return None
    told = worded(wait, progress, case.partner.name, zone.key)
    due_at = due_of(case)
    return NextAction(
        words=case.process.next_action or told.action,
        why=f"{told.why}.",
        due=due_words(due_at, now, zone) if due_at else None,
        owner=_owner(case, person),
        if_missed=f"Goes to {pool_words(wait.pool).lower()}",
        acts=_acts(shown, progress, person, wait.step) if person.may(Permission.REFERRAL_ACT) else (),
        phone=phone_words(case.partner.phone) if wait.person else "",
        phone_words=f"{case.partner.name}:" if wait.person else "",
    )


def _owner(case: Case, person: Person) -> Owner:
    holder = case.process.next_owner
    if case.task and case.task.owner:
        holder = str(case.task.owner)
    if name := case.names.get(holder):
        return owner(name, mine=holder == str(person.account))
    return Owner(pool_words(holder), "")


def _acts(shown: Shown, progress: Progress, person: Person, first: Step) -> tuple[Act, ...]:
    steps = list(legal(progress, by_of(person)))
    ordered = [one for one in steps if one is first] + [one for one in steps if one is not first and one not in QUIET]
    ordered += [one for one in steps if one in QUIET and one is not first]
    return tuple(
        Act(
            label(step, progress.direction),
            shown.but(show=None, everything=False).url(f"/{step}"),
            key="E" if step is first else "",
            filled=step is first,
            quiet=step in QUIET and step is not first,
            opens_here=True,
        )
        for step in ordered
    )
