"""Documents as pages show them: what documents/*.html render. All words are ready."""

from dataclasses import dataclass
from datetime import datetime

from web.fields import Choice, FieldView, FormView
from web.present import Act, EmptyState, Tag
from web.referrals.present import Fact, PatientBanner


@dataclass(frozen=True)
class Notice:
    """What was just done. `warn` where something still needs a person."""

    words: str
    link: str = ""
    link_words: str = ""
    warn: bool = False


@dataclass(frozen=True)
class InboxLine:
    """A file that waits. `problem` is why it has no pages; `likely` what is open with its sender."""

    url: str
    sender: str
    second: str
    at: datetime
    received: str
    age: str
    old: bool
    pages: str
    likely: str
    problem: str = ""
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class InboxView:
    """The inbox. `ledger` is its balance in words; `balances` False is an alarm."""

    lines: tuple[InboxLine, ...]
    ledger: str
    balances: bool
    upload: Act | None
    empty: EmptyState
    notice: Notice | None = None

    @property
    def counts(self) -> str:
        return f"{len(self.lines)} {'file' if len(self.lines) == 1 else 'files'}"


@dataclass(frozen=True)
class PageView:
    """One page: `tag` says where it went, `left` and `right` are the turns its buttons ask for (`3:90`).

    `back` is where a rejected page is asked to wait again.
    """

    number: int
    count: int
    picture_url: str
    small_url: str
    waiting: bool
    chosen: bool = False
    tag: Tag | None = None
    link: str = ""
    words: str = ""
    left: str = ""
    right: str = ""
    back: str = ""

    @property
    def name(self) -> str:
        return f"Page {self.number} of {self.count}"


@dataclass(frozen=True)
class CaseChoice:
    """A case or patient the pages may belong to; `value` is `case:<id>` or `patient:<id>`."""

    value: str
    lead: str
    words: str
    second: str
    tag: Tag | None = None
    chosen: bool = False


@dataclass(frozen=True)
class FileView:
    """One received file and the form that files or rejects its pages. Without `fields` nothing waits any more.

    `problem` is why the form was refused; `cases_error` stands at the suggestions, `pages_error` at the pages.
    """

    title: str
    subline: str
    url: str
    pages: tuple[PageView, ...]
    fields: tuple[FieldView, ...]
    words: str
    cases: tuple[CaseChoice, ...]
    patients: tuple[CaseChoice, ...]
    nobody: str
    reasons: tuple[Choice, ...]
    token: str
    download: Act
    back_url: str = "/documents"
    problem: str = ""
    pages_error: str = ""
    cases_error: str = ""
    reason_error: str = ""
    notice: Notice | None = None

    @property
    def wrong(self) -> tuple[tuple[str, str], ...]:
        """(anchor, what to do), in the order of the page."""
        said = [("pages", self.pages_error)]
        said += [(one.name, one.error) for one in self.fields if one.error]
        said += [("suggestions", self.cases_error), ("reason", self.reason_error)]
        return tuple((anchor, words) for anchor, words in said if words)


@dataclass(frozen=True)
class DocumentView:
    """A document on file. `form` is the open question whether it was filed in error."""

    title: str
    tags: tuple[Tag, ...]
    subline: str
    patient: PatientBanner | None
    facts: tuple[Fact, ...]
    pages: tuple[PageView, ...]
    acts: tuple[Act, ...]
    back_url: str
    form: FormView | None = None
    notice: Notice | None = None


@dataclass(frozen=True)
class UploadView:
    """A file to be sent up: into the inbox, or straight to a case (`patient` and `fields` then)."""

    title: str
    url: str
    submit: str
    words: str
    token: str
    back_url: str
    fields: tuple[FieldView, ...] = ()
    patient: PatientBanner | None = None
    several: bool = False
    error: str = ""
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class LetterChoice:
    """A letter one may write; `lacks` says what is missing for it."""

    url: str
    title: str
    words: str
    lacks: str = ""


@dataclass(frozen=True)
class LetterView:
    """Letters of a case to choose from, or the one being written."""

    title: str
    patient: PatientBanner
    back_url: str
    groups: tuple[tuple[str, tuple[LetterChoice, ...]], ...] = ()
    form: FormView | None = None
