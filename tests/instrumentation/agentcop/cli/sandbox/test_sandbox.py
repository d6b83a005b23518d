"""`agentcop sandbox`: an image that is only what it says, and an answer that is yes only where a box holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from agentcop.cli import main
from agentcop.cli.doctor.checks.found import Context
from agentcop.cli.doctor.checks.sandbox import check
from agentcop_processor.sandbox.image import PLAIN_TAG
from boxes import Engine, use
from policytext import policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOBODY_HAS = "agentcop-test/no-such-image:0"
CONTAINERS: tuple[Engine, ...] = ("docker", "podman")
HEAD = "agent_id: tester\ngate: {default: block}\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    """The path of a policy with this `sandbox` section."""

    def written(section: str) -> str:
        file = tmp_path / "policy.yaml"
        file.write_text(f"{HEAD}sandbox: {section}\n", encoding="utf-8")
        return str(file)

    return written


@pytest.fixture
def asked(agentcop_home: Path) -> Callable[[str], list[tuple[str, str]]]:
    """What the doctor finds about a policy's sandbox."""

    def found(text: str) -> list[tuple[str, str]]:
        context = Context(
            policy_file="policy.yaml", policy=policy(text), problems=(), home=agentcop_home, environ={}, now=0.0
        )
        return [(each.state, each.reason) for each in check(context)]

    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sandbox", *arguments])


def said(done: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_policy_whose_image_nobody_has_gets_a_no_that_says_what_to_do(write: Callable[[str], str]) -> None:
    done = run("check", "--policy", write(f"{{image: '{NOBODY_HAS}', network: none}}"), "--mode", "container")
    assert done.exit_code == 1
    assert "no box" in done.stdout
    assert any(way in done.stdout for way in ("agentcop sandbox build", "no container engine answers", "pip install"))
    assert done.stdout.splitlines()[-1] == "DOES NOT HOLD: mode container: calls that need a box are refused"


def test_the_same_for_a_program(write: Callable[[str], str]) -> None:
    file = write(f"{{image: '{NOBODY_HAS}', network: none}}")
    done = run("check", "--policy", file, "--mode", "container", "-f", "json")
    answer = said(done)
    assert done.exit_code == 1
    assert (answer["holds"], answer["by"], answer["mode"]) == (False, [], "container")
    assert all(each["why"] and not each["holds"] for each in answer["engines"])
    assert answer["engines"]


def test_a_policy_that_wants_no_box_has_nothing_to_check(write: Callable[[str], str]) -> None:
    done = run("check", "--policy", write("{mode: none}"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "the policy wants no box" in done.stderr


def test_a_folder_that_is_no_environment_is_exit_2_before_any_engine_is_asked(tmp_path: Path) -> None:
    done = run("build", "--from-venv", str(tmp_path))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "no virtual environment" in done.stderr


def test_the_doctor_says_where_no_box_is_asked_for(asked: Callable[[str], list[tuple[str, str]]]) -> None:
    assert asked(HEAD) == [("ok", "the policy asks for none: tools run in the agent's process")]
    assert asked(f"{HEAD}sandbox: {{tools: []}}\n")[0][0] == "ok"
    assert asked(f"{HEAD}sandbox: {{mode: none}}\n")[0][0] == "warning"


def test_the_doctor_fails_where_a_box_is_asked_for_and_none_can_be_had(
    asked: Callable[[str], list[tuple[str, str]]],
) -> None:
    ((state, reason),) = asked(f"{HEAD}sandbox: {{image: '{NOBODY_HAS}', network: none}}\n")
    assert state == "failed"
    assert reason.startswith("every call that needs a box is refused: ")


@pytest.fixture(params=CONTAINERS)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    name: Engine = request.param
    use(name, monkeypatch)
    return name


@pytest.mark.sandbox
def test_the_image_is_built_handed_over_and_holds_under_its_pin(engine: Engine, write: Callable[[str], str]) -> None:
    built = run("build")
    assert built.exit_code == 0, built.output
    image = built.stdout.strip()
    file = write(f"{{image: '{PLAIN_TAG}', image_digest: '{image}', network: none}}")
    done = run("check", "--policy", file, "--mode", "container", "-f", "json")
    answer = said(done)
    assert (done.exit_code, answer["by"]) == (0, [engine]), done.output
    (found,) = answer["engines"]
    assert found["image"] == image
    assert {"memory", "pids", "seccomp", "cap_eff", "interfaces"} <= {each["name"] for each in found["facts"]}
    assert not any(each["miss"] for each in found["facts"])


@pytest.mark.sandbox
def test_every_engine_gives_the_image_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = set()
    for name in CONTAINERS:
        use(name, monkeypatch)
        ids.add(run("build", "--engine", name).stdout)
    assert len(ids) == 1


@pytest.mark.sandbox
def test_an_engine_that_does_not_answer_is_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    use("docker", monkeypatch)
    done = run("build", "--engine", "podman")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "podman does not answer here" in done.stderr


@pytest.mark.sandbox
def test_another_image_than_the_pinned_one_does_not_hold(engine: Engine, write: Callable[[str], str]) -> None:
    del engine
    file = write(f"{{image_digest: 'sha256:{'0' * 64}', network: none}}")
    done = run("check", "--policy", file, "--mode", "container")
    assert done.exit_code == 1
    assert "has another image" in done.stdout
    assert "the policy pins another image" in run("build", "--policy", file).stderr


@pytest.mark.sandbox
def test_the_doctor_says_which_engine_holds(engine: Engine, asked: Callable[[str], list[tuple[str, str]]]) -> None:
    ((state, reason),) = asked(f"{HEAD}sandbox: {{network: none}}\n")
    assert (state, reason.partition(":")[0]) == ("ok", f"mode container holds on {engine}")


@pytest.mark.sandbox
def test_a_fallback_in_use_is_a_warning_and_the_mode_holds_by_it(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[str], str], asked: Callable[[str], list[tuple[str, str]]]
) -> None:
    use("process", monkeypatch)
    section = f"{{image: '{NOBODY_HAS}', network: none, fallback: process}}"
    done = run("check", "--policy", write(section), "-f", "json")
    assert (done.exit_code, said(done)["by"]) == (0, ["process, by fallback"])
    told = run("check", "--policy", write(section)).stdout.splitlines()[-1]
    assert told == "holds by fallback: mode process, where container was asked for"
    ((state, reason),) = asked(f"{HEAD}sandbox: {section}\n")
    assert (state, reason.partition(",")[0]) == ("warning", "fallback: process is in use")


@pytest.mark.sandbox
def test_no_fallback_stands_in_for_an_image_that_is_not_the_pinned_one(
    engine: Engine, write: Callable[[str], str], asked: Callable[[str], list[tuple[str, str]]]
) -> None:
    del engine
    section = f"{{image_digest: 'sha256:{'0' * 64}', network: none, fallback: process}}"
    done = run("check", "--policy", write(section), "-f", "json")
    assert (done.exit_code, said(done)["by"]) == (1, [])
    ((state, reason),) = asked(f"{HEAD}sandbox: {section}\n")
    assert (state, reason.partition(":")[0]) == ("failed", "every call that needs a box is refused")


@pytest.mark.sandbox
def test_bubblewrap_holds(monkeypatch: pytest.MonkeyPatch, write: Callable[[str], str]) -> None:
    use("process", monkeypatch)
    done = run("check", "--policy", write("{mode: process, network: none}"))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "holds: mode process, on process"
    weaker = done.stdout.partition("process  weaker  ")[2]
    assert [word for word in ("memory:", "cpus: not limited", "landlock", "files:") if word not in weaker] == []


@pytest.mark.sandbox
def test_where_only_bubblewrap_holds_the_answer_names_it_as_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str], str]
) -> None:
    use("process", monkeypatch)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = run("check", "--policy", write(f"{{image: '{NOBODY_HAS}', network: none}}"))
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert lines[-2] == "DOES NOT HOLD: mode container: calls that need a box are refused"
    assert "`mode: process` would hold here" in lines[-1]


@pytest.mark.sandbox
def test_an_environments_packages_are_imported_in_the_box(engine: Engine, tmp_path: Path) -> None:
    from agentcop_processor.sandbox.boxes.pool import Kind
    from agentcop_processor.sandbox.boxes.runner import opened, prepare
    from agentcop_processor.sandbox.containers.found import found
    from agentcop_processor.sandbox.parcel import Parcel
    from agentcop_processor.sandbox.settings import Settings

    base = sys._base_executable  # type: ignore[attr-defined]  # noqa: SLF001 -- what `venv` itself asks for
    subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (site / "mine.py").write_text("import ssl, sqlite3, ctypes\ndef double(x): return [2 * x, __file__]\n")
    tag = "agentcop-test/from-venv:1"
    built = run("build", "--from-venv", str(tmp_path / "venv"), "--tag", tag, "--engine", engine)
    assert built.exit_code == 0, built.output
    settings = Settings(image=tag, image_digest=built.stdout.strip(), network="none")
    (running,) = found(os.environ)
    box = opened(running, Kind(settings=settings, mounts=()))
    try:
        prepare(box, settings, Parcel(module="mine", name="double"))
        reply = box.call(b'{"args": [21], "kwargs": {}}', 20.0)
        value = json.loads(reply.result)["value"]
        assert value[0] == 42
        assert value[1].startswith("/opt/venv/lib/python")
        assert box.facts["python"] == ".".join(map(str, sys.version_info[:3]))
    finally:
        box.close()
        client = running.client()
        client.remove_image(built.stdout.strip(), force=True)
