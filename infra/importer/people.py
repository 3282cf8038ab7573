"""Whom a row speaks of: the patient by her record number, the specialist by name, alias or NPI."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.account import Account
from activities.records.audit_event import Action, Auditor
from activities.records.location import Location
from activities.records.organization import Organization, Transport
from activities.records.patient import Patient
from activities.records.sessions import Context
from infra.importer.problem import NotUnderstood
from infra.importer.row import Row
from infra.seed.ids import identity
from rules.registration import plain_name


@dataclass(frozen=True)
class Partner:
    """`by_hand`: reached by fax, phone and letters only."""

    id: UUID
    name: str
    by_hand: bool


@dataclass(frozen=True)
class Directory:
    """A clinic's partners, staff and sites as a list may name them."""

    partners: Mapping[str, tuple[Partner, ...]]
    npis: Mapping[str, str]
    sites: Mapping[str, str]

    def partner(self, row: Row) -> Partner:
        """Exactly one; raises NotUnderstood."""
        found = self.partners.get(plain_name(row.specialist), ())
        if len(found) == 1:
            return found[0]
        words = f"{len(found)} partners are called this" if found else "no partner is called this"
        remedy = "write the name or NPI in the directory, add the partner there, or give --alias 'this=its name'"
        raise NotUnderstood("specialist", row.specialist, words, remedy)

    def site(self, row: Row) -> str:
        """The key of a site named by key or name; empty where none is named."""
        if not row.site:
            return ""
        found = self.sites.get(plain_name(row.site))
        if found is None:
            raise NotUnderstood("site", row.site, "no site is called this", "write its name, or leave it empty")
        return found


def read_directory(session: Session, tenant: str, aliases: Mapping[str, str]) -> Directory:
    """`aliases` lead from what a list says to a partner's name."""
    partners: dict[str, tuple[Partner, ...]] = {}
    for row in session.scalars(select(Organization).where(Organization.partner.is_(True))):
        one = Partner(row.id, row.name, row.transport == Transport.PAPER)
        for word in {plain_name(row.name), row.npi} - {""}:
            partners[word] = (*partners.get(word, ()), one)
    for said, meant in aliases.items():
        partners[plain_name(said)] = partners.get(plain_name(meant), ())
    staff = session.execute(select(Account.name, Account.npi).where(Account.tenant == tenant, Account.npi != ""))
    sites = session.execute(select(Location.site, Location.name)).all()
    named = {plain_name(word): site for site, name in sites for word in (site, name)}
    return Directory(partners, {_unordered(name): npi for name, npi in staff}, named)


def requester_npi(directory: Directory, row: Row) -> str:
    """Of a member of staff, whichever name comes first in the list; empty for anybody else."""
    return directory.npis.get(_unordered(row.requester), "")


def known_patient(session: Session, row: Row) -> Patient | None:
    """The one with this record number; raises NotUnderstood where number and birth date or name do not agree."""
    found = session.scalars(select(Patient).where(Patient.mrn == row.mrn)).one_or_none()
    if found is None:
        return None
    remedy = "compare the row with the chart, then correct the one that is wrong"
    if found.birth_date != row.birth_date:
        raise NotUnderstood("birth_date", str(row.birth_date), "the patient of this record number has another", remedy)
    if plain_name(found.family).split()[:1] != plain_name(row.family).split()[:1]:
        raise NotUnderstood("family", row.family, "the patient of this record number has another", remedy)
    return found


def make_patient(session: Session, auditor: Auditor, context: Context, row: Row, site: str) -> Patient:
    """A chart with what the list says."""
    patient = Patient(
        id=identity(context.tenant, "imported-patient", row.mrn),
        tenant=context.tenant,
        mrn=row.mrn,
        family=row.family,
        given=row.given,
        birth_date=row.birth_date,
        sex=row.sex,
        phone=row.phone,
        site=site,
    )
    session.add(patient)
    session.flush()
    auditor.write(session, context, Action.CREATE, "Patient", str(patient.id), patient.id, {"by": "import"})
    return patient


def _unordered(name: str) -> str:
    """The words of a name without title and credentials, in no order."""
    words = [word for word in plain_name(name).split() if word not in ("DR", "MD", "DO", "NP", "PA", "C", "FNP", "RN")]
    return " ".join(sorted(words))
