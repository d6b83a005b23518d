"""`agentcop detector`: the service that receives spans, watches the runs, and tells a person."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agentcop.cli._output import say
from agentcop_core.errors import AgentCopError
from agentcop_core.home import absolute, state_folder

if TYPE_CHECKING:
    from agentcop_core.otlp.sender import Endpoint
    from agentcop_detectors.receive.address import Address, Tls

EXTRA: Final = (
    "alembic",
    "google_crc32c",
    "grpc",
    "httptools",
    "isal",
    "jinja2",
    "msgspec",
    "prometheus_client",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "uvloop",
    "zstandard",
)
"""What the service imports that the agent's process does without."""
_OFF: Final = "off"
_LARGEST_PORT: Final = 65_535
_UNITS: Final = {"h": 1 / 24, "d": 1.0}
_TOKEN: Final = "AGENTCOP_FORWARD_TOKEN"  # noqa: S105 -- the variable's name
_DATABASE: Final = "AGENTCOP_DATABASE_URL"


class CannotStart(AgentCopError):  # noqa: N818 -- what cannot be done
    """The options do not make a service."""


@click.command(short_help="Receive spans, watch the runs, tell a person.")
@click.option(
    "--grpc",
    default="127.0.0.1:4317",
    show_default=True,
    metavar="ADDRESS",
    help="Listen for OTLP/gRPC here, or `off`.",
)
@click.option(
    "--http",
    default="127.0.0.1:4318",
    show_default=True,
    metavar="ADDRESS",
    help="Listen for OTLP/HTTP here, or `off`.",
)
@click.option(
    "--operations",
    default="127.0.0.1:4319",
    show_default=True,
    metavar="ADDRESS",
    help="Serve health, metrics and pages here; the pages on loopback only.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice(["otlp", "spool", "kafka"]),
    help="Where spans come from; may be given more than once. [default: otlp and spool]",
)
@click.option(
    "--forward", metavar="URL", help="Send everything on to this OTLP endpoint (Jaeger, Tempo, a Collector) as well."
)
@click.option(
    "--policies",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the policy files that the watched agents run under.",
)
@click.option(
    "--alerts",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Policy file whose `monitor:` says who hears of agents that have no channel of their own.",
)
@click.option(
    "--database", metavar="URL", help=f"SQLAlchemy URL. [default: ${_DATABASE}, else SQLite in the state folder]"
)
@click.option("--retain", default="30d", show_default=True, help="How long spans and runs are kept: 12h, 30d.")
@click.option("--tls-cert", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Certificate, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Its key, PEM.")
@click.option(
    "--tls-client-ca",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take spans only from clients whose certificate this authority signed, PEM.",
)
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File of `SHA-256 of a token: [agent ids]`; needed to listen beyond loopback.",
)
@click.option(
    "--state",
    "--home",
    "state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state folder. [default: $AGENTCOP_HOME, else the user's]",
)
@click.option("--fsync", is_flag=True, help="Acknowledge only what survives a power loss, not just a crash.")
def detector(  # noqa: PLR0913 -- one parameter an option
    *,
    grpc: str,
    http: str,
    operations: str,
    sources: tuple[str, ...],
    forward: str | None,
    policies: Path | None,
    alerts: Path | None,
    database: str | None,
    retain: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    tokens: Path | None,
    state: Path | None,
    fsync: bool,
) -> None:
    """Receive the spans of agents, rebuild their runs, and tell a person when something is wrong.

    Without options it takes OTLP on 4317 and 4318 of this machine and what its agents left in the state folder, and
    keeps all it knows there. It ends on SIGTERM or Ctrl-C once what it received is written and scored.
    """
    _need_extra()
    from agentcop.cli.detector.pages import pages
    from agentcop_detectors.service.run import log_to_stderr, serve
    from agentcop_detectors.service.settings import Settings

    log_to_stderr()
    if "kafka" in sources:
        raise CannotStart("--source kafka is not built yet: use otlp, and let the Collector's otlp exporter send here")
    home = state_folder() if state is None else Path(absolute(str(state)))
    chosen = frozenset(sources) or frozenset({"otlp", "spool"})
    otlp = "otlp" in chosen
    settings = Settings(
        home=home,
        sources=chosen,  # type: ignore[arg-type]  # click's Choice knows the names
        http=_address("--http", http) if otlp else None,
        grpc=_address("--grpc", grpc) if otlp else None,
        operations=_needed(_address("--operations", operations)),
        tls=_tls(tls_cert, tls_key, tls_client_ca),
        tokens=tokens.absolute() if tokens else None,
        policies=policies.absolute() if policies else None,
        alerts=alerts.absolute() if alerts else None,
        database=database or os.environ.get(_DATABASE) or f"sqlite:///{home / 'detector' / 'detector.db'}",
        forward=_forward(forward),
        forward_token=os.environ.get(_TOKEN, ""),
        retain_days=_days(retain),
        fsync=fsync,
    )
    if otlp and settings.http is None and settings.grpc is None:
        raise CannotStart("--grpc and --http are both off: there is no OTLP to take; leave --source otlp out")
    say(f"agentcop: detector: state folder {home}")
    sys.exit(serve(settings, pages, lambda line: say(f"agentcop: detector: {line}")))


def _need_extra() -> None:
    """Raise CannotStart, with the command that helps, where a part of the extra is missing."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise CannotStart(
            f"the detector needs {', '.join(missing)}, not installed here: pip install 'agentcop-runtime[detector]'"
        )


def _address(option: str, text: str) -> Address | None:
    """`HOST:PORT`, `[IPv6]:PORT`, or `off`. Raises CannotStart."""
    from agentcop_detectors.receive.address import Address

    if text == _OFF:
        return None
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _LARGEST_PORT:
        raise CannotStart(f"{option} must look like 127.0.0.1:4318 or [::1]:4318, or be off")
    return Address(host=host, port=int(port))


def _needed(address: Address | None) -> Address:
    if address is None:
        raise CannotStart("--operations cannot be off: it is where one sees whether the detector works")
    return address


def _tls(certificate: Path | None, key: Path | None, clients: Path | None) -> Tls | None:
    from agentcop_detectors.receive.address import Tls

    if certificate is None and key is None:
        if clients is not None:
            raise CannotStart("--tls-client-ca needs --tls-cert and --tls-key")
        return None
    if certificate is None or key is None:
        raise CannotStart("--tls-cert and --tls-key go together")
    return Tls(certificate=certificate.absolute(), key=key.absolute(), clients=clients.absolute() if clients else None)


def _forward(url: str | None) -> Endpoint | None:
    from agentcop_core.otlp.sender import parse_endpoint

    if url is None:
        return None
    try:
        return parse_endpoint(url, name="--forward", variable=_TOKEN)
    except ValueError as error:
        raise CannotStart(str(error)) from None


def _days(text: str) -> float:
    """Days, from `12h`, `30d`. Raises CannotStart."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isascii() or not number.isdigit() or not int(number):
        raise CannotStart("--retain must look like 12h or 30d")
    return int(number) * _UNITS[unit]
