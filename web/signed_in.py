"""The frame of a signed-in page: the places this person may go, and where she is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.records.document_inbox import waiting_files
from activities.records.queries.operations import waiting_count
from activities.records.queries.sites import site_names
from activities.records.queries.worklist import Filters, due_count
from activities.records.tenant import Tenant
from rules.access import Permission
from web.access import current
from web.frame import Frame, NavItem
from web.present import Owner, end_of_day, initials
from web.settings import parts

DUE_SOON = timedelta(days=2)  # what the queue's first view shows beside today
LIVE_URL, SEARCH_URL = "/live", "/patients/search"
PLACES = (
    (Permission.QUEUE_READ, NavItem("queue", "Queue", "list-check", "/queue", key="Q", on_phone=True)),
    (
        Permission.REFERRAL_READ,
        NavItem("referrals", "Referrals", "arrows-exchange", "/referrals", key="R", on_phone=True),
    ),
    (Permission.PATIENT_READ, NavItem("patients", "Patients", "users", "/patients", key="P", on_phone=True)),
    (
        Permission.DOCUMENT_READ,
        NavItem("documents", "Documents", "files", "/documents", key="F", count_words="files to file"),
    ),
    (Permission.PARTNER_READ, NavItem("partners", "Partners", "building-hospital", "/partners", key="D")),
    (Permission.OPERATIONS_READ, NavItem("operations", "Operations", "activity", "/operations", key="O")),
)


@dataclass(frozen=True)
class Clinic:
    """The signed-in person's clinic. `waiting` is what the rail counts, by place."""

    id: str
    name: str
    zone: ZoneInfo
    sites: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)

    def site(self, key: str) -> str:
        """A site as people call it; one the clinic does not list is shown by its key."""
        return self.sites.get(key) or key.replace("_", " ").title()


def clinic(session: Session) -> Clinic:
    """The clinic of the transaction's person."""
    row = session.get_one(Tenant, current().tenant)
    zone = ZoneInfo(row.zone)
    return Clinic(row.id, row.name, zone, site_names(session), _waiting(session, zone))


def _waiting(session: Session, zone: ZoneInfo) -> dict[str, int]:
    """What the queue's first view holds, and what stopped."""
    person, now = current(), parts().clock()
    found = {}
    if person.may(Permission.QUEUE_READ):
        found["queue"] = due_count(session, Filters(due_by=end_of_day(now, zone) + DUE_SOON), now)
    if person.may(Permission.DOCUMENT_READ):
        found["documents"] = waiting_files(session)
    if person.may(Permission.OPERATIONS_ACT):
        found["operations"] = waiting_count(session)
    return found


def frame(here: str, of: Clinic) -> Frame:
    """The frame for the page `here`."""
    person = current()
    places = (item for permission, item in PLACES if person.may(permission))
    return Frame(
        here=here,
        nav=tuple(replace(item, count=of.waiting.get(item.slug) or None) for item in places),
        organization=of.name,
        site=", ".join(of.site(one) for one in person.sites),
        person=replace(owner(person.name, mine=True), name=person.name),
        person_title=person.title,
        home_url="/",
        sign_out_url="/logout",
        search_url=SEARCH_URL if person.may(Permission.PATIENT_READ) else "",
        live_url=LIVE_URL,
        development=parts().settings.development,
    )


def owner(name: str, *, mine: bool = False) -> Owner:
    """A person as lists show her: given name and the family name's letter."""
    plain = name.removeprefix("Dr ").partition(",")[0]
    given, _, family = plain.rpartition(" ")
    return Owner(f"{given or plain} {family[:1]}." if given else plain, initials(given or plain, family), mine)
