"""Fires the denied canary through seams, and tells by its body and by the gate's own count what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentcop._wrap import guard_tool
from agentcop.adapters import install
from agentcop.adapters._interface import CANARY
from agentcop.adapters.generic import GenericAdapter
from agentcop.cli.doctor.probes.frameworks import adapter_at, import_all
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentcop._cop import AgentCop
    from agentcop.adapters._interface import Adapter, Canary
    from agentcop.cli.doctor.probes.frameworks import Framework

SeamState = Literal["ENFORCED", "OBSERVE-ONLY", "BYPASSED", "NOT GOVERNED"]
"""`ENFORCED`: the denied call was refused and the tool's body did not run. `OBSERVE-ONLY`: it ran, as `mode: observe`
says. `BYPASSED`: it ran although it is denied. `NOT GOVERNED`: nothing of ours sees the calls, or none reached it."""

Process = Literal["this", "child"]
"""`this`: the doctor's own process. `child`: one that was started with the environment's variables alone."""

PLAIN = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """What became of the canary in one seam."""

    framework: str
    release: str = ""
    """Its distribution and version."""
    way: str = ""
    """The seam; "" where the framework as a whole is meant."""
    process: Process = "this"
    state: SeamState
    reason: str
    by_processor: bool = True
    """Whether the span processor decided, as on a healthy span pipeline."""
    waived: bool = False
    """Whether the user said that no agent uses the framework."""

    @property
    def holds(self) -> bool:
        """Whether this is no reason to answer no."""
        return self.waived or self.state == "ENFORCED"

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def probe(cop: AgentCop, frameworks: Iterable[Framework], process: Process) -> Iterator[Seam]:
    """Every seam of plain Python and of each of these frameworks, which have adapters. Imports the frameworks.

    `cop` is the process's, with a policy that blocks `CANARY`.
    """
    yield from _fire_all(GenericAdapter(), cop, PLAIN, "", process)
    for framework in frameworks:
        yield from _probe(cop, framework, process)


def _probe(cop: AgentCop, framework: Framework, process: Process) -> Iterator[Seam]:
    adapter = adapter_at(framework.place)
    why = import_all(framework.modules)
    if missing := [name for name in adapter.needs if name not in framework.modules]:
        why = f"there is no {missing[0]}: an armed process ends here with 78"
    if not why:
        try:
            if process == "this":  # in a child the import itself does so
                install(adapter)
            yield from _fire_all(adapter, cop, framework.name, framework.release, process)
        except NotArmed as error:
            why = f"{error}: an armed process ends here with 78"
        except Exception as error:
            why = f"its adapter failed: {type(error).__name__}: {error}"
        else:
            return
    yield Seam(framework=framework.name, release=framework.release, process=process, state="NOT GOVERNED", reason=why)


def _fire_all(adapter: Adapter, cop: AgentCop, name: str, release: str, process: Process) -> Iterator[Seam]:
    ran: list[bool] = []

    def body() -> str:
        ran.append(True)
        return "the canary's body ran"

    def guard(tool: object) -> object:
        return guard_tool(tool, cop._gate, CANARY)  # noqa: SLF001 -- the same package; no program needs a cop's gate

    for canary in adapter.canaries(body, guard):
        ran.clear()
        before = cop.counts()
        failed = _fire(canary)
        counts = {key: count - before.get(key, 0) for key, count in cop.counts().items()}
        state, reason = _judged(ran=bool(ran), counts=counts, failed=failed)
        yield Seam(
            framework=name,
            release=release,
            way=canary.way,
            process=process,
            state=state,
            reason=reason,
            by_processor=not counts.get("decided_by_seam"),
        )


def _fire(canary: Canary) -> str:
    """Call it; how the call failed, if it did: a refusal may be raised."""
    try:
        canary.call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a framework that exits must not end the doctor with its own code
        return f"{type(error).__name__}: {error}"
    return ""


def _judged(*, ran: bool, counts: dict[str, int], failed: str) -> tuple[SeamState, str]:
    if ran:
        if counts.get("observed"):
            return "OBSERVE-ONLY", "a denied call runs: the policy says mode: observe"
        return "BYPASSED", "a denied call ran: something stands between the framework and the gate"
    if counts.get("blocked"):
        return "ENFORCED", "a denied call was refused, its body did not run"
    return "NOT GOVERNED", f"the canary did not reach the gate{f': {failed}' if failed else ''}"
