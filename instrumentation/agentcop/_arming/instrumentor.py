"""What `opentelemetry-instrument` loads: it arms the process as `AGENTCOP_ENABLED` says, where no `.pth` file did so.

So it is with an install by `--target`, or one injected by PYTHONPATH. Elsewhere the process was armed before this.
"""

from __future__ import annotations

from agentcop._boot import arm, say


class AgentCopInstrumentor:
    """An instrumentor by what it can do: OpenTelemetry's base class is in a package that AgentCop does not need."""

    def instrument(self, **kwargs: object) -> None:  # noqa: ARG002 -- OpenTelemetry's signature
        """Arm this process if its environment says so. Idempotent. Ends the process where it cannot be obeyed."""
        arm()

    def uninstrument(self, **kwargs: object) -> None:  # noqa: ARG002 -- OpenTelemetry's signature
        """Say that this changes nothing: telemetry may be taken out of a process, a gate may not."""
        say("uninstrument: the gate stays; AGENTCOP_ENABLED=0 starts a process without it")
