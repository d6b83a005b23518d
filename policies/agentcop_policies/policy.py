"""A validated policy: what it says, where it says so, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import DecidedBy, Verdict
    from agentcop_policies.document.sections import SandboxMode
    from agentcop_policies.judging.explain import Explanation
    from agentcop_policies.models import GatePolicy, PolicyDocument
    from agentcop_policies.unenforced import Unenforced


class Compiled(Protocol):
    """A policy made ready to judge (`agentcop_policies.judging.compiled.compile_policy`)."""

    def decide(self, call: ToolCall, session: Session, signals: object = None, *, decided_by: DecidedBy) -> Verdict:
        """Pure, in microseconds, and never raises."""

    def explain(self, call: ToolCall, session: Session, signals: object = None) -> Explanation:
        """The same walk, with each step written down."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """One agent's policy. Immutable; every method may be called from any thread."""

    document: PolicyDocument = field(repr=False)
    """Everything it says, all files merged; secrets stand unexpanded."""
    source: str
    """The file as the user named it, or what stands for one."""
    folder: Path
    """Where relative paths of conditions start: the folder of the file that was loaded, not of one it extends."""
    files: tuple[Path, ...] = ()
    """Every file it was read from, resolved; a pack is none. No tool may write to these."""
    digest: str
    """SHA-256 (hex) of the document's normal form."""
    warnings: tuple[str, ...] = ()
    """What a person should know though the policy holds; one line each."""
    unenforced: tuple[Unenforced, ...] = field(default=(), repr=False)
    """What it demands and this build cannot give: the calls it covers are refused."""
    _places: Mapping[str, str] = field(repr=False)
    _compiled: Compiled = field(repr=False)

    @classmethod
    def from_gate(cls, gate: GatePolicy, *, agent_id: str) -> Policy:
        """A policy of nothing but a gate, as `AgentCop(policy=GatePolicy(...))` has it. Raises PolicyError."""
        from agentcop_policies.from_gate import policy_from_gate

        return policy_from_gate(gate, agent_id=agent_id)

    @property
    def agent_id(self) -> str:
        """The agent it is for."""
        return self.document.agent_id

    @property
    def version(self) -> str:
        """Its author's version; "" if none is written."""
        return self.document.version

    def at(self, rule: str) -> str:
        """`file:line:col` of a rule, as `gate.block[1]`; "" if no line stands behind it."""
        return self._places.get(rule, "")

    def with_sandbox_mode(self, mode: SandboxMode) -> Policy:
        """The same policy, rules and places unchanged, with its tools in a sandbox of this mode."""
        from agentcop_policies.assemble import assemble
        from agentcop_policies.document.sections import Sandbox
        from agentcop_policies.unenforced import unenforced

        document = replace(self.document, sandbox=replace(self.document.sandbox or Sandbox(), mode=mode))
        return assemble(
            document,
            source=self.source,
            folder=self.folder,
            files=self.files,
            places=self._places,
            warnings=self.warnings,
            demands=unenforced(document),
        )

    def dump(self) -> str:
        """The whole policy as one YAML text, files merged and secrets unexpanded; it loads to an equal document."""
        from agentcop_policies.document.normal import dump

        return dump(self.document)

    def decide(
        self, call: ToolCall, session: Session, signals: object = None, *, decided_by: DecidedBy = "seam"
    ) -> Verdict:
        """What this policy says about `call`. Pure, in microseconds, and never raises."""
        return self._compiled.decide(call, session, signals, decided_by=decided_by)

    def explain(self, call: ToolCall, session: Session, signals: object = None) -> Explanation:
        """The walk to the same verdict, step by step."""
        return self._compiled.explain(call, session, signals)
