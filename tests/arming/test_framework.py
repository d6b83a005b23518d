"""The first framework that an armed process imports: the policy is read then, and a missing one ends the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from processes import POLICY, Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

FLOOR = "from agentcop_processor.judges import judges; print(*(gate.agent_id for gate in judges((), None)))"


@pytest.fixture
def armed(tmp_path: Path) -> Program:
    """A program in a folder that has a policy and `strands`, a framework this build has no adapter for."""
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml"})
    program.file("policy.yaml", POLICY)
    program.file("strands/__init__.py", "from strands.agent import Agent\n")
    program.file("strands/agent.py", "class Agent:\n    pass\n")
    return program


def test_the_policy_is_read_at_the_first_framework_and_judges_from_then_on(armed: Program) -> None:
    before = "import sys; print('agentcop_policies' in sys.modules);"
    done = armed.run("-c", f"{before} import strands; {FLOOR}")
    assert done.stdout.split() == ["False", "armed-agent"]
    assert f"agentcop: armed: agent armed-agent, policy {armed.folder}/policy.yaml, state folder /" in done.stderr


def test_it_is_said_once_that_a_framework_without_adapter_is_not_governed(armed: Program) -> None:
    armed.file("smolagents.py", "")
    code = (
        "import strands, strands.agent, smolagents, importlib; importlib.reload(smolagents);"
        "from agentcop._arming.process import ungoverned_frameworks; print(*sorted(ungoverned_frameworks()))"
    )
    done = armed.run("-c", code)
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert done.stdout.split() == ["smolagents", "strands"]
    assert [line.split()[2] for line in warnings] == ["strands", "smolagents"]
    assert all("NOBODY JUDGES ITS OWN TOOL CALLS" in line for line in warnings)


def test_a_program_without_a_framework_needs_no_policy(armed: Program) -> None:
    assert armed.having(AGENTCOP_POLICY="missing.yaml").says("print('ran')") == ["ran"]
    assert armed.having(AGENTCOP_POLICY="").says("print('ran')") == ["ran"]


def test_what_is_only_looked_for_is_not_imported(armed: Program) -> None:
    code = (
        "import sys, importlib.util as util; spec = util.find_spec('strands');"
        "print(spec.name, spec.loader.is_package('strands'), 'strands' in sys.modules, 'agentcop._cop' in sys.modules)"
    )
    assert armed.having(AGENTCOP_POLICY="missing.yaml").says(code) == ["strands", "True", "False", "False"]


@pytest.mark.parametrize("name", ["", "missing.yaml"])
def test_a_framework_without_a_policy_ends_the_process(armed: Program, name: str) -> None:
    done = armed.having(AGENTCOP_POLICY=name).run("-c", "print('before'); import strands; print('ran')")
    assert (done.returncode, done.stdout) == (78, "before\n")
    assert (name or "AGENTCOP_POLICY is not set") in done.stderr


def test_no_handler_of_the_program_survives_a_broken_policy(armed: Program) -> None:
    code = "try:\n    import strands\nexcept BaseException:\n    pass\nfinally:\n    print('ran')"
    done = armed.having(AGENTCOP_POLICY="missing.yaml").run("-c", code)
    assert (done.returncode, done.stdout) == (78, "")


def test_every_problem_of_a_policy_is_said(armed: Program) -> None:
    armed.file("policy.yaml", "agent_id: a\nversion: '1'\ngate:\n  alow: [x]\n  blok: [y]\n")
    done = armed.run("-c", "import strands; print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert "policy.yaml:4:" in done.stderr
    assert "policy.yaml:5:" in done.stderr


def test_what_the_process_was_started_with_stands_whatever_it_reads_later(armed: Program) -> None:
    armed.file("loose.yaml", "agent_id: loose\nversion: '1'\ngate: {allow: ['*']}\n")
    code = (
        "import os; os.environ.update(AGENTCOP_POLICY='loose.yaml', AGENTCOP_HOME='other'); import strands;"
        "print(os.path.exists('other'), os.environ['AGENTCOP_POLICY']);"
    )
    done = armed.run("-c", code + FLOOR)
    assert done.stdout.split() == ["False", str(armed.folder / "policy.yaml"), "armed-agent"]


def test_a_policy_that_only_the_program_names_is_taken(armed: Program) -> None:
    code = "import os; os.environ['AGENTCOP_POLICY'] = 'policy.yaml'; import strands;"
    assert armed.having(AGENTCOP_POLICY="").run("-c", code + FLOOR).stdout.split() == ["armed-agent"]


def test_a_policy_that_only_observes_says_so(armed: Program) -> None:
    armed.file("policy.yaml", "mode: observe\n" + POLICY)
    assert "(mode observe: nothing is stopped)" in armed.run("-c", "import strands").stderr


def test_a_state_folder_that_cannot_be_written_ends_the_process(armed: Program) -> None:
    armed.file("file", "")
    done = armed.having(AGENTCOP_HOME="file/state").run("-c", "import strands; print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert f"cannot be governed: {armed.folder}/file/state: no gate.log can be written" in done.stderr


def test_a_framework_that_does_not_import_is_the_programs_own_affair(armed: Program) -> None:
    armed.file("strands/agent.py", "raise ImportError('needs something else')\n")
    code = "try:\n    import strands\nexcept ImportError as error:\n    print(error)"
    assert armed.having(AGENTCOP_POLICY="missing.yaml").says(code) == ["needs", "something", "else"]


def test_an_imported_module_is_as_it_would_be_without_us(armed: Program) -> None:
    shown = "print(type(m.__loader__).__name__, m.__spec__.loader is m.__loader__, m.__file__, *m.__path__)"
    code = f"import strands as m; {shown}"
    unarmed = Program(folder=armed.folder)
    done = armed.run("-c", code)
    assert done.stdout.split() == unarmed.says(code)


def test_a_lazily_imported_framework_is_seen_when_it_runs(armed: Program) -> None:
    code = (
        "import sys, importlib.util as util; spec = util.find_spec('strands');"
        "spec.loader = util.LazyLoader(spec.loader); m = util.module_from_spec(spec); sys.modules['strands'] = m;"
        "spec.loader.exec_module(m); print('agentcop._cop' in sys.modules);"
        "m.Agent; print('agentcop._cop' in sys.modules)"
    )
    assert armed.run("-c", code).stdout.split() == ["False", "True"]


def test_a_finder_that_asks_the_others_again_neither_hides_us_nor_loops(armed: Program) -> None:
    armed.file(
        "wrapping.py",
        "import importlib.util, sys\n"
        "class Wrapping:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name != 'strands' or name in seen:\n"
        "            return None\n"
        "        seen.append(name)\n"
        "        spec = importlib.util.find_spec(name)\n"
        "        seen.remove(name)\n"
        "        return spec\n"
        "seen = []\n"
        "sys.meta_path.insert(PLACE, Wrapping())\n".replace("PLACE", "int(sys.argv[1])"),
    )
    for place in ("0", "99"):
        done = armed.run("-c", f"import wrapping, strands; {FLOOR}", place)
        assert done.stdout.split() == ["armed-agent"]


def test_frameworks_imported_by_many_threads_at_once_arm_once(armed: Program) -> None:
    names = ["strands", "smolagents", "haystack", "crewai", "dspy", "fastmcp"]
    for name in names[1:]:
        armed.file(f"{name}.py", "import time; time.sleep(0.05)\n")
    code = (
        f"import importlib, threading; names = {names!r} + ['agentcop._cop'];"
        "threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in names];"
        "[t.start() for t in threads]; [t.join(30) for t in threads]; print(sum(t.is_alive() for t in threads));"
        + FLOOR
    )
    done = armed.run("-c", code)
    assert done.stdout.split() == ["0", "armed-agent"]
    assert done.stderr.count("agentcop: armed: ") == 1


def test_a_program_with_a_cop_of_its_own_is_judged_by_the_processs_too(armed: Program) -> None:
    code = (
        "from agentcop import AgentCop, GatePolicy, ToolBlocked\n"
        "cop = AgentCop(agent_id='own', policy=GatePolicy(allow=['look', 'shell']))\n"
        "tools = cop.wrap({'look': lambda: 'looked', 'shell': lambda: print('ran')})\n"
        "print(tools['look']())\n"
        "try:\n    tools['shell']()\nexcept ToolBlocked as blocked:\n    print(blocked.verdict.agent_id)\n"
    )
    assert armed.says(code) == ["looked", "armed-agent"]
