"""Web servers that run an application in workers: each worker is judged, and serves nothing if it cannot be armed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from processes import SCRIPTS
from served import free_port, serving

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Program


def _command(server: str, port: int) -> list[str | Path]:
    gunicorn: list[str | Path] = [SCRIPTS / "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    uvicorn: list[str | Path] = [SCRIPTS / "uvicorn", "--port", str(port)]
    commands: dict[str, list[str | Path]] = {
        "gunicorn": [*gunicorn, "web:wsgi"],
        "gunicorn threads": [*gunicorn, "--threads", "4", "web:wsgi"],
        "gunicorn preload": [*gunicorn, "--preload", "web:wsgi"],
        "uvicorn": [*uvicorn, "web:asgi"],
        "uvicorn workers": [*uvicorn, "--workers", "2", "web:asgi"],
        "uvicorn reload": [*uvicorn, "--reload", "web:asgi"],
    }
    return commands[server]


SERVERS = ["gunicorn", "gunicorn threads", "gunicorn preload", "uvicorn", "uvicorn workers", "uvicorn reload"]
ENDING = ["gunicorn preload", "uvicorn"]


@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_judges_what_a_request_calls(armed: Program, mark: Path, server: str) -> None:
    port = free_port()
    with serving(armed, _command(server, port), port) as running:
        assert running.get("/look") == "looked at it"
        assert [running.get("/shell") for _ in range(4)] == ["blocked by gate.block[0]"] * 4
    assert not mark.exists()


def test_the_same_application_unarmed_runs_the_tool(armed: Program, mark: Path) -> None:
    port = free_port()
    with serving(armed.having(AGENTCOP_ENABLED=""), _command("uvicorn", port), port) as running:
        assert running.get("/shell") == "ran it"
    assert mark.read_text(encoding="utf-8") == "shell ran\n"


@pytest.mark.parametrize("server", ENDING)
def test_a_server_that_imports_the_application_itself_ends_with_the_reason(
    armed: Program, mark: Path, server: str
) -> None:
    port = free_port()
    with serving(armed.having(AGENTCOP_POLICY="missing.yaml"), _command(server, port), port) as running:
        assert running.exit_code() == 78
        assert "missing.yaml: cannot read the policy" in running.log
    assert not mark.exists()


@pytest.mark.parametrize("server", [server for server in SERVERS if server not in ENDING])
def test_workers_that_cannot_be_armed_serve_nothing(armed: Program, mark: Path, server: str) -> None:
    """Their server may start others in their place, for ever: that is the server's affair, and none of them serves."""
    port = free_port()
    with serving(armed.having(AGENTCOP_POLICY="missing.yaml"), _command(server, port), port) as running:
        running.wait_for("this process cannot be armed, so it ends here (exit 78)")
        assert running.is_silent()
    assert not mark.exists()
