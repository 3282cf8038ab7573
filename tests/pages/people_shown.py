"""The invented people of the demo clinic, worded as the pages show them. The clock stands at D0, 10:42 in Boise."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from web.frame import Frame, NavItem, SiteChoice
from web.present import UNASSIGNED, Owner, PatientLine, age_and_sex, family_first, owner_of, us_date

BOISE = ZoneInfo("America/Boise")
NOW = datetime(2026, 11, 23, 17, 42, tzinfo=UTC)
TODAY = date(2026, 11, 23)

NADIA = owner_of("Nadia", "Ferro-Lund", mine=True)
TOBIAS = owner_of("Tobias", "Wrenfield")
JOELLE = owner_of("Joelle", "Ambersley")
NOBODY = UNASSIGNED


def boise(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of 2026 on the clinic's wall clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=BOISE)


def ago(**span: int) -> datetime:
    """A moment before now."""
    return NOW - timedelta(**span)


@dataclass(frozen=True)
class Shown:
    """A patient of the cast."""

    family: str
    given: str
    born: date
    sex: str
    mrn: str

    def line(self) -> PatientLine:
        return PatientLine(
            family_first(self.family, self.given),
            us_date(self.born),
            age_and_sex(self.born, self.sex, TODAY),
            self.mrn,
        )


PATIENTS = (
    Shown("Achterbeek", "Rosalind", date(1958, 3, 14), "female", "LM-000101"),
    Shown("Okwuo-Hale", "Desmond", date(1971, 11, 2), "male", "LM-000102"),
    Shown("Straatmann", "Wilhelm", date(1979, 7, 21), "male", "LM-000103"),
    Shown("Ibarra-Quintanilla", "Marisela", date(1990, 5, 9), "female", "LM-000104"),
    Shown("Vailgood", "Terrence", date(1964, 9, 30), "male", "LM-000105"),
    Shown("Trevann", "Phuong-Linh", date(1983, 1, 17), "female", "LM-000106"),
    Shown("Kowalbrandt", "Hannah", date(1962, 4, 12), "female", "LM-000107"),
    Shown("Adeyem-Lockhart", "Cyrus", date(1955, 10, 25), "male", "LM-000108"),
    Shown("Farnhamme", "Odette", date(1947, 2, 8), "female", "LM-000109"),
    Shown("Bellwether-Moss", "Ignatius", date(1976, 6, 6), "male", "LM-000110"),
    Shown("Amundsby", "Kestrel", date(2004, 8, 19), "other", "LM-000111"),
    Shown("Haverstrand", "Lumi", date(2010, 4, 3), "female", "LM-000112"),
)

NAV = (
    NavItem("queue", "Queue", "list-check", "/tasks", "Q", 46, on_phone=True),
    NavItem("approvals", "Approvals", "signature", "/approvals", "A", 17),
    NavItem("patients", "Patients", "users", "/patients", "P", on_phone=True),
    NavItem("schedule", "Schedule", "calendar-month", "/schedule", "S", on_phone=True),
    NavItem("messages", "Messages", "messages", "/messages", "", 9, on_phone=True),
    NavItem("claims", "Claims", "receipt-dollar", "/claims", "C", 34),
    NavItem("documents", "Documents", "files", "/documents", "F", 5),
    NavItem("operations", "Operations", "activity", "/operations", "O"),
)


def frame(here: str = "queue") -> Frame:
    """Nadia's frame."""
    return Frame(
        here=here,
        nav=NAV,
        organization="Larkmoor Family Medicine",
        site="Boise",
        person=Owner("Nadia Ferro-Lund", "NF", mine=True),
        person_title="Referral coordinator",
        home_url="/tasks",
        sign_out_url="/sign-out",
        search_url="/search",
        live_url="/live",
        sites=(SiteChoice("Boise", "/site/boise", current=True), SiteChoice("Coeur d'Alene", "/site/cda")),
    )
