"""The spool between agents and detector: nothing is lost or doubled, whichever side is killed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_detectors.normalise.json_form import spans_of
from detector_service import detector
from exporting import until

if TYPE_CHECKING:
    from pathlib import Path

    from detector_service import Service

pytestmark = pytest.mark.detector

# Says the name of each span once its line is written; runs until it is killed.
WRITER = """
import sys, itertools
from pathlib import Path
from agentcop_core.otlp.lines import to_line
from agentcop_core.spool import SpoolWriter
sys.path.insert(0, sys.argv[3])
from otlp_requests import request
writer = SpoolWriter(Path(sys.argv[1]) / "spool", segment_bytes=20_000)
for number in itertools.count():
    made = request(1)
    name = f"{sys.argv[2]}-{number}"
    made.resource_spans[0].scope_spans[0].spans[0].name = name
    assert writer.append(to_line(made))
    print(name, flush=True)
"""


def kill_after(home: Path, support: Path, who: str, lines: int) -> list[str]:
    """The names that a writer said before it was killed."""
    command = [sys.executable, "-c", WRITER, str(home), who, str(support)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(lines)]
        writer.kill()
        said += [line.strip() for line in writer.stdout.read().splitlines()]
    return said


def waiting(home: Path) -> list[str]:
    """The files with lines in them: a writer that is killed before its first line leaves an empty one."""
    return [path.name for path in (home / "spool").glob("*-*") if path.exists() and path.stat().st_size]


def names(service: Service) -> list[str]:
    return [span.name for frame in service.frames() for span in spans_of(frame.body)]


def test_nothing_is_lost_or_doubled_when_front_and_writers_are_killed(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    home = tmp_path / "home"
    support = pytestconfig.rootpath / "tests" / "support"
    said: list[str] = []
    with detector(home, "--source", "spool") as service:
        for round_ in range(5):
            said += kill_after(home, support, f"writer{round_}", 200)
            service.kill("front")
        service.wait_ready()
        until(lambda: not waiting(home))
        received = names(service)
        assert len(received) == len(set(received)), "a line was taken twice"
        # One line more than it said can be written when a writer is killed.
        assert set(said) <= set(received)
        assert len(received) <= len(said) + 5
        until(lambda: service.rows("SELECT sum(steps) FROM runs") == [(len(received),)])
        assert service.stop() == 0


def test_what_lay_there_before_the_detector_and_what_comes_while_it_is_away_is_read(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    home = tmp_path / "home"
    support = pytestconfig.rootpath / "tests" / "support"
    said = kill_after(home, support, "before", 50)
    for who in ("between", "after"):
        with detector(home) as service:
            until(lambda: not waiting(home))
            assert service.stop() == 0
        said += kill_after(home, support, who, 50)
    with detector(home) as service:
        until(lambda: not waiting(home))
        received = names(service)
        assert set(said) <= set(received)
        assert len(received) == len(set(received))


def test_with_the_spool_alone_no_port_is_listened_on(tmp_path: Path) -> None:
    with detector(tmp_path / "home", "--source", "spool") as service:
        assert service.status("front").words == {}


def test_kafka_is_refused_in_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agentcop", "detector", "--state", str(tmp_path), "--source", "kafka"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "agentcop: --source kafka is not built yet: use otlp, and let the Collector's otlp exporter send here\n"
    )
