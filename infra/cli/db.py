"""`careloop db migrate`: the store brought to the present shape, and the ring's signing key laid down in it."""

import typer

from activities.records.sessions import Sessions, connect
from infra.keys import load_ring, make_ring
from infra.migrations.upgrade import prepare, upgrade
from infra.production import refuse, refuse_seeded
from infra.seed.people import load as load_staff
from infra.settings import Environment, Settings, load

app = typer.Typer(help="The record store's shape.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Commands on the store's shape."""


@app.command("migrate")
def migrate_command() -> None:
    """Runs the migrations that are missing."""
    migrate(load())


def migrate(settings: Settings) -> None:
    """Roles, database, tables, the context-signing key. Repeatable; two at once wait for each other."""
    if settings.env is Environment.DEVELOPMENT and not settings.ring_file.exists():
        make_ring(settings, sorted({person.clinic.tenant for person in load_staff().people}))
    refuse(settings)
    ring = load_ring(settings)
    prepare(settings.admin_url, settings.owner_url, settings.database_url)
    upgrade(settings.owner_url, ring.signing)
    store = connect(settings.database_url, 1)
    refuse_seeded(settings, Sessions(store, ring.signing))
    store.dispose()
