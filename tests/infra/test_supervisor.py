"""One start of a real PostgreSQL and a real Temporal, stopped and started again by each test as it needs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from infra.supervisor import report
from infra.supervisor.home import Home
from infra.supervisor.processes import identify
from infra.supervisor.remove import remove
from infra.supervisor.store_urls import maintenance

pytestmark = pytest.mark.xdist_group("supervisor")
CHECKOUT = Path(__file__).parents[2]
SMALL_CLINIC = Path(__file__).with_name("small_clinic.py")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CARELOOP_")},
    "PYTHONPATH": str(CHECKOUT),
}
SERVICES = ["postgres", "temporal", "simulators", "sweeper", "worker", "web"]


def until(happens: Callable[[], bool], what: str, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < ends, f"waited {seconds} s for: {what}"
        time.sleep(0.05)


@dataclass
class Clinic:
    home: Home
    output: Path
    supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def up(self, *broken: str, **environment: str) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            command = [sys.executable, str(SMALL_CLINIC), str(self.home.folder), *broken]
            started = subprocess.Popen(command, env=ENVIRONMENT | environment, stdout=output, stderr=subprocess.STDOUT)
        self.supervisors.append(started)
        return started

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.cli.main", *words, "--home", str(self.home.folder)]
        return subprocess.run(command, env=ENVIRONMENT, cwd=CHECKOUT, capture_output=True, text=True)

    def pids(self) -> dict[str, int | None]:
        return {each.name: each.pid for each in report.read(self.home).services}

    def wait_ready(self) -> None:
        until(lambda: report.read(self.home).ready, f"ready\n{self.output.read_text()[-3000:]}")

    def starts(self) -> int:
        runtime = json.loads((self.home.folder / "runtime.json").read_text())
        with psycopg.connect(maintenance(runtime["admin_url"])) as connection:
            row = connection.execute("select count(*) from starts").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    running = Clinic(Home(folder / "home"), folder / "output")
    yield running
    running.command("down")
    for each in running.supervisors:
        each.kill()
        each.wait()
    remove(running.home)


@pytest.fixture
def clinic(place: Clinic) -> Clinic:
    """The one clinic of this file, running."""
    if report.supervisor_of(place.home) is None:
        place.up()
    place.wait_ready()
    return place


def gone(pids: dict[str, int | None]) -> bool:
    return not any(identify(pid) for pid in pids.values() if pid)


def test_status_lists_every_service_with_its_address(clinic: Clinic) -> None:
    answer = clinic.command("status", "--json")
    told = json.loads(answer.stdout)
    assert answer.returncode == 0
    assert set(told) == {"ready", "ready_s", "services"}
    assert told["ready"] is True
    assert 0 < told["ready_s"] < 60
    assert sorted(each["name"] for each in told["services"]) == sorted(SERVICES)
    assert all(each["healthy"] and identify(each["pid"]) for each in told["services"])
    web = next(each for each in told["services"] if each["name"] == "web")
    assert web["address"].startswith("http://127.0.0.1:")


def test_secrets_are_readable_by_their_owner_only(clinic: Clinic) -> None:
    secret = [clinic.home.folder / "runtime.json", clinic.home.keys / "postgres.json"]
    assert [path.stat().st_mode & 0o777 for path in secret] == [0o600, 0o600]
    assert clinic.home.folder.stat().st_mode & 0o777 == 0o700


def test_a_second_start_of_the_same_home_is_refused_in_plain_words(clinic: Clinic) -> None:
    answer = clinic.command("up")
    assert answer.returncode == 1
    assert "already running" in answer.stderr
    assert "careloop down" in answer.stderr
    assert report.read(clinic.home).ready


@pytest.mark.parametrize("name", ["worker", "web", "temporal", "postgres"])
def test_a_killed_service_is_started_again(clinic: Clinic, name: str) -> None:
    before = clinic.pids()
    pid = before[name]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: clinic.pids().get(name) not in (None, before[name]), f"a new {name}")
    clinic.wait_ready()
    assert {**clinic.pids(), name: 0} == {**before, name: 0}


def test_a_killed_supervisor_leaves_nothing_running_and_the_next_start_goes_on(clinic: Clinic) -> None:
    children, ports, starts = clinic.pids(), clinic.home.ports.read_text(), clinic.starts()
    clinic.supervisors[-1].kill()
    clinic.supervisors[-1].wait()
    assert json.loads(clinic.command("status", "--json").stdout)["ready"] is False
    until(lambda: gone(children), "all children gone")
    stray = leave_stray(clinic.home)
    clinic.up()
    clinic.wait_ready()
    assert stray.wait(1) == -signal.SIGTERM
    assert clinic.home.ports.read_text() == ports
    assert clinic.starts() == starts + 1


def leave_stray(home: Home) -> subprocess.Popen[bytes]:
    """A child that outlived its supervisor, and the file of one whose pid is now ours: to be left alone."""
    stray = subprocess.Popen(["sleep", "300"], start_new_session=True)
    who = identify(stray.pid)
    assert who is not None
    left = {"pid": who.pid, "started": who.started, "stop": int(signal.SIGTERM)}
    (home.processes / "worker.json").write_text(json.dumps(left))
    (home.processes / "web.json").write_text(json.dumps({**left, "pid": os.getpid()}))
    return stray


def test_down_stops_everything_in_order_and_keeps_the_data(clinic: Clinic) -> None:
    children, starts = clinic.pids(), clinic.starts()
    answer = clinic.command("down")
    assert answer.returncode == 0
    assert gone(children)
    assert list(clinic.home.processes.glob("*.json")) == []
    assert clinic.supervisors[-1].wait(5) == 0
    stopped = [line.split()[1] for line in clinic.output.read_text().splitlines() if line.endswith("stopping")]
    assert [name.rstrip("│") for name in stopped[-6:]] == SERVICES[::-1]
    clinic.up()
    clinic.wait_ready()
    assert clinic.starts() == starts + 1


def test_servers_that_are_given_are_watched_and_not_started(clinic: Clinic, tmp_path: Path) -> None:
    runtime = json.loads((clinic.home.folder / "runtime.json").read_text())
    second = Clinic(Home(tmp_path / "home"), tmp_path / "output")
    started = second.up(
        CARELOOP_POSTGRES_URL=maintenance(runtime["admin_url"]),
        CARELOOP_TEMPORAL_ADDRESS=runtime["temporal_address"],
    )
    try:
        second.wait_ready()
        pids = second.pids()
        assert [name for name in SERVICES if pids[name] is None] == ["postgres", "temporal"]
        assert second.command("down").returncode == 0
        assert not second.home.postgres_where.exists()
    finally:
        started.terminate()
        started.wait(20)
    assert report.read(clinic.home).ready


def test_a_program_that_cannot_start_is_named_and_nothing_stays(clinic: Clinic) -> None:
    clinic.command("down")
    broken = clinic.up("web")
    assert broken.wait(40) == 1
    assert "web ended 5 times before it was ready, with code 0" in clinic.output.read_text()
    assert list(clinic.home.processes.glob("*.json")) == []
