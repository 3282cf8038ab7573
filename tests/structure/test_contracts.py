"""What a contract names exists: once, with exactly those types."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from temporalio import activity, workflow

import workflows.contracts
from activities.partners.base import Partner
from activities.records.organization import Organization
from infra.bootstrap import activities, build
from infra.settings import Settings
from infra.worker import WORKFLOWS
from tests import tree
from workflows.contracts.calls import Activity, Kind

MODULES = [
    importlib.import_module(f"workflows.contracts.{module.name}")
    for module in pkgutil.iter_modules(workflows.contracts.__path__)
]
NAMED: dict[str, Activity[Any, Any]] = {
    value.name: value for module in MODULES for value in vars(module).values() if isinstance(value, Activity)
}


def no_partner(organization: Organization, _tenant: str) -> Partner:
    raise AssertionError(f"nobody sends to {organization.name} here")


@pytest.fixture(scope="module")
def implemented(tmp_path_factory: pytest.TempPathFactory) -> list[Callable[..., Any]]:
    """As a worker gets them; nothing is connected to yet."""
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
        public_url="http://127.0.0.1:1",
    )
    return activities(build(settings, 1), no_partner)


def name(method: Callable[..., Any]) -> str | None:
    return activity._Definition.must_from_callable(method).name


def test_every_named_activity_is_implemented_exactly_once(implemented: list[Callable[..., Any]]) -> None:
    assert Counter(name(method) for method in implemented) == Counter(NAMED.keys())


def test_an_activity_takes_and_gives_what_its_contract_says(implemented: list[Callable[..., Any]]) -> None:
    for method in implemented:
        contract = NAMED[str(name(method))]
        hints = get_type_hints(method)
        (parameter,) = inspect.signature(method).parameters
        assert (hints[parameter], hints["return"]) == (contract.takes, contract.gives), contract.name


@pytest.mark.parametrize("contract", list(NAMED.values()), ids=list(NAMED))
def test_what_crosses_a_process_is_a_frozen_dataclass(contract: Activity[Any, Any]) -> None:
    for kind in (contract.takes, contract.gives):
        assert is_dataclass(kind), kind
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]


def test_an_activitys_name_says_whose_it_is() -> None:
    stems = {module.__name__.rpartition(".")[2] for module in MODULES}
    for contract in NAMED.values():
        stem, _, verb = contract.name.partition(".")
        assert stem in stems, contract.name
        assert re.fullmatch(r"[a-z_]+", verb), contract.name


def test_a_queue_of_its_own_belongs_to_a_partner() -> None:
    for contract in NAMED.values():
        assert contract.queue is None or (contract.kind is Kind.PARTNER and contract.queue.startswith("partner-"))


def test_every_workflow_of_a_contract_is_run_by_the_worker() -> None:
    named = {module.WORKFLOW for module in MODULES if hasattr(module, "WORKFLOW")}
    run = {workflow._Definition.must_from_class(one).name for one in WORKFLOWS}
    assert run == named


@pytest.mark.parametrize("module", [one for one in MODULES if hasattr(one, "WORKFLOW")], ids=lambda one: one.__name__)
def test_a_workflows_id_begins_with_its_clinic(module: Any) -> None:
    """The codec reads the clinic from it."""
    count = len(inspect.signature(module.workflow_id).parameters)
    parts = module.workflow_id(*["larkmoor", *["x"] * (count - 1)]).split(":")
    assert parts[0] == "larkmoor"
    assert len(parts) > 2


def test_handlers_are_those_that_the_contracts_name() -> None:
    words = {
        value for module in MODULES for key, value in vars(module).items() if key.isupper() and isinstance(value, str)
    }
    for one in WORKFLOWS:
        definition = workflow._Definition.must_from_class(one)
        for handler in {*definition.updates, *definition.signals} - {None}:
            assert handler in words, f"{definition.name} hears {handler}, which no contract names"


def test_activities_are_called_through_their_contracts_only() -> None:
    direct = re.compile(r"\bexecute_(local_)?activity|\bstart_(local_)?activity")
    callers = {tree.name(path) for path in tree.files(".py", "workflows") if direct.search(Path(path).read_text())}
    assert callers == {"workflows/calls.py"}
