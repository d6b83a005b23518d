"""`agentcop doctor`: whether the tool calls of this environment's agents are really governed."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentcop._boot import HOME, POLICY
from agentcop.cli._output import escape, form_option, say
from agentcop.cli.doctor.checks import CHECKS
from agentcop.cli.doctor.checks.found import Context, Found, failed, ok, warning
from agentcop.cli.doctor.probes.canary import PLAIN, Seam
from agentcop.cli.doctor.probes.child import probe_child
from agentcop.cli.doctor.probes.frameworks import frameworks
from agentcop.cli.doctor.probes.here import canary_policy, probe_here
from agentcop_core.errors import PolicyError
from agentcop_core.home import state_folder
from agentcop_policies import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentcop.cli.doctor.probes.frameworks import Framework
    from agentcop_policies import Policy


@click.command(short_help="Say whether tool calls are really governed here.")
@click.option(
    "--policy",
    "policy_file",
    envvar=POLICY,
    type=click.Path(dir_okay=False),
    help="The policy file; else $AGENTCOP_POLICY.",
)
@click.option(
    "--home", type=click.Path(file_okay=False), help="The state folder. [default: $AGENTCOP_HOME, else the user's]"
)
@click.option("--send", is_flag=True, help="Send a marked test alert through every channel of the policy.")
@click.option(
    "--unused",
    multiple=True,
    metavar="FRAMEWORK",
    help="A framework that is installed here and that no agent uses: it is not tried. Can be repeated.",
)
@form_option
def doctor(*, policy_file: str | None, home: str | None, send: bool, unused: tuple[str, ...], form: str) -> None:
    """Call a denied tool through every seam, here and in a child process, and look at all that the gate stands on.

    The call is made with your policy and one more line, which blocks the tool agentcop_doctor_canary; in a state
    folder of its own, so that it is in no log of yours, alerts nobody and is sent to no detector. Frameworks that have
    an adapter are imported.

    Exits 1 if a seam, the policy, the log or its sandbox does not hold; 0 if all do, whatever warnings there are; 2 if
    that could not be told.
    """
    if not policy_file:
        message = f"no policy: give --policy FILE or set {POLICY}"
        raise click.UsageError(message)
    from agentcop.cli.doctor.text import print_json, print_text

    context = _context(policy_file, home, send=send)
    found = [each for check in CHECKS for each in _checked(check.__module__.rpartition(".")[2], check(context))]
    present = frameworks()
    for name in set(unused) - {each.name for each in present}:
        say(f"agentcop: doctor: --unused {escape(name)}: no framework of that name is installed here")
    seams = [
        *_probed(context, [each for each in present if each.place and each.name not in unused]),
        *_not_probed(present, unused),
    ]
    found += _pipeline(seams)
    holds = all(seam.holds for seam in seams) and all(each.state != "failed" for each in found)
    (print_json if form == "json" else print_text)(seams, found, context, holds=holds)
    sys.exit(0 if holds else 1)


def _context(policy_file: str, home: str | None, *, send: bool) -> Context:
    environ = {**os.environ, HOME: home} if home else dict(os.environ)
    policy: Policy | None = None
    problems: tuple[str, ...] = ()
    try:
        policy = load_policy(policy_file, environ=environ)
    except PolicyError as error:
        problems = error.problems
    return Context(
        policy_file=policy_file,
        policy=policy,
        problems=problems,
        home=state_folder(environ),
        environ=environ,
        now=time.time(),
        send=send,
    )


def _checked(name: str, found: Iterable[Found]) -> list[Found]:
    """What a check found; one that fails itself has found that nobody can tell."""
    answers: list[Found] = []
    try:
        answers.extend(found)
    except Exception as error:
        answers.append(failed(name, f"could not be checked: {type(error).__name__}: {error}"))
    return answers


def _probed(context: Context, present: Sequence[Framework]) -> list[Seam]:
    if context.policy is None:
        return _unprobed("the policy cannot be loaded: an armed process ends with 78", present)
    with tempfile.TemporaryDirectory(prefix="agentcop-doctor-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        try:
            policy = canary_policy(context.policy_file, folder)
            child = probe_child(policy, folder, present, context.environ)
            return [*probe_here(policy, folder, present), *child]
        except Exception as error:
            return _unprobed(f"the canary could not be called: {type(error).__name__}: {error}", present)


def _unprobed(why: str, present: Sequence[Framework]) -> list[Seam]:
    names = [(PLAIN, ""), *((each.name, each.release) for each in present)]
    return [Seam(framework=name, release=release, state="NOT GOVERNED", reason=why) for name, release in names]


def _not_probed(present: Sequence[Framework], unused: Sequence[str]) -> Iterator[Seam]:
    """Frameworks that there is no adapter for, or that no agent uses."""
    for each in present:
        if each.place and each.name not in unused:
            continue
        why = "this build has no adapter for it: nobody judges the tool calls that it makes itself"
        if each.name in unused:
            why = f"said to be unused{'' if each.place else f'; {why}'}"
        yield Seam(
            framework=each.name,
            release=each.release,
            state="NOT GOVERNED",
            reason=why,
            waived=each.name in unused,
        )


def _pipeline(seams: Sequence[Seam]) -> Iterator[Found]:
    """Who decided, as far as anything was decided."""
    decided = [seam for seam in seams if seam.state in {"ENFORCED", "OBSERVE-ONLY"}]
    if not decided:
        return
    late = sum(not seam.by_processor for seam in decided)
    if late:
        yield warning(
            "spans", f"{late} of {len(decided)} calls were decided at the seam: the span pipeline is off or broken"
        )
    else:
        yield ok("spans", f"all {len(decided)} calls were decided by the span processor")
