"""Whether what somebody sends us is about a patient we know: by agreement of whole facts, never by a score."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Identity:
    """What is said of who a patient is. `mrn` is of our own assigning, empty for one that is not."""

    family: str
    given: str
    birth_date: date
    sex: str = UNKNOWN
    phone: str = ""
    mrn: str = ""


def files(said: Identity, known: Identity) -> bool:
    """Whether a message may be filed to a patient without a person looking.

    Exact record number and birth date; or full name, birth date, sex and phone.
    """
    if said.birth_date != known.birth_date:
        return False
    if said.mrn:
        return said.mrn == known.mrn
    return _agree(said, known) and UNKNOWN not in (said.sex, known.sex) and "" not in (_digits(said), _digits(known))


def _agree(said: Identity, known: Identity) -> bool:
    return (
        said.sex == known.sex
        and plain_name(said.family) == plain_name(known.family)
        and plain_name(said.given) == plain_name(known.given)
        and _digits(said) == _digits(known)
    )


def plain_name(name: str) -> str:
    """Upper case without accents and marks; a suffix such as Jr stays, it may be all that tells two people apart."""
    folded = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", letters.upper()).split())


def plain_phone(phone: str) -> str:
    """A North American number as +1 and ten digits; any other as its digits."""
    digits = re.sub(r"\D", "", phone)
    ten = digits.removeprefix("1") if len(digits) == 11 else digits
    return f"+1{ten}" if len(ten) == 10 else digits


def _digits(one: Identity) -> str:
    return plain_phone(one.phone)
