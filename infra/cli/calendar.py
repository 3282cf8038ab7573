"""`careloop calendar import`: the public holidays of each site's state become closed days of its calendar."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from activities.records.sessions import Context
    from infra.bootstrap import Parts

app = typer.Typer(help="When the sites are open.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Commands on the sites' calendars."""


@app.command("import")
def import_command(
    year: Annotated[list[int], typer.Option(help="a year to import; may be given several times")],
    tenant: Annotated[str, typer.Option(help="one clinic only; default: all of them")] = "",
) -> None:
    """Marks public holidays as closed days. Days that are marked already stay as they are."""
    from sqlalchemy import select

    from activities.records.sessions import Context
    from activities.records.tenant import Tenant
    from infra.bootstrap import build
    from infra.settings import load
    from workflows.contracts.people import SYSTEM

    parts = build(load(), 1)
    with parts.sessions.platform() as session:
        tenants = [tenant] if tenant else sorted(session.scalars(select(Tenant.id)))
    for one in tenants:
        for site, days in import_holidays(parts, Context(one, SYSTEM), year).items():
            print(f"{one}: {site} is closed on {len(days)} more days.")


def import_holidays(parts: "Parts", context: "Context", years: Sequence[int]) -> Mapping[str, list[date]]:
    """By site, the days that are new; a site without a state gets the federal holidays."""
    from importlib.metadata import version

    import holidays
    from sqlalchemy import select

    from activities.records.audit_event import Action
    from activities.records.calendar import close_days
    from activities.records.location import Location

    made: dict[str, list[date]] = {}
    with parts.sessions.begin(context) as session:
        for location in session.scalars(select(Location).order_by(Location.site)):
            days = holidays.country_holidays("US", subdiv=location.state or None, years=years)
            source = f"holidays {version('holidays')} US {location.state}".rstrip()
            made[location.site] = close_days(session, context.tenant, location.id, days, source)
            if made[location.site]:
                parts.auditor.write(
                    session,
                    context,
                    Action.UPDATE,
                    "Location",
                    str(location.id),
                    detail={"closed": [str(day) for day in made[location.site]], "source": source},
                )
    return made
