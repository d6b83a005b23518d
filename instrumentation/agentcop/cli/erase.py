"""`agentcop erase`: delete what the detector keeps about an agent."""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from agentcop.cli._output import escape, say
from agentcop_core.errors import AgentCopError
from agentcop_core.home import absolute, state_folder

_DATABASE: Final = "AGENTCOP_DATABASE_URL"
_NEEDED: Final = ("alembic", "sqlalchemy")


@click.command(short_help="Delete what the detector keeps about an agent.")
@click.argument("agent")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state folder whose detector it is. [default: $AGENTCOP_HOME, else the user's]",
)
@click.option(
    "--database",
    metavar="URL",
    help="The detector's database. [default: $AGENTCOP_DATABASE_URL, else the one in the state folder]",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def erase(*, agent: str, home: Path | None, database: str | None, yes: bool) -> None:
    """Delete the runs, verdicts and alerts about AGENT, and what was learned of it; its spans follow.

    Rows go at once. Spans go as the running detector rewrites its sealed segments: those of the last hour once they are
    sealed. Spans of the agent in runs of others stay, and so do gate.log and messages that were sent.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise AgentCopError(
            f"the detector's database needs {', '.join(missing)}: pip install 'agentcop-runtime[detector]'"
        )
    from agentcop_detectors.store.deletion import delete_agent
    from agentcop_detectors.store.reader import connect

    folder = state_folder() if home is None else Path(absolute(str(home)))
    url = database or os.environ.get(_DATABASE) or f"sqlite:///{folder / 'detector' / 'detector.db'}"
    engine = connect(url)
    try:
        if not yes:
            if not sys.stdin.isatty():
                raise AgentCopError("nobody can be asked here: say --yes")
            click.confirm(f"Delete all that the detector keeps about {escape(agent)}?", abort=True, err=True)
        gone = delete_agent(engine, agent, time.time())
    finally:
        engine.dispose()
    click.echo(
        f"{escape(agent)}: {gone.runs:,} runs, {gone.verdicts:,} verdicts and {gone.alerts:,} alerts deleted; "
        "its spans are taken out by the detector"
    )
    if not any(gone):
        say("the detector knew nothing of an agent of this name")
