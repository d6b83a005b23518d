"""Whether the calls that the policy wants in a box can have one here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop.cli.doctor.checks.found import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found

_WEAKER = "`agentcop sandbox check` says where it is weaker than a container"


def check(context: Context) -> Iterator[Found]:
    """A box of the policy's mode that is what it must be, and answers one call. Blocks for seconds."""
    if context.policy is None:
        return
    section = context.policy.document.sandbox
    if section is None or not section.tools:
        yield ok("sandbox", "the policy asks for none: tools run in the agent's process")
        return
    if section.mode == "none":
        yield warning("sandbox", "mode: none: tools run in the agent's process, with all that it may do")
        return
    from agentcop_processor.sandbox.demand import settings_of
    from agentcop_processor.sandbox.settings import Settings
    from agentcop_processor.sandbox.trial import try_mode

    settings = settings_of(context.policy) or Settings()
    trials = try_mode(settings.mode, settings, context.home)
    good = [trial for trial in trials if trial.holds]
    why = "; ".join(f"{trial.engine}: {trial.why}" for trial in trials if not trial.holds)
    if good:
        on = " and ".join(trial.engine for trial in good)
        holds = f"mode {settings.mode} holds on {on}: {len(good[0].facts)} facts as they must be"
        yield ok("sandbox", f"{holds}; {_WEAKER}" if good[0].weaker else holds)
        if why:
            yield warning("sandbox", f"an engine that answers here holds no box: {why}")
        return
    if settings.fallback and not any(trial.wrong for trial in trials):
        (spare,) = try_mode("process", settings, context.home)
        if spare.holds:
            yield warning("sandbox", f"fallback: process is in use, and holds; {_WEAKER}. No container: {why}")
            return
        why = f"{why}; process: {spare.why}"
    yield failed("sandbox", f"every call that needs a box is refused: {why}")
