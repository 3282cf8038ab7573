"""Runs the numbered migrations as `careloop_owner`, one transaction each, under one lock."""

from alembic import context
from sqlalchemy import Connection, text

LOCK = 20418001


def run(connection: Connection) -> None:
    """Two processes that migrate at once: the second waits, then finds nothing to do."""
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True, version_table="alembic_version")
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
