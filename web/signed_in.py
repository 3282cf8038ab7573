"""The frame of a signed-in page: the places this person may go, and where she is."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.records.tenant import Tenant
from rules.access import Permission
from web.access import Person, current
from web.frame import Frame, NavItem
from web.present import Owner, initials
from web.settings import parts

PLACES = (
    (Permission.QUEUE_READ, NavItem("queue", "Queue", "list-check", "/queue", key="Q", on_phone=True)),
    (
        Permission.REFERRAL_READ,
        NavItem("referrals", "Referrals", "arrows-exchange", "/referrals", key="R", on_phone=True),
    ),
)


@dataclass(frozen=True)
class Clinic:
    """The signed-in person's clinic."""

    id: str
    name: str
    zone: ZoneInfo


def clinic(session: Session) -> Clinic:
    """The clinic of the transaction's person."""
    row = session.get_one(Tenant, current().tenant)
    return Clinic(row.id, row.name, ZoneInfo(row.zone))


def frame(here: str, of: Clinic) -> Frame:
    """The frame for the page `here`."""
    person = current()
    return Frame(
        here=here,
        nav=tuple(item for permission, item in PLACES if person.may(permission)),
        organization=of.name,
        site=", ".join(person.sites),
        person=owner(person.name, mine=True),
        person_title=person.title,
        home_url="/queue",
        sign_out_url="/logout",
        development=parts().settings.development,
    )


def owner(name: str, *, mine: bool = False) -> Owner:
    """A person as lists show her: given name and the family name's letter."""
    plain = name.removeprefix("Dr ").partition(",")[0]
    given, _, family = plain.rpartition(" ")
    return Owner(f"{given or plain} {family[:1]}." if given else plain, initials(given or plain, family), mine)


def who(person: Person) -> str:
    """The id under which a person's deeds are recorded."""
    return str(person.account)
