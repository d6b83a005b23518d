"""The Containerfile of the sandbox makes what `agentcop sandbox build` makes: of the same packages, as strict."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from agentcop_processor.sandbox.engine import EGRESS, INSIDE
from agentcop_processor.sandbox.image import PLAIN_TAG, VERSION
from agentcop_processor.sandbox.image.packages import ROOTS

TEXT = (Path(__file__).resolve().parents[2] / "packaging/sandbox/Containerfile").read_text(encoding="utf-8")
JOINED = re.sub(r"\\\n\s*", "", TEXT)
INSTRUCTIONS = [line.partition(" ")[::2] for line in JOINED.splitlines() if line and not line.startswith("#")]


def arguments(name: str) -> list[str]:
    return [rest for word, rest in INSTRUCTIONS if word == name]


def test_it_installs_the_roots_of_the_image_and_nothing_else() -> None:
    (install,) = re.findall(r"apt-get install -y --no-install-recommends ([^&]*)", JOINED)
    assert tuple(install.split()) == ROOTS


def test_every_line_is_an_instruction_and_every_shell_line_can_be_parsed() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "LABEL", "USER", "WORKDIR", "CMD"}
    assert {word for word, _ in INSTRUCTIONS} == known
    for script in arguments("RUN"):
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_it_runs_as_nobody_without_a_setuid_file() -> None:
    assert arguments("USER") == ["65534:65534"]
    assert "-perm /6000 -exec chmod ug-s" in JOINED


def test_it_has_the_folders_that_a_box_mounts_on_and_the_version_of_the_build() -> None:
    assert f"install -d {INSIDE} {EGRESS}" in JOINED
    assert f"org.opencontainers.image.version={VERSION}" in JOINED
    assert f"-t {PLAIN_TAG} " in TEXT
