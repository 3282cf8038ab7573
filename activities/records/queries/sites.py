"""The clinic's sites by the key that cases and accounts carry."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.location import Location


def site_names(session: Session) -> dict[str, str]:
    """Key → name as people say it."""
    return {row.site: row.name for row in session.execute(select(Location.site, Location.name))}
