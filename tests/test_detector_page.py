"""docs/detector.md names each option and each metric of the detector, and none besides."""

from __future__ import annotations

import re
from pathlib import Path

from agentcop.cli.detector.command import detector
from agentcop_detectors.receive.bodies import LARGEST_SPAN, MAX_BODY
from agentcop_detectors.receive.intake import MAX_IN_FLIGHT, MAX_LAG
from agentcop_detectors.service.metrics import HELP

PAGE = (Path(__file__).resolve().parents[1] / "docs/detector.md").read_text(encoding="utf-8")
CELLS = re.findall(r"(?m)^\| (`[^|]+) \|", PAGE)
MIB = 1024 * 1024


def test_the_options_are_those_of_the_program() -> None:
    named = [option for cell in CELLS for option in re.findall(r"`(--[\w-]+)`", cell)]
    assert sorted(named) == sorted([*(option for each in detector.params for option in each.opts), "--help"])


def test_every_option_that_is_spoken_of_is_there() -> None:
    there = {option for each in detector.params for option in each.opts} | {"--help", "--now"}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]+", PAGE)) <= there


def test_the_defaults_are_those_of_the_program() -> None:
    for each in detector.params:
        if isinstance(each.default, str):
            (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{each.opts[0]}`")]
            assert f"`{each.default}`" in row


def test_the_metrics_are_those_of_the_program() -> None:
    named = [metric for cell in CELLS for metric in re.findall(r"`([a-z_]+)`", cell)]
    assert sorted(metric for metric in named if metric in HELP or "--" not in metric) == sorted(HELP)


def test_the_limits_are_those_of_the_program() -> None:
    assert f"A request: {MAX_BODY // MIB} MiB" in PAGE
    assert f"A span: {LARGEST_SPAN // MIB} MiB" in PAGE
    assert f"Past {MAX_LAG // MIB} MB of lag or {MAX_IN_FLIGHT // MIB} MB in memory" in PAGE
