"""A machine in small: a home folder with the state folder in it, a policy over another, a working folder, one tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcop import AgentCop, PolicyBlocked

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RAN: list[Any] = []


def tool(value: Any = None, other: Any = None) -> str:
    RAN.append(value)
    return "ran"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where things are, and the guarded tool."""

    home: Path
    state: Path
    policy: Path
    base: Path
    work: Path
    cop: AgentCop
    call: Any

    def refuses(self, *arguments: Any) -> bool:
        """Whether the built-in protection refuses this call; asserts that it then did not run, and else did."""
        before = len(RAN)
        try:
            self.call(*arguments)
        except PolicyBlocked as refused:
            assert (refused.rule, len(RAN)) == ("gate.protected", before)  # noqa: PT017 -- either outcome is asked for
            return True
        assert len(RAN) == before + 1
        return False

    def filled(self, text: str) -> str:
        """`text` with `{home}`, `{state}`, `{policy}` and `{base}` filled in, and `{conf}`, the policies' folder."""
        for name in ("home", "state", "policy", "base"):
            text = text.replace("{" + name + "}", str(getattr(self, name)))
        return text.replace("{conf}", str(self.policy.parent))


def machine(folder: Path, patch: pytest.MonkeyPatch, *, mode: str = "enforce", state: str = "") -> Machine:
    """A machine below `folder`, which becomes this process's home and working folder. Its policy allows everything."""
    RAN.clear()
    home, conf, work = folder / "me", folder / "conf", folder / "me" / "project"
    for each in (home, conf, work):
        each.mkdir(parents=True)
    policy, base = conf / "policy.yaml", conf / "base.yaml"
    base.write_text("version: '1'\n", encoding="utf-8")
    policy.write_text(
        f"extends: base.yaml\nagent_id: a\nmode: {mode}\ngate: {{default: allow, on_block: return_message}}\n",
        encoding="utf-8",
    )
    where = home / (state or ".local/state/agentcop")
    patch.setenv("HOME", str(home))
    patch.setenv("AGENTCOP_HOME", str(where))
    patch.chdir(work)
    cop = AgentCop(policy_file=policy)
    return Machine(home=home, state=where, policy=policy, base=base, work=work, cop=cop, call=cop.tool(tool))
