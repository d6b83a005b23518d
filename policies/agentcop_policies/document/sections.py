"""The shape of a policy's sections beside the gate: scan, monitor, sandbox, tests."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 -- pydantic resolves the annotations at run time
from dataclasses import dataclass, field
from typing import Annotated, Literal

from agentcop_core.alert import Severity  # noqa: TC001 -- as above
from agentcop_core.verdict import Decision  # noqa: TC001 -- as above
from agentcop_policies.document.shapes import Closed, Flag, OneOrMore, Positive, Seconds, Size, Text, Whole

FindingSeverity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW"]
"""Of a scanner's finding, worst first."""


SandboxMode = Literal["container", "process", "none"]
"""`container`: Docker or Podman; `process`: bubblewrap; `none`: no box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Closed):
    """What the start-up scan demands of the agent's code."""

    min_score: Annotated[int, Whole(least=0, most=100)] | None = None
    """The trust score each file must reach."""
    fail_on: tuple[FindingSeverity, ...] = ("CRITICAL",)
    """The severities of which no finding may remain."""
    require_source: Annotated[bool, Flag()] = False
    """Refuse an agent whose source cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Closed):
    """Where alerts go. Each type has keys of its own; values may hold `${VAR}` or `${VAR:-default}`."""

    type: Literal["slack", "email", "webhook"]
    """`slack`: `webhook`, or `token` and `channel`; `email`: `to`; `webhook`: `url`."""
    min_severity: Severity = "low"
    """The least severe alert that is sent."""
    webhook: Annotated[str, Text()] | None = None
    """slack: an incoming webhook's URL."""
    token: Annotated[str, Text()] | None = None
    """slack: a bot token."""
    app_token: Annotated[str, Text()] | None = None
    """slack: an app-level token, for buttons over Socket Mode."""
    signing_secret: Annotated[str, Text()] | None = None
    """slack: for buttons over signed HTTP."""
    channel: Annotated[str, Text()] | None = None
    """slack: where the bot posts."""
    to: Annotated[tuple[Annotated[str, Text()], ...], OneOrMore()] = ()
    """email: one address or several."""
    from_: Annotated[str, Text()] | None = None
    """email: the sender; left out: agentcop@HOST."""
    url: Annotated[str, Text()] | None = None
    """webhook: where the alert is posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond(Closed):
    """How an anomaly tightens the gate."""

    medium: Literal["require_approval", "block"] | None = None
    """What a call gets at this severity; left out: nothing changes."""
    high: Literal["require_approval", "block"] | None = None
    """What a call gets at this severity and above."""
    ttl: Annotated[float, Seconds()] = 3600.0
    """How long it stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links(Closed):
    """Addresses that alerts point to."""

    trace: Annotated[str, Text()] | None = None
    """A page of one trace, as Jaeger's; holds `{trace_id}`."""
    page: Annotated[str, Text()] | None = None
    """The detector's own page of the run; holds `{trace_id}`."""
    dashboard: Annotated[str, Text()] | None = None
    """A dashboard, as Grafana's; may hold `{agent_id}`, `{tool}`, `{kind}`, `{session_id}` and `{trace_id}`."""
    runbook: Annotated[str, Text()] | None = None
    """What to do about an alert; may hold the same, `{kind}` above all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Closed):
    """What is watched, and who is told."""

    sensitivity: Literal["low", "medium", "high"] = "medium"
    """How much of what is normal may be flagged."""
    content: Literal["none", "redacted", "full"] = "redacted"
    """What the detector sees of arguments, results and words."""
    max_alerts_per_day: Annotated[int, Whole(least=1)] = 20
    """The budget of alerts."""
    alert_channels: tuple[Channel, ...] = ()
    """Where alerts go."""
    respond: Respond | None = None
    """How an anomaly tightens the gate."""
    links: Links | None = None
    """Addresses that alerts point to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAllow(Closed):
    """The only places a sandboxed tool may reach."""

    allow: tuple[Annotated[str, Text()], ...]
    """`host:port`, exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret(Closed):
    """A header that requests for one place get outside of the box."""

    host: Annotated[str, Text()]
    """`host:port`, exact, reached by https; `http://host:port` where it may travel unencrypted."""
    header: Annotated[str, Text()]
    """The header's name; one that the tool sends goes."""
    value: Annotated[str, Text()]
    """Its value, with the secret as `${VAR}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox(Closed):
    """The box that tools run in."""

    mode: SandboxMode = "container"
    """Where tools run."""
    image: Annotated[str, Text()] = "agentcop/agent-sandbox:2.0"
    """The container image."""
    image_digest: Annotated[str, Text()] | None = None
    """The image's id; another image is refused."""
    timeout: Annotated[float, Seconds()] = 60.0
    """How long one call may take."""
    memory: Annotated[int, Size()] = 268_435_456
    """Memory, swap included."""
    pids: Annotated[int, Whole(least=1)] = 64
    """Processes and threads."""
    cpus: Annotated[float, Positive()] = 1.0
    """Processor cores."""
    tmpfs: Annotated[int, Size()] = 16_777_216
    """The size of /tmp, the only place a tool may write."""
    max_result: Annotated[int, Size()] = 1_048_576
    """How long a result may be."""
    max_stdout: Annotated[int, Size()] = 65_536
    """How much standard output and error is kept."""
    network: Literal["public", "none"] | NetworkAllow = "public"
    """`public`: public addresses through the host's proxy; `none`; or `{allow: [host:port]}`."""
    secrets: tuple[Secret, ...] = ()
    """Headers that the proxy adds outside of the box, so that no tool sees them."""
    mounts: tuple[Annotated[str, Text()], ...] = ()
    """Folders of the host, as `SOURCE:TARGET`, read-only unless `:rw` follows."""
    env: tuple[Annotated[str, Text()], ...] = ()
    """Names of the host's variables that the tool may see."""
    reuse: Literal["never", "per_agent"] = "never"
    """Whether a box serves a second call."""
    pool: Annotated[int, Whole(least=1)] = 1
    """How many boxes of a kind are made ready beforehand; with `reuse: per_agent`, those that served wait too."""
    runtime: Annotated[str, Text()] | None = None
    """The container runtime, as runsc."""
    tools: tuple[Annotated[str, Text()], ...] = ("*",)
    """The tools that run in the box: names or globs."""
    fallback: Literal["process"] | None = None
    """What to use when no container engine answers; left out: refuse."""
    acknowledge_unsandboxed: Annotated[bool, Flag()] = False
    """`mode: none` in `environment: production` is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCall(Closed):
    """The call of a test."""

    tool: Annotated[str, Text()]
    """The tool's name."""
    args: Mapping[str, object] = field(default_factory=dict)
    """Its arguments."""
    user: str = ""
    """The principal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Closed):
    """A call with the verdict, and the rule, that it must get."""

    call: CaseCall
    """The call."""
    expect: Decision
    """The verdict."""
    because: Annotated[str, Text()] | None = None
    """The rule that must decide, as `gate.require_approval[1]`."""
