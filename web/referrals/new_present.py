"""A new referral as a page: what referrals/new.html and _patients.html render."""

from dataclasses import dataclass

from web.fields import FormView
from web.present import Tag
from web.referrals.present import PatientBanner


@dataclass(frozen=True)
class NewReferralPage:
    """A referral being written. `patient` is None until one is chosen; `form` then holds the questions.

    `search_url` takes a POST of `q` and answers referrals/_patients.html; `found` are its results.
    `after` says what happens once it is sent, a sentence each. `live` are the patient's referrals that have not ended.
    """

    patient: PatientBanner | None
    form: FormView | None
    search_url: str
    cancel_url: str
    asked_for: str = ""
    found: tuple["FoundPatient", ...] | None = None
    after: tuple[str, ...] = ()
    live: tuple["LiveReferral", ...] = ()


@dataclass(frozen=True)
class LiveReferral:
    """A referral of the same patient that has not ended: what a new one might repeat."""

    title: str
    second: str
    url: str
    status: Tag


@dataclass(frozen=True)
class FoundPatient:
    """A patient to choose; `url` opens the form for this one."""

    name: str
    second: str
    url: str
