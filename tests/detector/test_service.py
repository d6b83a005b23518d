"""The service as a whole: starts with nothing, is drained, survives the death of its processes."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from detector_service import ANY, detector, post, said_by, starting
from exporting import until
from otlp_requests import request

if TYPE_CHECKING:
    from detector_service import Service

pytestmark = pytest.mark.detector


def send(url: str, spans: int = 3) -> tuple[int, bytes]:
    body = request(spans).SerializeToString()
    code, _, _ = post(f"{url}/v1/traces", body, Content_Type="application/x-protobuf")
    return code, body


def test_with_no_option_but_its_folder_it_receives_scores_and_keeps(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as service:
        assert send(service.http)[0] == 200
        until(lambda: service.rows("SELECT service, steps FROM runs") == [("billing", 3)])
        assert service.get("/healthz")[0] == 200
        assert said_by(service.get("/readyz")[1])["problems"] == {}
        until(lambda: service.metric('agentcop_detector_acknowledged_spans_total{source="otlp"}') == 3)
        until(lambda: service.metric("agentcop_detector_scored_spans_total") == 3)
        assert service.stop() == 0
        assert "ready: health, metrics and pages" in service.log


@pytest.mark.parametrize("name", ["front", "scorer", "operations"])
def test_a_process_that_is_killed_is_started_again_and_counted(tmp_path: Path, name: str) -> None:
    with detector(tmp_path / "home") as service:
        assert send(service.http)[0] == 200
        service.kill(name)
        service.wait_ready()
        assert send(service.http)[0] == 200
        until(lambda: service.rows("SELECT count(*), sum(steps) FROM runs") == [(2, 6)])
        until(lambda: service.metric(f'agentcop_detector_restarts_total{{process="{name}"}}') == 1)
        assert service.stop() == 0


def test_what_was_acknowledged_before_sigterm_is_scored_when_it_ends(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as service:
        os.kill(service.pid("scorer"), signal.SIGSTOP)
        acknowledged = sum(send(service.http, spans=2)[0] == 200 for _ in range(20))
        os.kill(service.pid("scorer"), signal.SIGCONT)
        assert service.stop() == 0
        assert service.rows("SELECT count(*), sum(steps) FROM runs") == [(acknowledged, 2 * acknowledged)]


def test_its_processes_end_with_the_supervisor_and_the_next_one_takes_over(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as first:
        assert send(first.http)[0] == 200
        pids = [first.pid(name) for name in ("front", "scorer", "operations")]
        first.process.kill()
        first.process.wait()
        with detector(tmp_path / "home") as second:
            assert [pid for pid in pids if alive(pid)] == []
            assert send(second.http)[0] == 200
            until(lambda: second.rows("SELECT count(*), sum(steps) FROM runs") == [(2, 6)])


def alive(pid: int) -> bool:
    """A zombie that nobody took note of is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_scorer_that_hangs_makes_it_unready_and_then_the_front_refuses(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as service:
        pid = service.pid("scorer")
        os.kill(pid, signal.SIGSTOP)
        try:
            body = request(1_000, text="x" * 4_000).SerializeToString()
            codes = set()
            for _ in range(20):
                code, _, headers = post(f"{service.http}/v1/traces", body, Content_Type="application/x-protobuf")
                codes.add(code)
                if code == 429:
                    assert headers["retry-after"] == "1"
                    break
            assert codes == {200, 429}
            until(lambda: service.get("/readyz")[0] == 503)
        finally:
            os.kill(pid, signal.SIGCONT)
        service.wait_ready()
        until(lambda: send(service.http)[0] == 200)


def test_a_port_that_is_taken_ends_it_with_2_and_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with starting(tmp_path / "home", "--http", f"127.0.0.1:{taken.getsockname()[1]}") as service:
            assert service.process.wait(60) == 2
            assert "cannot be listened on (HTTP)" in service.log
            assert "Traceback" not in service.log


def test_a_second_detector_in_the_same_folder_waits_for_the_first(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as first, starting(tmp_path / "home") as second:
        until(lambda: "is in use; waiting" in second.log)
        assert second.process.poll() is None
        assert first.stop() == 0
        second.wait_ready()
        assert second.stop() == 0


def test_a_database_that_fails_makes_it_unready_and_loses_nothing(tmp_path: Path) -> None:
    with detector(tmp_path / "home") as service:
        assert send(service.http)[0] == 200
        until(lambda: service.rows("SELECT count(*) FROM runs") == [(1,)])
        change(service, "ALTER TABLE progress RENAME TO away")
        assert send(service.http)[0] == 200
        until(lambda: "the database fails" in service.get("/readyz")[1])
        assert service.get("/readyz")[0] == 503
        change(service, "ALTER TABLE away RENAME TO progress")
        service.wait_ready()
        until(lambda: service.rows("SELECT count(*), sum(steps) FROM runs") == [(2, 6)])
        assert service.metric('agentcop_detector_restarts_total{process="scorer"}') == 0
        assert service.stop() == 0


def change(service: Service, statement: str) -> None:
    engine = create_engine(f"sqlite:///{service.home / 'detector' / 'detector.db'}")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_systemd_is_told_when_it_is_ready(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(60)
        with detector(tmp_path / "home", environment={"NOTIFY_SOCKET": str(path)}):
            assert systemd.recv(100) == b"READY=1"


def test_as_the_first_process_of_a_container_it_ends_on_sigterm(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [
        "unshare",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        "-m",
        "agentcop",
        "detector",
    ]
    command += ["--state", str(home), "--grpc", ANY, "--http", ANY, "--operations", ANY]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as outer:
        until(lambda: "ready: " in (tmp_path / "log").read_text())
        (first,) = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGTERM)
        assert outer.wait(60) == 0


def test_a_disk_that_takes_nothing_makes_it_unready_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    body = request(5, text="x" * 4_000).SerializeToString()
    with detector(tmp_path / "home", "--source", "otlp") as service:
        front = service.pid("front")
        unlimited = resource.prlimit(front, resource.RLIMIT_FSIZE)
        resource.prlimit(front, resource.RLIMIT_FSIZE, (8_192, unlimited[1]))
        for _ in range(3):
            code, _, headers = post(f"{service.http}/v1/traces", body, Content_Type="application/x-protobuf")
            assert (code, headers["retry-after"]) == (503, "1")
        until(lambda: "the disk does not take" in service.get("/readyz")[1])
        assert service.get("/readyz")[0] == 503
        resource.prlimit(front, resource.RLIMIT_FSIZE, unlimited)
        assert post(f"{service.http}/v1/traces", body, Content_Type="application/x-protobuf")[0] == 200
        service.wait_ready()
        until(lambda: service.rows("SELECT count(*), sum(steps) FROM runs") == [(1, 5)])
