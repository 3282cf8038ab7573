"""What is decided before anything is started."""

import json
import socket
from pathlib import Path

import pytest

from infra.settings import Environment, Settings
from infra.supervisor.clinic import refuse_unsafe, web_port
from infra.supervisor.home import Home
from infra.supervisor.ports import PortTaken, choose
from infra.supervisor.service import StartRefused
from infra.supervisor.store_urls import external_urls, own_urls


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_ports_are_chosen_once_and_kept(home: Home) -> None:
    assert choose(home, ("web", "postgres")) == choose(home, ("web", "postgres"))
    assert len(set(choose(home, ("web", "postgres", "temporal")).values())) == 3


def test_a_kept_port_that_is_taken_is_replaced_and_the_others_stay(home: Home) -> None:
    before = choose(home, ("web", "postgres"))
    with socket.create_server(("127.0.0.1", before["web"])):
        after = choose(home, ("web", "postgres"))
    assert after["web"] != before["web"]
    assert after["postgres"] == before["postgres"]
    assert json.loads(home.ports.read_text()) == after


def test_a_port_asked_for_by_number_is_not_replaced(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"asks for 127.0.0.1:{port}, which another program uses"):
            web_port(Settings(web_bind=f"127.0.0.1:{port}"), {})


def test_passwords_are_made_once_and_differ(home: Home) -> None:
    first, second = own_urls(home, 5432), own_urls(home, 5432)
    assert first == second
    assert len({first.admin, first.owner, first.application}) == 3
    assert "careloop_owner:" in first.owner
    assert "careloop_app:" in first.application


def test_an_external_store_keeps_its_host_database_and_options(home: Home) -> None:
    urls = external_urls(home, "postgresql://root:secret@db.example:6432/clinic?sslmode=require")
    assert urls.admin == "postgresql+psycopg://root:secret@db.example:6432/clinic?sslmode=require"
    assert urls.application.endswith("@db.example:6432/clinic?sslmode=require")
    assert "secret" not in urls.application


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({"simulators": True}, "--no-simulators"),
        ({"public_url": ""}, "CARELOOP_PUBLIC_URL"),
        ({"oidc_issuer": ""}, "CARELOOP_OIDC_ISSUER"),
    ],
)
def test_production_refuses_what_is_for_development_only(missing: dict[str, object], said: str, tmp_path: Path) -> None:
    master = tmp_path / "master.key"
    master.touch()
    complete = Settings(
        env=Environment.PRODUCTION,
        home=tmp_path,
        simulators=False,
        public_url="https://c.example",
        oidc_issuer="https://i.example",
        master_key_file=master,
    )
    refuse_unsafe(complete)
    with pytest.raises(StartRefused, match=said):
        refuse_unsafe(complete.model_copy(update=missing))
