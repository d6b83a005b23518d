"""`agentcop detector` refuses in one line what it cannot do, before it touches anything."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from agentcop.cli import main
from agentcop.cli.detector.command import EXTRA, CannotStart, detector

if TYPE_CHECKING:
    from pathlib import Path


def refused(*options: str) -> str:
    """The one line that the command says when it cannot start."""
    done = subprocess.run(
        [sys.executable, "-m", "agentcop", "detector", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("agentcop: detector: state folder")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--source", "kafka"), "--source kafka is not built yet"),
        (("--grpc", "0.0.0.0:4317"), "0.0.0.0:4317: without --tokens only loopback addresses"),
        (("--http", "[::]:4318"), "[::]:4318: without --tokens only loopback addresses"),
        (("--http", "example"), "--http must look like 127.0.0.1:4318"),
        (("--http", "127.0.0.1:99999"), "--http must look like 127.0.0.1:4318"),
        (("--operations", "off"), "--operations cannot be off"),
        (("--grpc", "off", "--http", "off"), "--grpc and --http are both off"),
        (("--forward", "ftp://x"), "--forward must look like"),
        (("--forward", "http://me:secret@x"), "put the token into AGENTCOP_FORWARD_TOKEN"),
        (("--retain", "soon"), "--retain must look like 12h or 30d"),
        (("--retain", "0d"), "--retain must look like 12h or 30d"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    said = refused("--state", str(tmp_path / "home"), *options)
    assert why in said
    assert "secret" not in said
    assert not (tmp_path / "home" / "detector").exists()


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.write_text("")
    home = ("--state", str(tmp_path / "home"))
    assert "--tls-cert and --tls-key go together" in refused(*home, "--tls-cert", str(pem))
    assert "--tls-client-ca needs" in refused(*home, "--tls-client-ca", str(pem))


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "agentcop.cli.detector.command.find_spec", lambda name: None if name in {"uvloop", "isal"} else name
    )
    with pytest.raises(CannotStart) as refusal:
        detector.callback(*(), **{each.name: None for each in detector.params})  # type: ignore[misc]  # click's
    assert str(refusal.value) == (
        "the detector needs isal, uvloop, not installed here: pip install 'agentcop-runtime[detector]'"
    )


def test_the_extra_is_what_pyproject_says(pytestconfig: pytest.Config) -> None:
    import tomllib

    extras = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {line.partition(">")[0].replace("-", "_") for line in extras["detector"]}
    assert {"grpc" if name == "grpcio" else name for name in named} == set(EXTRA)


def test_help_imports_nothing_of_the_service() -> None:
    program = (
        "import sys; from agentcop.cli.detector.command import detector;"
        "print([name for name in sys.modules if name.startswith(('agentcop_detectors', 'grpc', 'sqlalchemy'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
    assert "--forward" in CliRunner().invoke(main, ["detector", "--help"]).output
