"""The command `agentcop`: the one place where all parts are put together.

Exit codes: 0 fine, 1 the answer is no, 2 could not do it. stdout is data, stderr is talk.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from agentcop_core.errors import AgentCopError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COULD_NOT = 2


class Lazy(NamedTuple):
    """A command that is imported when it is used."""

    module: str
    attribute: str
    help: str
    """One line for the list of commands, which must not import them all."""


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time, so that each costs only what it needs itself."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        """`lazy`: where each command is, by its name."""
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, sorted, without importing anything."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None if there is no such name."""
        entry = self._lazy.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(entry.module), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}:{entry.attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the help lines given here."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in sorted(self._lazy.items())])

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- click's own
        """Run, and end with our exit codes: what could not be done is one line on stderr and 2, never a traceback."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows its escape
                stream.reconfigure(errors="backslashreplace")
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()  # else a reader that went away shows as a traceback when Python ends
        except BrokenPipeError:
            _silence()
        except (AgentCopError, OSError) as error:
            from agentcop.cli._output import escape, say

            for line in str(error).splitlines():
                say(f"agentcop: {escape(line)}")
        sys.exit(_COULD_NOT)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own
        """Run the command; a reader that went away ends it quietly, but not as if all had been said."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _silence()
            ctx.exit(_COULD_NOT)


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 -- click calls it so
    if wanted and not ctx.resilient_parsing:
        from importlib import metadata

        click.echo(f"agentcop {metadata.version('agentcop-runtime')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    lazy={
        "alerts": Lazy("agentcop.cli.alerts.command", "alerts", "Show what became of alerts, and try the channels."),
        "detector": Lazy("agentcop.cli.detector.command", "detector", "Receive spans, watch the runs, tell a person."),
        "doctor": Lazy("agentcop.cli.doctor.command", "doctor", "Say whether tool calls are really governed here."),
        "erase": Lazy("agentcop.cli.erase", "erase", "Delete what the detector keeps about an agent."),
        "gate": Lazy("agentcop.cli.gate.command", "gate", "Read gate.log, and check that nobody changed it."),
        "rule": Lazy("agentcop.cli.rule", "rule", "Explain a rule of the scanner."),
        "sandbox": Lazy(
            "agentcop.cli.sandbox.command", "sandbox", "Make the image that tools run in, and see whether a box holds."
        ),
        "scan": Lazy("agentcop.cli.scan.command", "scan", "Find weaknesses in agent code, and score it."),
        "policy": Lazy("agentcop.cli.policy", "policy", "Check, test and explain policy files."),
        "run": Lazy("agentcop.cli.run.command", "run", "Run a command whose Python is armed."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Say which.")
def main() -> None:
    """Put every tool call of an AI agent behind a policy."""
