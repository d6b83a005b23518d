"""What a harness is: one kind of agent, with a way of making it call its tools for every path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args

from tests.fault_matrix.attempt import Job

Path = Literal[
    "sync", "async", "stream", "async stream", "batch", "parallel", "thread", "executor", "sub-agent", "direct"
]
"""`sync` to `async stream`: the agent is run, or iterated to its end. `batch`: several runs asked for at once.
`parallel`: the model asks for several calls in one turn. `thread`, `executor`: the agent is run on a thread that has
no context. `sub-agent`: an agent inside a tool, or a node, of the one that is wrapped. `direct`: the tools are called
without any agent."""

PATHS: tuple[Path, ...] = get_args(Path)

Feature = Literal[
    "objects",
    "renaming",
    "odd names",
    "depth",
    "defaults",
    "positional",
    "a run",
    "a model",
    "async",
    "async bodies",
    "async agent",
    "generator bodies",
    "validators",
    "callbacks",
    "editing",
    "unprintable objects",
    "surrogates",
    "fork",
]
"""What a trial may need of a path.

`objects`: arguments are Python objects, not JSON. `renaming`: a tool that changes its name can still be called.
`odd names`: a tool may be called `<lambda>`. `depth`: arguments may be hundreds of levels deep.
`defaults`: filled in where the gate can see it. `a run`: refusals are counted. `a model`: asking it again shows that
the run is blocked. `async`: awaited, so that it can be cancelled. `generator bodies`: a tool may be a generator.
`unprintable objects`: nobody needs an argument's text. `surrogates`: half a
character can be an argument. `fork`: works in a forked child.
"""

Way = Callable[[Job], None]
"""Makes a real agent carry out a job, to its end; whatever reaches the caller is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """One kind of agent. Importing its file imports no framework; its ways do, and `load`."""

    name: str
    """As in the table."""
    environment: str
    """Where it runs: a name in `framework_venv` of scripts/_environment.sh."""
    ways: Mapping[Path, Mapping[str, Way] | str]
    """By path: every entry point, the usual one first; or why there is none."""
    lacks: Callable[[Feature, Path], str]
    """Why a path has no such feature; "" where it has."""
    rename: Callable[[Any, str], None]
    """Give a tool object another name, once it is wrapped."""
    swallowers: Callable[[Path], tuple[str, ...]]
    """What can stand around an agent, or a tool, and swallow a refusal; "": it does so by itself."""
    armed: tuple[str, ...] = ()
    """Modules whose import arms a process that its environment tells to; empty: the program wraps its agents itself."""
    instrumentors: tuple[tuple[str, str], ...] = ()
    """Telemetry instrumentors of this framework, each as module and class."""

    def load(self) -> None:
        """Import what a forked child would else import by itself, each time."""
        for module in self.armed:
            import_module(module)

    def usual(self, path: Path) -> Way:
        """The entry point that most trials use."""
        ways = self.ways[path]
        if isinstance(ways, str):
            raise LookupError(ways)  # noqa: TRY004 -- the path is missing
        return next(iter(ways.values()))
