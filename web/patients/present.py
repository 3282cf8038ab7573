"""A patient's page and the search results: what patients/*.html render."""

from dataclasses import dataclass

from web.present import Act, Due, EmptyState, Owner, Tag
from web.referrals.present import DocumentLine, Fact, PatientBanner


@dataclass(frozen=True)
class CaseRow:
    """An open case: its next action with owner and deadline, or a past one with how it ended in `action`."""

    title: str
    url: str
    number: str
    action: str
    status: Tag
    owner: Owner | None = None
    due: Due | None = None
    asked_for: bool = False


@dataclass(frozen=True)
class AllergyRow:
    """A substance, what it does, and how bad that is."""

    substance: str
    reaction: str
    tag: Tag | None


@dataclass(frozen=True)
class ChartRow:
    """A problem, a medication or a coverage, with what there is to say of it."""

    words: str
    second: str = ""
    tag: Tag | None = None


@dataclass(frozen=True)
class LookRow:
    """Who opened this page and when."""

    words: str
    at: str


@dataclass(frozen=True)
class PatientPage:
    """The chart on one page. `looks` is None for people who may not read the audit.

    Without `allergies`, `none_known` is the day on which the patient was asked and knew of none.
    """

    patient: PatientBanner
    primary: Act | None
    cases: tuple[CaseRow, ...]
    past: tuple[CaseRow, ...]
    allergies: tuple[AllergyRow, ...]
    reach: tuple[Fact, ...]
    coverage: tuple[ChartRow, ...]
    documents: tuple[DocumentLine, ...]
    identity: tuple[Fact, ...]
    looks: tuple[LookRow, ...] | None = None
    none_known: str = ""
    problems: tuple[ChartRow, ...] = ()
    medications: tuple[ChartRow, ...] = ()
    visits: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class FoundRow:
    """A patient who was found, with her open cases."""

    name: str
    second: str
    url: str
    cases: tuple[CaseRow, ...]
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class PatientsPage:
    """The search. `found` is None before one; `recent` are the patients this person opened last."""

    asked_for: str = ""
    found: tuple[FoundRow, ...] | None = None
    recent: tuple[FoundRow, ...] = ()
    empty: EmptyState | None = None

    @property
    def counted(self) -> str:
        """`3 patients`, said aloud when results come."""
        count = len(self.found or ())
        return f"{count} {'patient' if count == 1 else 'patients'}"
