"""Production refuses what is for development, in words that name the setting."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.records.account import Grant, grant
from infra.bootstrap import build
from infra.keys import make_ring
from infra.production import Unsafe, refusals, refuse, refuse_seeded
from infra.seed.people import load as load_staff
from infra.settings import Environment, Settings
from tests import make
from tests.own_home import own_home
from tests.postgres import Cluster

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """All that production asks for."""
    master = tmp_path / "safe" / "master"
    master.parent.mkdir()
    master.write_text(base64.b64encode(bytes(range(32))).decode())
    made = Settings(
        env=Environment.PRODUCTION,
        home=tmp_path / "home",
        simulators=False,
        public_url="https://careloop.example",
        oidc_issuer="https://id.example",
        master_key_file=master,
    )
    make_ring(made, ["larkmoor"])
    return made


def test_what_is_complete_is_let_in(settings: Settings) -> None:
    assert refusals(settings) == []
    refuse(settings)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"simulators": True}, "set CARELOOP_SIMULATORS=false"),
        ({"public_url": ""}, "Production needs CARELOOP_PUBLIC_URL"),
        ({"public_url": "http://careloop.example"}, "CARELOOP_PUBLIC_URL must begin with https://"),
        ({"oidc_issuer": "http://id.example"}, "CARELOOP_OIDC_ISSUER must begin with https://"),
        ({"web_bind": "0.0.0.0:8080"}, "set CARELOOP_BEHIND_PROXY=true"),
        ({"master_key_file": None}, "Production needs CARELOOP_MASTER_KEY_FILE"),
        ({"master_key_file": Path("/nowhere/master")}, "names /nowhere/master, and there is no such file"),
    ],
)
def test_each_refusal_names_the_setting(settings: Settings, changed: dict[str, object], words: str) -> None:
    wrong = settings.model_copy(update=changed)
    with pytest.raises(Unsafe, match=words):
        refuse(wrong)
    with pytest.raises(Unsafe):
        build(wrong, 1)
    refuse(wrong.model_copy(update={"env": Environment.DEVELOPMENT}))


def test_behind_a_proxy_that_ends_tls_it_listens_for_other_machines(settings: Settings) -> None:
    refuse(settings.model_copy(update={"web_bind": "0.0.0.0:8080", "behind_proxy": True}))
    refuse(settings.model_copy(update={"web_bind": "[::1]:8080"}))


def test_keys_made_in_development_are_refused(settings: Settings) -> None:
    settings.ring_file.unlink()
    make_ring(settings.model_copy(update={"env": Environment.DEVELOPMENT}), [])
    with pytest.raises(Unsafe, match=r"was made in development.*CARELOOP_KEYS_FILE"):
        refuse(settings)


def test_all_that_is_wrong_is_said_at_once(settings: Settings) -> None:
    wrong = settings.model_copy(update={"simulators": True, "public_url": "", "master_key_file": None})
    assert len(refusals(wrong)) == 3


def test_a_store_with_people_of_the_demo_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    with own_home(cluster, tmp_path) as parts:
        make.clinics(parts)
        production = parts.settings.model_copy(update={"env": Environment.PRODUCTION})
        refuse_seeded(production, parts.sessions)
        person = next(one for one in load_staff().people if one.clinic.tenant == "larkmoor")
        with parts.sessions.platform() as session:
            given = Grant("larkmoor", "http://127.0.0.1:1", person.subject, person.name, person.email, person.roles)
            grant(session, given, person.account_id)
        with pytest.raises(Unsafe, match=f"such as {person.email}. Begin with an empty store"):
            refuse_seeded(production, parts.sessions)
        refuse_seeded(parts.settings, parts.sessions)


def test_a_start_says_all_of_it_and_no_more(tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "infra.cli.main", "up", "--home", str(tmp_path / "home")),
        cwd=ROOT,
        env={**os.environ, "CARELOOP_ENV": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("careloop: Production runs no simulators")
    assert "Traceback" not in done.stderr
