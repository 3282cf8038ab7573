"""Every address says who may call it, and carries nothing of a patient."""

import importlib
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from infra.bootstrap import build
from infra.settings import Settings
from web.access import Door, door_of

# For everybody: signing in and out, whether the process lives, files without content of ours, what the door can do.
PUBLIC = {
    "healthz",
    "static",
    "login.again",
    "login.begin",
    "login.callback",
    "login.logout",
    "login.sign_in",
    "fhir.metadata",
    "fhir.nothing_here",
}
CHANGE = {"POST", "PUT", "PATCH", "DELETE"}
# Leaving is open to everybody; the other one only says that nothing is there.
CHANGED_BY_ANYBODY = {"login.logout", "fhir.nothing_here"}
# What an address may carry: ids, numbers, and words of ours.
WORDS = {"step", "letter", "filename", "rest", "patient_id", "request_id", "task_id"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The whole application as the web process makes it; nothing is connected to."""
    settings = {
        "home": str(tmp_path_factory.mktemp("home")),
        "public_url": "http://127.0.0.1:1",
        "oidc_issuer": "http://127.0.0.1:1",
        "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(f"CARELOOP_{name.upper()}", value)
        wsgi = importlib.import_module("infra.wsgi")
    given = Settings(**settings)  # type: ignore[arg-type]
    made: Flask = wsgi.make_app(given, build(given, 1))
    yield made


def doors(app: Flask) -> dict[str, Door | None]:
    return {endpoint: door_of(view) for endpoint, view in app.view_functions.items()}


def rules(app: Flask) -> list[Rule]:
    return list(app.url_map.iter_rules())


def test_every_route_names_a_permission_a_scope_or_that_it_is_public(app: Flask) -> None:
    assert len(rules(app)) > 30
    assert [rule.endpoint for rule in rules(app) if doors(app).get(rule.endpoint) is None] == []


def test_only_these_routes_are_public(app: Flask) -> None:
    assert {endpoint for endpoint, door in doors(app).items() if door == Door()} == PUBLIC


def test_nobody_unknown_changes_anything(app: Flask) -> None:
    changing = {rule.endpoint for rule in rules(app) if CHANGE & (rule.methods or set())}
    assert changing & PUBLIC <= CHANGED_BY_ANYBODY


def test_programs_reach_the_fhir_door_and_people_everything_else(app: Flask) -> None:
    for rule in rules(app):
        door = doors(app)[rule.endpoint]
        assert door is not None
        if rule.rule.startswith("/fhir"):
            assert door.permission is None, rule.rule
        else:
            assert door.interaction is None, rule.rule


def test_what_a_program_may_do_is_what_the_method_does(app: Flask) -> None:
    """A scope for reading must not open an address that writes."""
    meant = {"r": {"GET"}, "s": {"GET", "POST"}, "c": {"POST"}, "u": {"PUT", "PATCH"}, "d": {"DELETE"}}
    for rule in rules(app):
        door = doors(app)[rule.endpoint]
        if door and door.interaction:
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            assert methods <= meant[door.interaction], rule.rule
            assert door.interaction != "s" or methods == {"GET"} or rule.rule.endswith("/_search")


def test_an_address_carries_ids_numbers_and_words_of_ours_only(app: Flask) -> None:
    for rule in rules(app):
        for converter, variable in re.findall(r"<(?:(\w+)(?:\(.*?\))?:)?(\w+)>", rule.rule):
            assert converter in ("uuid", "int") or variable in WORDS, rule.rule


def test_addresses_are_written_in_one_way(app: Flask) -> None:
    for rule in rules(app):
        fixed = re.sub(r"<[^>]*>", "", rule.rule)
        if not rule.rule.startswith(("/fhir", "/static")):
            assert re.fullmatch(r"[a-z0-9/.-]*", fixed), rule.rule
        assert rule.rule == "/" or rule.rule == "/fhir/" or not rule.rule.endswith("/"), rule.rule
