"""Ready means: received, written and scored; and everything that is counted is to be seen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agentcop_detectors.service.health import look
from agentcop_detectors.service.metrics import HELP, exposition, named
from agentcop_detectors.service.status import FRESH_SECONDS, Publisher, Status, clear, read_status

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000.0
PROCESSES = ("front", "scorer")


def say(folder: Path, name: str, *, at: float = NOW, ready: bool = True, **said: Any) -> None:
    Publisher(folder, name, clock=lambda: at).publish(ready=ready, **said)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A service in which all is well."""
    for name in PROCESSES:
        say(tmp_path, name)
    say(tmp_path, "supervisor", gauges={f"pid.{name}": os.getpid() for name in PROCESSES})
    return tmp_path


def test_it_is_ready_when_each_process_says_so_and_is_the_one_that_was_started(folder: Path) -> None:
    assert look(folder, PROCESSES, NOW).ready


def test_a_process_that_never_spoke_makes_it_unready(folder: Path) -> None:
    (folder / "scorer.json").unlink()
    assert look(folder, PROCESSES, NOW).problems == {"scorer": "it has not started yet"}


def test_a_process_that_hangs_makes_it_unready(folder: Path) -> None:
    problems = look(folder, PROCESSES, NOW + FRESH_SECONDS + 1).problems
    assert problems == dict.fromkeys(PROCESSES, "it has said nothing for 11 s")


def test_what_a_process_says_that_is_no_more_counts_for_nothing(folder: Path) -> None:
    say(folder, "supervisor", gauges={"pid.front": os.getpid(), "pid.scorer": 0})
    assert look(folder, PROCESSES, NOW).problems == {"scorer": "it has ended, or is being started"}


def test_a_process_says_why_it_is_not_ready(folder: Path) -> None:
    say(folder, "front", ready=False, why="the disk does not take what is received")
    assert look(folder, PROCESSES, NOW).problems == {"front": "the disk does not take what is received"}


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"name": "front"}', b"\xff"])
def test_what_cannot_be_read_was_not_said(folder: Path, text: bytes) -> None:
    (folder / "front.json").write_bytes(text)
    assert read_status(folder, "front") is None
    assert not look(folder, PROCESSES, NOW).ready


def test_what_earlier_processes_said_is_forgotten(folder: Path) -> None:
    (folder / "front.12.new").write_bytes(b"half")
    clear(folder)
    assert list(folder.iterdir()) == []


def test_a_disk_that_takes_no_status_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    say(tmp_path / "file" / "status", "front")
    assert (tmp_path / "file").read_text() == ""


def samples(
    *statuses: Status, up: dict[str, bool] | None = None
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = exposition(statuses, up or {}).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def status(name: str, counts: dict[str, int], gauges: dict[str, float] | None = None) -> Status:
    return Status(name=name, pid=1, time=NOW, ready=True, counts=counts, gauges=gauges or {})


def test_counts_of_several_processes_are_one_page_that_prometheus_reads() -> None:
    found = samples(
        status("front", {"spans": 3, "spool_spans": 4, "refused_busy": 1, "a_new_thing": 9}, {"lag_bytes": 12}),
        status("scorer", {"steps": 7, "alerts.new_tool.medium": 2, "deliveries.sent": 5}, {"open_runs": 1, "odd": 2}),
        status("supervisor", {"restarts.front": 1}),
        up={"front": True, "scorer": False},
    )
    prefix = "agentcop_detector_"
    assert found[f"{prefix}acknowledged_spans_total", (("source", "otlp"),)] == 3
    assert found[f"{prefix}acknowledged_spans_total", (("source", "spool"),)] == 4
    assert found[f"{prefix}refused_requests_total", (("reason", "busy"), ("source", "otlp"))] == 1
    assert found[f"{prefix}scored_spans_total", ()] == 7
    assert found[f"{prefix}alerts_total", (("kind", "new_tool"), ("severity", "medium"))] == 2
    assert found[f"{prefix}alert_deliveries_total", (("outcome", "sent"),)] == 5
    assert found[f"{prefix}restarts_total", (("process", "front"),)] == 1
    assert found[f"{prefix}lag_bytes", ()] == 12
    assert found[f"{prefix}open_runs", ()] == 1
    assert found[f"{prefix}up", (("process", "scorer"),)] == 0
    # What nobody gave a name is to be seen all the same.
    assert found[f"{prefix}events_total", (("event", "a_new_thing"), ("process", "front"))] == 9
    assert found[f"{prefix}state", (("process", "scorer"), ("what", "odd"))] == 2


@pytest.mark.parametrize(
    "count", ["spans", "alerts.x.high", "alerts.odd", "restarts.front", "forward_dropped_late", "x"]
)
def test_every_count_belongs_to_a_metric_that_is_explained(count: str) -> None:
    assert named("front", count).metric in HELP
