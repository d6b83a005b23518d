"""`agentcop doctor` answers by what ran: one denied call through every seam, here and in a child."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from doctored import Answer, ask, patient, read
from gatefile import lines
from processes import POLICY, SCRIPTS, Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

WAYS = ["function", "async function", "tool object"]
LOUD = POLICY + "monitor: {alert_channels: [{type: webhook, url: 'http://127.0.0.1:1/'}]}\n"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return patient(tmp_path)


def _plain(answer: Answer, process: str) -> list[tuple[str, str]]:
    return [
        (seam["way"], seam["state"])
        for seam in answer.seams
        if seam["framework"] == "python" and seam["process"] == process
    ]


@pytest.mark.parametrize("enabled", ["", "1"], ids=["in-an-unarmed-shell", "in-an-armed-shell"])
def test_every_seam_is_tried_here_and_in_a_child(program: Program, enabled: str) -> None:
    answer = ask(program.having(AGENTCOP_ENABLED=enabled))
    assert answer.code == 0
    assert _plain(answer, "this") == [(way, "ENFORCED") for way in WAYS]
    assert _plain(answer, "child") == [(way, "ENFORCED") for way in WAYS]
    assert answer.stderr == ""


@pytest.mark.parametrize("policy", [POLICY, LOUD, "mode: observe\n" + LOUD], ids=["plain", "channels", "observe"])
def test_the_canary_leaves_nothing_behind(tmp_path: Path, agentcop_home: Path, policy: str) -> None:
    ask(patient(tmp_path, policy))
    assert lines(agentcop_home) == []
    assert list(agentcop_home.iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_policy_that_allows_everything_else_is_enforced_too(tmp_path: Path) -> None:
    answer = ask(patient(tmp_path, "agent_id: a\ngate: {default: allow, allow: ['*']}\n"))
    assert (answer.code, answer.states()) == (0, {"ENFORCED"})


@pytest.mark.parametrize("rules", ["block: ['*']", "block: ['agentcop_*'], allow: ['*']"])
def test_a_policy_that_blocks_the_canary_itself_is_no_trouble(tmp_path: Path, rules: str) -> None:
    answer = ask(patient(tmp_path, f"agent_id: a\ngate: {{default: block, {rules}}}\n"))
    assert answer.states() == {"ENFORCED"}, answer


def test_a_policy_that_only_observes_is_no_protection(tmp_path: Path) -> None:
    answer = ask(patient(tmp_path, "mode: observe\n" + POLICY))
    assert (answer.code, answer.states()) == (1, {"OBSERVE-ONLY"})
    assert "mode: observe: nothing is stopped" in answer.of("policy", "failed")[0]


@pytest.mark.parametrize(
    ("policy", "problems"),
    [
        ("agent_id: a\ngate:\n  alow: [x]\n  blok: [y]\n", ["policy.yaml:3:3", "policy.yaml:4:3"]),
        ("{", ["policy.yaml:"]),
        (None, ["policy.yaml: cannot read the policy"]),
    ],
    ids=["keys", "yaml", "missing"],
)
def test_a_policy_that_cannot_be_loaded_is_said_problem_by_problem(
    program: Program, policy: str | None, problems: list[str]
) -> None:
    if policy is None:
        (program.folder / "policy.yaml").unlink()
    else:
        program.file("policy.yaml", policy)
    answer = ask(program)
    assert (answer.code, answer.states()) == (1, {"NOT GOVERNED"})
    for problem, said in zip(problems, answer.of("policy", "failed"), strict=True):
        assert said.startswith(problem)


def test_what_the_policy_asks_for_and_does_not_get_is_a_warning(tmp_path: Path) -> None:
    policy = POLICY + "approvals: {required: 2}\nmonitor: {alert_channels: [{type: webhook, url: '${NOT_SET}'}]}\n"
    answer = ask(patient(tmp_path, policy))
    warnings = answer.of("policy", "warning")
    assert any("approvals.required" in each and "is not in this build" in each for each in warnings)
    assert any("${NOT_SET} is not set in this environment" in each for each in warnings)
    assert answer.code == 0


def test_a_box_that_cannot_be_had_is_exit_1_whatever_the_seams_say(tmp_path: Path) -> None:
    policy = f"{POLICY}sandbox: {{image: agentcop-test/no-such-image:0, network: none}}\n"
    answer = ask(patient(tmp_path, policy))
    assert (answer.code, answer.states()) == (1, {"ENFORCED"})
    assert "every call that needs a box is refused" in answer.of("sandbox", "failed")[0]


def test_a_framework_without_adapter_is_not_governed_unless_nobody_uses_it(program: Program) -> None:
    program.file("lib/smolagents/__init__.py", "raise SystemExit('imported')\n")
    program = program.having(PYTHONPATH="lib")
    answer = ask(program)
    assert (answer.code, answer.states(framework="smolagents")) == (1, {"NOT GOVERNED"})
    waived = ask(program, "--unused", "smolagents")
    assert (waived.code, waived.states(framework="smolagents")) == (0, {"NOT GOVERNED"})
    assert waived.seams[-1]["reason"].startswith("said to be unused; this build has no adapter for it")


def test_a_package_that_only_shares_a_frameworks_name_is_neither_listed_nor_imported(program: Program) -> None:
    for module in ("__init__", "agent", "run", "tool"):
        program.file(f"lib/agents/{module}.py", "raise SystemExit('imported')\n")
    answer = ask(program.having(PYTHONPATH="lib"))
    assert (answer.code, {seam["framework"] for seam in answer.seams}) == (0, {"python"})


@pytest.mark.parametrize("end", ["raise SystemExit(0)", "raise KeyError('odd')", "import nothing_of_that_name"])
def test_a_framework_that_cannot_be_imported_is_not_governed(program: Program, end: str) -> None:
    program.file("lib/langchain_core/__init__.py", "")
    for package in ("tools", "language_models"):
        program.file(f"lib/langchain_core/{package}/__init__.py", "")
    for module in ("tools/base", "language_models/chat_models", "language_models/llms"):
        program.file(f"lib/langchain_core/{module}.py", f"{end}\n")
    answer = ask(program.having(PYTHONPATH="lib"))
    assert (answer.code, answer.states("this", "langchain")) == (1, {"NOT GOVERNED"})
    assert answer.states("child", "langchain") == {"NOT GOVERNED"}
    assert "cannot be imported" in next(seam["reason"] for seam in answer.seams if seam["framework"] == "langchain")
    waived = ask(program.having(PYTHONPATH="lib"), "--unused", "langchain", "--unused", "lanchain")
    assert (waived.code, waived.seams[-1]["reason"]) == (0, "said to be unused")
    assert waived.stderr == "agentcop: doctor: --unused lanchain: no framework of that name is installed here\n"


def test_without_a_policy_it_is_told_how_to_give_one(program: Program) -> None:
    done = program.command(SCRIPTS / "agentcop", "doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert "give --policy FILE or set AGENTCOP_POLICY" in done.stderr


def test_the_policy_may_come_from_the_environment(program: Program) -> None:
    done = program.having(AGENTCOP_POLICY="policy.yaml").command(SCRIPTS / "agentcop", "doctor", "-f", "json")
    assert read(done).protected


def test_a_value_that_arms_nothing_is_no_protection(program: Program) -> None:
    answer = ask(program.having(AGENTCOP_ENABLED="on"))
    assert answer.code == 1
    assert "every program ends with 78" in answer.of("environment", "failed")[0]


def test_a_seam_that_somebody_took_out_is_bypassed(program: Program) -> None:
    program.file(
        "lib/sitecustomize.py",
        "import agentcop._wrap as w\nfrom agentcop.adapters._holdings import Holdings\n"
        "Holdings.function = lambda self, function, name, live=(): function\n",
    )
    answer = ask(program.having(PYTHONPATH="lib"))
    assert answer.code == 1
    for process in ("this", "child"):
        assert _plain(answer, process) == list(zip(WAYS, ["BYPASSED", "BYPASSED", "ENFORCED"], strict=True))


def test_a_child_that_cannot_be_armed_is_not_governed(program: Program) -> None:
    program.file("lib/usercustomize.py", "")
    program.file("lib/sitecustomize.py", "import os\nif os.environ.get('AGENTCOP_ENABLED'): os._exit(5)\n")
    answer = ask(program.having(PYTHONPATH="lib"))
    assert (answer.code, answer.states("this"), answer.states("child")) == (1, {"ENFORCED"}, {"NOT GOVERNED"})
    assert answer.seams[-1]["reason"] == "it ended with 5: without a word"


FAKES = {
    "agentcop": {
        "agentcop/__init__.py": "",
        "agentcop/_boot.py": "def arm(): pass\n",
        "agentcop/_finder.py": "",
    },
    "agentcop_processor": {
        "agentcop_processor/__init__.py": "import importlib.util, pathlib, sys\n"
        "real = [p for p in map(pathlib.Path, sys.path) if (p / 'agentcop_processor/gate.py').exists()][0]\n"
        "__path__.append(str(real / 'agentcop_processor'))\n",
    },
}


@pytest.mark.parametrize("fake", FAKES)
def test_another_agentcop_on_pythonpath_is_seen_in_a_child(program: Program, fake: str) -> None:
    """The doctor's own process must not read PYTHONPATH, or it might be the other one itself: hence `-I`."""
    for name, text in FAKES[fake].items():
        program.file(f"lib/{name}", text)
    done = program.having(PYTHONPATH=str(program.folder / "lib")).command(
        sys.executable, "-I", "-m", "agentcop", "doctor", "--policy", "policy.yaml", "-f", "json"
    )
    answer = read(done)
    assert (answer.code, answer.states("this"), answer.states("child")) == (1, {"ENFORCED"}, {"NOT GOVERNED"})
    assert f"it imports another {fake}, from {program.folder}/lib" in answer.seams[-1]["reason"]


def test_one_of_our_packages_from_elsewhere_is_seen_here_too(program: Program) -> None:
    for name, text in FAKES["agentcop_processor"].items():
        program.file(f"lib/{name}", text)
    answer = ask(program.having(PYTHONPATH="lib"))
    assert answer.code == 1
    assert any("agentcop_processor is imported from" in each for each in answer.of("origin", "failed"))


def test_a_broken_span_pipeline_is_told_and_judged_all_the_same(program: Program) -> None:
    answer = ask(program.having(OTEL_SDK_DISABLED="true"))
    assert (answer.code, answer.states()) == (0, {"ENFORCED"})
    assert "were decided at the seam" in answer.of("spans", "warning")[0]


def test_on_a_healthy_one_the_span_processor_decides(program: Program) -> None:
    assert ask(program).of("spans", "ok") == ["all 6 calls were decided by the span processor"]


def test_the_text_says_the_same_in_lines_that_can_be_searched(program: Program) -> None:
    done = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "policy.yaml")
    said = done.stdout.splitlines()
    assert said[1:4] == [f"  ENFORCED      python {way}: refused here and in a child" for way in WAYS]
    assert said[4].startswith("  note          no agent framework is installed here: ")
    assert said[-1].startswith("protected by policy.yaml, with ")
    assert all(line.startswith(("  ok ", "  warning ")) for line in said[6:-1])
    assert "\x1b" not in done.stdout
    program.file("policy.yaml", "mode: observe\n" + POLICY)
    done = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "policy.yaml")
    assert done.stdout.splitlines()[-1] == "NOT PROTECTED: 6 seams, policy"


def test_on_a_terminal_no_line_is_wider_than_it_and_no_word_is_lost(program: Program) -> None:
    plain = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "policy.yaml").stdout
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    command: list[str | Path] = [SCRIPTS / "agentcop", "doctor", "--policy", "policy.yaml"]
    environ = {**os.environ, **program.environment, "NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=program.folder, env=environ, stdout=theirs) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
        assert process.wait(60) == 0
    os.close(ours)
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    assert max(map(len, lines)) <= 80
    assert _without_space_and_time("".join(lines)) == _without_space_and_time(plain)


def _without_space_and_time(text: str) -> str:
    """A word that is longer than a line is broken, and the clock goes on between two runs."""
    return re.sub(r"[\s\d]", "", text)


def _read(terminal: int) -> bytes:
    """What is shown next; nothing once the program has gone."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_a_name_that_drives_a_terminal_is_shown_as_text(program: Program) -> None:
    (program.folder / "policy.yaml").rename(program.folder / "p\x1b[31m.yaml")
    done = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "p\x1b[31m.yaml")
    assert "\x1b" not in done.stdout
    done = program.command(SCRIPTS / "agentcop", "doctor", "--policy", "p\x1b[31m.yaml", "-f", "json")
    assert "\x1b" not in done.stdout
    assert json.loads(done.stdout)["policy"] == "p\x1b[31m.yaml"
