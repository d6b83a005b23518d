"""`agentcop sandbox`: make the image that tools run in, and see whether a box holds."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from agentcop._boot import HOME, POLICY
from agentcop.cli._output import escape, say
from agentcop.cli.sandbox.text import BY_FALLBACK, print_built, print_json, print_text
from agentcop_core.home import state_folder
from agentcop_policies import load_policy
from agentcop_processor.sandbox.containers.found import found
from agentcop_processor.sandbox.demand import settings_of
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.image import PLAIN_TAG, VENV_TAG, CannotBuild
from agentcop_processor.sandbox.image.baked import build_baked
from agentcop_processor.sandbox.image.interpreter import find_interpreter
from agentcop_processor.sandbox.image.loading import load
from agentcop_processor.sandbox.image.plain import build_plain, python_of
from agentcop_processor.sandbox.settings import Settings, whole_id
from agentcop_processor.sandbox.trial import try_mode

if TYPE_CHECKING:
    from agentcop_policies import Policy
    from agentcop_processor.sandbox.containers.container import ContainerEngine
    from agentcop_processor.sandbox.image.archive import Built

Mode = Literal["container", "process"]

_HERE = "here"
_POLICY = click.option(
    "--policy",
    "file",
    envvar=POLICY,
    type=click.Path(exists=True, dir_okay=False, readable=True),
    help="The policy file; else $AGENTCOP_POLICY.",
)


@click.group()
def sandbox() -> None:
    """Make the image that sandboxed tools run in, and see whether a box holds."""


@sandbox.command(short_help="Make the image, without a registry.")
@click.option(
    "--from-venv",
    "venv",
    is_flag=False,
    flag_value=_HERE,
    metavar="[DIR]",
    help="Match a virtual environment: its interpreter and its packages. [DIR: the one this command runs in]",
)
@click.option(
    "--tag",
    help=f"The image's name. [default: the policy's sandbox.image, else {PLAIN_TAG}; with --from-venv {VENV_TAG}]",
)
@click.option(
    "--engine",
    type=click.Choice(["docker", "podman", "all"]),
    default="all",
    help="Who gets it. [default: every engine that answers]",
)
@_POLICY
def build(*, venv: str | None, tag: str | None, engine: str, file: str | None) -> None:
    """Make the image that tools run in and hand it to Docker and Podman. Prints its id, to be pinned.

    Without options: Python and its standard library, of Debian packages that apt downloads and checks; for tools that
    need nothing else. With --from-venv: the very interpreter and packages of a virtual environment, and nothing is
    downloaded. Such an image has another name unless you or the policy give it one: what runs in one project's
    packages must not come to run in another's.

    Left out of an environment: pip, caches, .env and other files that hold secrets, links into them, and the
    credentials in the addresses that packages came from. Of editable installs what can be imported is copied as it is
    now, without hidden files, keys, the policy and the state folder.

    Exits 1 if an engine does not take the image, 2 if there is none to be had.
    """
    policy = load_policy(file) if file else None
    name = tag or _image(policy) or (PLAIN_TAG if venv is None else VENV_TAG)
    here = None if venv in {None, _HERE} else Path(str(venv))
    if venv is not None:
        find_interpreter(here)  # what is no environment is told before any engine is asked
    engines = _engines(engine)
    with tempfile.TemporaryDirectory(prefix="agentcop-image-", ignore_cleanup_errors=True) as made:
        built, what = _plain() if venv is None else _baked(here, Path(made), file)
        refused = [each for each in engines if not _loaded(each, built, name)]
    print_built(built, name, what, pinned=_pinned(policy))
    sys.exit(1 if refused else 0)


@sandbox.command(short_help="Start boxes, and see whether they hold.")
@_POLICY
@click.option(
    "--mode",
    type=click.Choice(["container", "process"]),
    help="Try this one alone. [default: both; the answer is about the policy's, else container]",
)
@click.option(
    "--home", type=click.Path(file_okay=False), help="The state folder. [default: $AGENTCOP_HOME, else the user's]"
)
@click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", help="Output.")
def check(*, file: str | None, mode: Mode | None, home: str | None, style: Literal["text", "json"]) -> None:
    """Start a box on every engine, read in it what it is, and run one call.

    A fact that is not as it must be is a MISS: no tool would get into that box.

    Exits 0 only if the mode that the policy asks for can be had; a `fallback: process` of the policy counts.
    """
    policy = load_policy(file) if file else None
    section = policy.document.sandbox if policy else None
    if mode is None and section is not None and section.mode == "none":
        say("mode: none: the policy wants no box, and there is none to check")
        return
    settings = (settings_of(policy) if policy else None) or Settings()
    wanted: Mode = mode or settings.mode
    modes: tuple[Mode, ...] = (mode,) if mode else ("container", "process")
    folder = state_folder({**os.environ, HOME: home} if home else os.environ)
    trials = [trial for each in modes for trial in try_mode(each, settings, folder)]
    by = [trial.engine for trial in trials if trial.holds and (trial.engine == "process") == (wanted == "process")]
    wrong = any(trial.wrong for trial in trials if trial.engine != "process")
    if not by and settings.fallback and not wrong and any(trial.holds for trial in trials):
        by = [BY_FALLBACK]
    if style == "json":
        print_json(trials, wanted, by)
    else:
        print_text(trials, wanted, by, settings)
    sys.exit(0 if by else 1)


def _image(policy: Policy | None) -> str:
    section = policy.document.sandbox if policy else None
    return section.image if section else ""


def _pinned(policy: Policy | None) -> str:
    section = policy.document.sandbox if policy else None
    return whole_id((section.image_digest if section else None) or "")


def _engines(name: str) -> tuple[ContainerEngine, ...]:
    """The engines that answer, or the one that is named. Raises CannotBuild."""
    try:
        engines = tuple(each for each in found(os.environ) if name in {"all", each.name})
    except EngineDown as down:
        raise CannotBuild("\n".join(down.lines)) from None
    if not engines:
        raise CannotBuild(f"{name} does not answer here; --engine all takes those that do")
    return engines


def _plain() -> tuple[Built, str]:
    """The image of Debian packages, and what is in it in a few words."""
    built, packages = build_plain(tell=say)
    return built, f"Python {python_of(packages)}, {len(packages)} Debian packages"


def _baked(venv: Path | None, folder: Path, policy: str | None) -> tuple[Built, str]:
    """The image of an environment, and what is in it in a few words. Neither policy nor state folder is in it."""
    never = {state_folder(os.environ).resolve(), *([Path(policy).resolve()] if policy else [])}
    say("packing the environment, which takes longer the larger it is")
    baked = build_baked(venv, folder, never)
    for source in baked.packages.sources:
        say(f"copied as it is now: {escape(str(source))}")
    if baked.packages.left:
        say(f"left out: {baked.packages.left} files and folders (caches, secrets, pip)")
    if baked.absent:
        say(f"not found here, and not in the image: {escape(', '.join(baked.absent))}")
    return baked.built, f"Python {baked.interpreter.version}, {baked.packages.count} packages"


def _loaded(engine: ContainerEngine, built: Built, tag: str) -> bool:
    try:
        load(engine.socket, built, tag)
    except CannotBuild as error:
        say(f"{engine.name}: {escape(str(error))}")
        return False
    say(f"{engine.name}: {escape(tag)}")
    return True
