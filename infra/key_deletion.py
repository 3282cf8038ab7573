"""Deleting a clinic's keys: one person asks, another confirms thirty days later. There is no way back afterwards."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from activities.records.account import Account
from activities.records.ring import PLATFORM
from activities.records.sessions import Sessions
from infra.keys import SIGNING, has_key, remove_keys, write_secret
from infra.refusal import Refused
from infra.settings import Settings
from rules.access import Role

DELAY = timedelta(days=30)
MAY = (Role.IT, Role.PRIVACY_OFFICER, Role.ORGANIZATION_ADMIN)


@dataclass(frozen=True)
class Request:
    """Who asked for the deletion of an owner's keys and when (ISO 8601); `reason` as she said it."""

    owner: str
    asked_by: str
    asked_at: str
    reason: str

    @property
    def ripe_at(self) -> datetime:
        """From when a second person may confirm."""
        return datetime.fromisoformat(self.asked_at) + DELAY


def requests(settings: Settings) -> list[Request]:
    """What has been asked for and neither confirmed nor taken back."""
    file = _file(settings)
    return [Request(**one) for one in json.loads(file.read_text())] if file.exists() else []


def ask(settings: Settings, owner: str, email: str, reason: str, now: datetime) -> Request:
    """Writes down that somebody wants an owner's keys deleted; `email` has been checked by `person`."""
    if owner in (PLATFORM, SIGNING):
        raise Refused(f"The keys of {owner} belong to the whole platform: without them nobody can sign in.")
    if not has_key(settings, owner):
        raise Refused(f"The key ring has no key of {owner}.")
    if known := _of(settings, owner):
        raise Refused(f"{known.asked_by} asked for this already; it can be confirmed from {known.ripe_at:%Y-%m-%d}.")
    request = Request(owner, email, now.isoformat(timespec="seconds"), reason)
    _keep(settings, [*requests(settings), request])
    return request


def take_back(settings: Settings, owner: str) -> bool:
    """Forgets a request; False when there is none. Anybody may."""
    before = requests(settings)
    _keep(settings, [one for one in before if one.owner != owner])
    return _of_list(before, owner) is not None


def confirm(settings: Settings, owner: str, email: str, now: datetime) -> int:
    """Deletes the keys where somebody else asked for it at least thirty days ago; gives how many."""
    request = _of(settings, owner)
    if request is None:
        raise Refused(f"Nobody has asked for the keys of {owner} to be deleted.")
    if request.asked_by.casefold() == email.casefold():
        raise Refused(f"{email} asked for it; somebody else has to confirm.")
    if now < request.ripe_at:
        raise Refused(f"It was asked for on {request.asked_at[:10]}: confirm on {request.ripe_at:%Y-%m-%d} or later.")
    removed = remove_keys(settings, owner)
    take_back(settings, owner)
    return removed


def person(sessions: Sessions, email: str) -> str:
    """The address of an active account that may take part in this, as it is kept; raises Refused."""
    with sessions.platform() as session:
        rows = session.scalars(
            select(Account).where(func.lower(Account.email) == email.casefold(), Account.active)
        ).all()
    if not rows:
        raise Refused(f"Nobody with the address {email} has an active account here.")
    if not any(set(row.roles) & set(MAY) for row in rows):
        raise Refused(f"{email} may not do this: it takes one of the roles {', '.join(MAY)}.")
    return rows[0].email


def _file(settings: Settings) -> Path:
    return settings.ring_file.with_name("deletions.json")


def _of(settings: Settings, owner: str) -> Request | None:
    return _of_list(requests(settings), owner)


def _of_list(known: list[Request], owner: str) -> Request | None:
    return next((one for one in known if one.owner == owner), None)


def _keep(settings: Settings, those: list[Request]) -> None:
    write_secret(_file(settings), json.dumps([asdict(one) for one in those], indent=1))
