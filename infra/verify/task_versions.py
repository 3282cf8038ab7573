"""The FHIR Task of each candidate has exactly the versions that were promised to the partner."""

from collections.abc import Iterator

from sqlalchemy import column, func, select, table

from activities.records.service_request import Fulfilment
from infra.verify.finding import Clinic, Finding

HISTORY = table("fulfilment_history", column("id"), column("version"), column("tenant"))


def check(clinic: Clinic) -> Iterator[Finding]:
    earlier = (
        select(HISTORY.c.id, func.count().label("kept"), func.max(HISTORY.c.version).label("last"))
        .group_by(HISTORY.c.id)
        .subquery()
    )
    rows = clinic.session.execute(
        select(Fulfilment.id, Fulfilment.version, func.coalesce(earlier.c.kept, 0), func.coalesce(earlier.c.last, 0))
        .outerjoin(earlier, earlier.c.id == Fulfilment.id)
        .where(
            (func.coalesce(earlier.c.kept, 0) != Fulfilment.version - 1)
            | (func.coalesce(earlier.c.last, 0) != Fulfilment.version - 1)
        )
    )
    for identity, version, kept, last in rows:
        yield Finding(f"Task/{identity}", f"It is at version {version}, and {kept} earlier ones are kept up to {last}.")
