import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from infra.settings import Settings
from infra.simulators.run import Simulators, chosen
from tests.postgres import free_port

PUBLIC = "http://127.0.0.1:1"


def settings(home: Path, oidc_issuer: str = "") -> Settings:
    return Settings(home=home, public_url=PUBLIC, simulator_identity_port=free_port(), oidc_issuer=oidc_issuer)


def test_all_simulators_listen_in_one_process_and_stop(tmp_path: Path) -> None:
    given = settings(tmp_path)
    simulators = Simulators(chosen(given))
    simulators.start()
    issuer = f"http://127.0.0.1:{given.simulator_identity_port}"
    try:
        assert set(simulators.ports) == {"identity", "specialist"}
        assert simulators.ports["identity"] == given.simulator_identity_port
        assert httpx.get(f"{issuer}/.well-known/openid-configuration").json()["issuer"] == issuer
        secret = (tmp_path / "identity" / "quillon-platform.secret").read_text()
        answer = httpx.post(
            f"{issuer}/token",
            data={"grant_type": "client_credentials", "scope": "system/Task.rus"},
            auth=("quillon-platform", secret),
        )
        assert answer.json()["scope"] == "system/Task.rus"
    finally:
        simulators.stop()

    for port in simulators.ports.values():
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            continue
        raise AssertionError(f"port {port} still answers")


def test_an_outside_identity_provider_is_not_imitated(tmp_path: Path) -> None:
    found = chosen(settings(tmp_path, oidc_issuer="https://login.clinic.example"))
    for one in found:
        one.stop()

    assert [one.name for one in found] == ["specialist"]


def run(home: Path, **environment: str) -> "subprocess.Popen[bytes]":
    given = {
        **os.environ,
        "CARELOOP_HOME": str(home),
        "CARELOOP_PUBLIC_URL": PUBLIC,
        "CARELOOP_SIMULATOR_IDENTITY_PORT": str(free_port()),
        "CARELOOP_READY_FILE": str(home / "ready"),
        **environment,
    }
    return subprocess.Popen([sys.executable, "-m", "infra.simulators.run"], env=given, stderr=subprocess.PIPE)


def test_the_process_says_when_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    process = run(tmp_path)
    deadline = time.monotonic() + 30
    while not (tmp_path / "ready").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert process.returncode == 0


def test_simulators_refuse_to_run_in_production(tmp_path: Path) -> None:
    process = run(tmp_path, CARELOOP_ENV="production")
    _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert b"Simulators do not run in production" in said
    assert not (tmp_path / "ready").exists()
