"""The numbered migrations lead to exactly the tables that the models describe."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Inspector, Table, create_engine, inspect, text
from sqlalchemy.dialects import postgresql

import activities.records
import infra.migrations
from activities.records.base import Base, Versioned
from infra.cli.db import migrate
from infra.settings import Settings
from tests.postgres import Cluster
from tests.two_clinics import Store, furnished

FOLDER = Path(infra.migrations.__file__).parent
# Written by a library's own statements (rate limits) or by the migrations themselves.
WITHOUT_MODEL = {"alembic_version", "rate_limit"}
# Filled in and read by the store alone.
STORES_OWN = {("web_session", "tenant"), ("document_content", "stored_at")}
MIGRATE = (sys.executable, "-m", "infra.cli.main", "db", "migrate")


def tables() -> dict[str, Table]:
    for module in pkgutil.iter_modules(activities.records.__path__):
        importlib.import_module(f"activities.records.{module.name}")
    return dict(Base.metadata.tables)


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Store]:
    with furnished(cluster) as store:
        yield store


@pytest.fixture(scope="module")
def found(store: Store) -> Iterator[Inspector]:
    engine = create_engine(store.settings.owner_url)
    with engine.connect() as connection:
        yield inspect(connection)
    engine.dispose()


def test_migrations_are_numbered_without_a_gap_and_follow_each_other() -> None:
    files = sorted(path.name for path in (FOLDER / "versions").glob("[0-9]*.py"))
    assert all(re.fullmatch(r"\d{4}_[a-z][a-z_]*\.py", name) for name in files), files
    assert [name[:4] for name in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [files[-1][:4]]
    line = [(script.down_revision, script.revision) for script in reversed(list(scripts.walk_revisions()))]
    numbers = [name[:4] for name in files]
    assert line == list(pairwise([None, *numbers]))


def test_every_table_has_a_model_and_every_model_a_table(found: Inspector) -> None:
    migrated = set(found.get_table_names())
    history = {table for table in migrated if table.endswith("_history")}
    assert migrated - history - WITHOUT_MODEL == set(tables())


@pytest.mark.parametrize("table", sorted(tables()))
def test_a_model_describes_its_table_column_by_column(found: Inspector, table: str) -> None:
    described = {column.name: shape(column) for column in tables()[table].columns}
    migrated = {
        column["name"]: (column["type"].compile(postgresql.dialect()), column["nullable"])  # type: ignore[no-untyped-call]
        for column in found.get_columns(table)
        if (table, column["name"]) not in STORES_OWN
    }
    assert described == migrated


def shape(column: Column[object]) -> tuple[str, bool]:
    return column.type.compile(postgresql.dialect()), bool(column.nullable)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("table", sorted(tables()))
def test_what_a_model_leaves_to_the_store_the_store_fills_in(found: Inspector, table: str) -> None:
    filled = {column["name"] for column in found.get_columns(table) if column["default"] or column.get("identity")}
    for column in tables()[table].columns:
        if column.server_default is not None:
            assert column.name in filled, f"{table}.{column.name}: the model says the store fills it in"


def test_versioned_models_and_no_others_keep_history(found: Inspector) -> None:
    versioned = {str(one.local_table) for one in Base.registry.mappers if issubclass(one.class_, Versioned)}
    history = {table.removesuffix("_history") for table in found.get_table_names() if table.endswith("_history")}
    assert history == versioned


def test_a_history_has_its_tables_columns_and_an_end(found: Inspector) -> None:
    for table in found.get_table_names():
        if not table.endswith("_history"):
            continue
        present = [(c["name"], str(c["type"])) for c in found.get_columns(table.removesuffix("_history"))]
        past = [(c["name"], str(c["type"])) for c in found.get_columns(table)]
        assert [name for name, _ in past] == [*[name for name, _ in present], "recorded_to"]
        assert past[:-1] == present


def test_the_past_is_asked_for_with_all_of_a_tables_columns(store: Store, found: Inspector) -> None:
    with store.intruder() as connection:
        for table in found.get_table_names():
            if table.endswith("_history"):
                name = table.removesuffix("_history")
                described = connection.execute(f"select * from app.{name}_as_of(now())".encode()).description or ()
                assert [column.name for column in described] == [c["name"] for c in found.get_columns(name)]


def test_migrating_again_and_from_two_processes_at_once_changes_nothing(cluster: Cluster) -> None:
    settings = cluster.settings("migrated_twice")
    both = [subprocess.Popen(MIGRATE, env=environment(settings), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [("", 0), ("", 0)]
    migrate(settings)
    engine = create_engine(settings.owner_url)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from alembic_version")) == 1
        assert connection.scalar(text("select count(*) from app.signing_key")) == 1
    engine.dispose()
    cluster.drop(settings)


def environment(settings: Settings) -> dict[str, str]:
    given = {name: str(getattr(settings, name)) for name in ("home", "admin_url", "owner_url", "database_url")}
    return dict(os.environ) | {f"CARELOOP_{name.upper()}": value for name, value in given.items()}
