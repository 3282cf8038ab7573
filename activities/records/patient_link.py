"""Who a patient is now: two records of one person are linked, never joined, so that it can be taken back.

Cases and everything else keep the patient id they began with; whoever reads about a person goes through here.
"""

from uuid import UUID

from sqlalchemy import CTE, ForeignKey, Uuid, delete, exists, literal, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.audit_event import Action, Auditor
from activities.records.base import Base, Versioned, new_id
from activities.records.patient import Patient
from activities.records.ring import KeyRing
from activities.records.sessions import Context

LOCK = text("select pg_advisory_xact_lock(hashtextextended('patient_link:' || :tenant, 0))")


class LinkRefused(Exception):
    """Why two records cannot be linked or unlinked, in words for the person who asked."""


class PatientLink(Versioned, Base):
    """`patient_id` is the same person as `survivor_id`, who may in turn be linked to another."""

    __tablename__ = "patient_link"
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    survivor_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str]
    linked_by: Mapped[str]


def canonical(session: Session, patient_id: UUID) -> UUID:
    """The record under which a person is known now; an id without a link is its own."""
    line = _line(patient_id)
    linked = exists().where(PatientLink.patient_id == line.c.id)
    found: UUID = session.scalars(select(line.c.id).where(~linked)).one()
    return found


def same_person(session: Session, patient_id: UUID) -> tuple[UUID, ...]:
    """All records of the person, the canonical one first: what was recorded under any of them is about her."""
    first = canonical(session, patient_id)
    found = select(PatientLink.patient_id.label("id")).where(PatientLink.survivor_id == first)
    tree = found.cte("tree", recursive=True)
    tree = tree.union(select(PatientLink.patient_id).join(tree, PatientLink.survivor_id == tree.c.id))
    return (first, *sorted(session.scalars(select(tree.c.id))))


def patient_now(session: Session, patient_id: UUID) -> Patient | None:
    """The person's canonical record; None when this clinic has no such patient."""
    return session.get(Patient, canonical(session, patient_id))


def link(session: Session, ring: KeyRing, context: Context, patient_id: UUID, survivor_id: UUID, reason: str) -> UUID:
    """From now on `patient_id` is `survivor_id`; answers the link's id.

    `LinkRefused` when either is unknown, when it is linked already, or when they are one person by now: a link back
    would lead nowhere.
    """
    session.execute(LOCK, {"tenant": context.tenant})
    both = select(Patient.id).where(Patient.id.in_((patient_id, survivor_id))).order_by(Patient.id)
    if len(session.scalars(both.with_for_update()).all()) != 2:
        raise LinkRefused("One of the two records is not in this clinic, or they are the same record.")
    if canonical(session, survivor_id) == canonical(session, patient_id):
        raise LinkRefused("The two records are linked already.")
    if canonical(session, patient_id) != patient_id:
        raise LinkRefused("This record is linked to another one. Unlink it first.")
    row = PatientLink(
        id=new_id(),
        tenant=context.tenant,
        patient_id=patient_id,
        survivor_id=survivor_id,
        reason=reason,
        linked_by=context.actor,
    )
    session.add(row)
    session.flush()
    detail: dict[str, object] = {"survivor": str(survivor_id), "reason": reason}
    Auditor(ring).write(session, context, Action.CREATE, "PatientLink", str(row.id), patient_id, detail)
    return row.id


def unlink(session: Session, ring: KeyRing, context: Context, patient_id: UUID, reason: str) -> None:
    """They are two people after all: each has its own record again, as before. The link stays in the history."""
    session.execute(LOCK, {"tenant": context.tenant})
    taken = delete(PatientLink).where(PatientLink.patient_id == patient_id)
    gone = session.execute(taken.returning(PatientLink.id, PatientLink.survivor_id)).one_or_none()
    if gone is None:
        raise LinkRefused("This record is not linked to another one.")
    detail: dict[str, object] = {"survivor": str(gone.survivor_id), "reason": reason}
    Auditor(ring).write(session, context, Action.DELETE, "PatientLink", str(gone.id), patient_id, detail)


def _line(patient_id: UUID) -> CTE:
    """The record and all it leads to; each once, so that it ends whatever the links say."""
    start = select(literal(patient_id, Uuid()).label("id")).cte("line", recursive=True)
    return start.union(select(PatientLink.survivor_id).join(start, PatientLink.patient_id == start.c.id))
