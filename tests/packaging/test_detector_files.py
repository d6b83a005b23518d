"""The systemd unit and the Containerfile start the detector that there is, with as few rights as it needs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from agentcop.cli.detector.command import detector

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging/detector/agentcop-detector.service"
CONTAINER = (ROOT / "packaging/detector/Containerfile").read_text(encoding="utf-8")
OPTIONS = {option for each in detector.params for option in each.opts}
SCRIPT = Path(sysconfig.get_path("scripts")) / "agentcop"


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of this name, lines joined."""
    joined = re.sub(r"\\\n\s*", "", CONTAINER)
    return [line.partition(" ")[2] for line in joined.splitlines() if line.startswith(f"{name} ")]


def setting(name: str) -> list[str]:
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text(encoding="utf-8"))


def test_the_unit_runs_the_detector_with_options_that_it_has() -> None:
    program, command, *options = shlex.split(setting("ExecStart")[0])
    assert (Path(program).name, command) == ("agentcop", "detector")
    assert {option for option in options if option.startswith("-")} <= OPTIONS
    assert f"/var/lib/{setting('StateDirectory')[0]}" in options


def test_the_unit_gives_it_the_time_that_draining_may_take() -> None:
    from agentcop_detectors.service.run import DRAIN_SECONDS

    assert int(setting("TimeoutStopSec")[0]) > DRAIN_SECONDS
    assert setting("KillMode") == ["mixed"]


def test_the_unit_is_one_that_systemd_takes_and_finds_safe(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        # What is left: no capability, no new right, nothing written outside the state folder.
        assert setting("CapabilityBoundingSet") == [""]
        assert setting("ProtectSystem") == ["strict"]
        return
    text = UNIT.read_text(encoding="utf-8").replace("/opt/agentcop/bin/agentcop", str(SCRIPT))
    unit = tmp_path / UNIT.name
    unit.write_text(text, encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if UNIT.name in line] == []
    assert verified.returncode == 0
    safe = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert safe.returncode == 0, safe.stdout[-400:]


def test_the_image_runs_the_detector_with_options_that_it_has_and_not_as_root() -> None:
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    assert json.loads(entry) == ["agentcop", "detector"]
    options = json.loads(command)
    assert {option for option in options if option.startswith("-")} <= OPTIONS
    assert "--tokens" in options, "what listens beyond loopback asks for tokens"
    assert instructions("USER") == ["10001"]
    exposed = instructions("EXPOSE")[0].split()
    assert {option.rpartition(":")[2] for option in options if ":" in option} == set(exposed)


def test_the_image_holds_every_package_that_the_wheel_has() -> None:
    copied = {source for line in instructions("COPY") for source in line.split()[:-1]}
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {path.partition("/")[0] for path in [*wheel["packages"], *wheel["force-include"]]}
    assert needed <= copied
    assert [path for path in copied if not path.startswith("-") and not path.startswith("/")] != []
    assert "." not in copied, "a working copy holds more than belongs into an image"


@pytest.mark.parametrize("name", ["Containerfile", "agentcop-detector.service"])
def test_the_page_names_it(name: str) -> None:
    assert f"packaging/detector/{name}" in (ROOT / "docs/detector.md").read_text(encoding="utf-8")
