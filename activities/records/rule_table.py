"""A clinic's own versions of the decision tables; version 1 of each comes with the program."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activities.records.base import Base, Tenanted
from activities.records.sessions import Context

HEADS = "rule_table"


class RuleTable(Tenanted, Base):
    """Never changed once written, only approved; in force from `effective_from` when somebody else has approved it."""

    __tablename__ = "rule_table"
    name: Mapped[str]
    version: Mapped[int]
    effective_from: Mapped[datetime]
    content: Mapped[dict[str, object]]
    hash: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)


class Head(NamedTuple):
    """An approved version; `hash` is the SHA-256 of its content."""

    name: str
    version: int
    hash: str
    effective_from: datetime


class NotApproved(ValueError):
    """Whoever wrote a version may not approve it, and one that is not there cannot be approved."""


def in_force(session: Session, name: str, at: datetime) -> Head | None:
    """The clinic's approved version that holds at an instant, the latest where several do; None for the shipped one.

    One statement a transaction, however many tables it asks.
    """
    known: list[Head] | None = session.info.get(HEADS)
    if known is None:
        rows = session.execute(
            select(RuleTable.name, RuleTable.version, RuleTable.hash, RuleTable.effective_from)
            .where(RuleTable.approved_by.is_not(None))
            .order_by(RuleTable.effective_from.desc(), RuleTable.version.desc())
        )
        session.info[HEADS] = known = [Head(*row) for row in rows]
    return next((one for one in known if one.name == name and one.effective_from <= at), None)


def content_of(session: Session, name: str, version: int) -> dict[str, object]:
    """The content of one of the clinic's own versions."""
    found: dict[str, object] = session.execute(
        select(RuleTable.content).where(RuleTable.name == name, RuleTable.version == version)
    ).scalar_one()
    return found


def add_version(
    session: Session, context: Context, name: str, content: dict[str, object], digest: str, effective_from: datetime
) -> int:
    """Writes the next version, not yet approved; two at once: the second fails on its number and may be repeated."""
    latest = session.scalar(select(func.max(RuleTable.version)).where(RuleTable.name == name)) or 1
    row = RuleTable(
        tenant=context.tenant,
        name=name,
        version=latest + 1,
        effective_from=effective_from,
        content=content,
        hash=digest,
        made_by=context.actor,
        made_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    return row.version


def approve(session: Session, context: Context, name: str, version: int) -> None:
    """Puts a version in force; raises `NotApproved` for its own author."""
    done = session.execute(
        update(RuleTable)
        .where(
            RuleTable.name == name,
            RuleTable.version == version,
            RuleTable.approved_by.is_(None),
            RuleTable.made_by != context.actor,
        )
        .values(approved_by=context.actor, approved_at=datetime.now(UTC))
        .returning(RuleTable.id)
    ).one_or_none()
    session.info.pop(HEADS, None)
    if done is None:
        raise NotApproved(
            f"Version {version} of {name} is not there, is approved already, or was written by the same person: "
            "a second person approves it."
        )
