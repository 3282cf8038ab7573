"""A clinic of real servers and tiny programs: `small_clinic.py HOME [word of a program that is broken]`."""

import sys
from pathlib import Path

import psycopg

from infra.settings import Settings
from infra.supervisor.clinic import Programs
from infra.supervisor.run import run
from infra.supervisor.store_urls import maintenance

PROGRAMS = Path(__file__).with_name("small_programs.py")


def migrate(settings: Settings) -> None:
    """One row for each start: their number tells whether data were kept."""
    with psycopg.connect(maintenance(settings.admin_url)) as connection:
        connection.execute("create table if not exists starts (at timestamptz default now())")
        connection.execute("insert into starts default values")


def program(word: str) -> tuple[str, ...]:
    if word in sys.argv[2:]:
        return (sys.executable, "-c", "pass")
    return (sys.executable, str(PROGRAMS), word)


if __name__ == "__main__":
    worker = program("work")
    programs = Programs(
        simulators=worker, worker=worker, sweeper=worker, web=program("web"), migrate=migrate, seed=lambda _: None
    )
    sys.exit(run(Settings(home=Path(sys.argv[1])), programs))
