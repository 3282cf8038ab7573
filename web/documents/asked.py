"""What the filing form says: pages, type, title, whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import abort
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from activities.records.document_reference import DocumentType
from activities.records.patient import Patient
from activities.records.service_request import ServiceRequest

LONGEST_TITLE, LONGEST_WORDS = 120, 80


@dataclass(frozen=True)
class Refused:
    """Why a form was not taken: for the whole of it, or beside a field."""

    problem: str = ""
    pages: str = ""
    type: str = ""
    cases: str = ""
    reason: str = ""

    def __bool__(self) -> bool:
        return any(vars(self).values())


@dataclass(frozen=True)
class Target:
    """Whose document it becomes."""

    patient_id: UUID
    case_id: UUID | None = None


@dataclass(frozen=True)
class Asked:
    """The form as answered. `fresh`: nothing was asked yet, and all that waits is chosen."""

    token: UUID
    pages: tuple[int, ...]
    type: DocumentType | None = None
    title: str = ""
    words: str = ""
    whose: str = ""
    fresh: bool = False

    @classmethod
    def nothing(cls) -> "Asked":
        """A form that is opened now."""
        return cls(uuid4(), (), fresh=True)

    def lacks(self) -> Refused:
        """What must be answered before pages can be filed."""
        return Refused(
            pages="" if self.pages else "Select the pages that belong to this document.",
            type="" if self.type else "Say what it is.",
            cases="" if self.whose else "Choose whose it is. Search by name or birth date if it is not listed.",
        )

    def target(self, session: Session) -> Target | None:
        """The chosen case with its patient, or the chosen patient; None when this clinic has neither."""
        kind, _, identity = self.whose.partition(":")
        try:
            chosen = UUID(identity)
        except ValueError:
            return None
        if kind == "case":
            request = session.get(ServiceRequest, chosen)
            return Target(request.patient_id, request.id) if request else None
        return Target(chosen) if session.get(Patient, chosen) else None


def read(form: "MultiDict[str, str]") -> Asked:
    """The posted form; a form without its one-time token is refused with 400."""
    try:
        token = UUID(form["token"])
    except (KeyError, ValueError):
        abort(400)
    return Asked(
        token,
        tuple(dict.fromkeys(int(one) for one in form.getlist("page") if one.isdecimal() and len(one) < 5)),
        kind_of(form),
        form.get("title", "").strip()[:LONGEST_TITLE],
        form.get("words", "").strip()[:LONGEST_WORDS],
        form.get("for", ""),
    )


def kind_of(form: Mapping[str, str]) -> DocumentType | None:
    """The document type that was chosen, if any."""
    word = form.get("type", "")
    return DocumentType(word) if word in set(DocumentType) else None
