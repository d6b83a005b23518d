"""The policies of many agents, from a folder, as they are now and as they were."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import PolicyError
from agentcop_core.home import make_private
from agentcop_policies.loader import load_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_policies.document.sections import SandboxMode
    from agentcop_policies.policy import Policy

_log = logging.getLogger("agentcop")

_SUFFIXES: Final = (".yaml", ".yml")
_FILES: Final = 5_000
_DIGESTS: Final = 20_000
_STRICTNESS: Final[tuple[SandboxMode, ...]] = ("none", "process", "container")

_Sign = tuple[tuple[str, int, int, int], ...]


@dataclass(slots=True)
class _File:
    """One file of the folder: how it looked when it was read, and the last policy that could be read from it."""

    sign: _Sign
    policy: Policy | None = None
    problem: str = ""
    watched: tuple[Path, ...] = field(default=())


class Policies:
    """A folder of policy files (`*.yaml`, `*.yml`), one an agent. One thread.

    A file that breaks keeps its last good policy: `problems` says so, and the log, once. `earlier`: a file in which
    the digests of replaced policies are kept, so that an agent which still runs yesterday's is known after a restart.
    """

    def __init__(self, folder: Path | None, *, earlier: Path | None = None) -> None:
        """Reads nothing: see `refresh`. `folder` None: there is none, and every question is answered with no."""
        self._folder = folder
        self._earlier = earlier
        self._files: dict[Path, _File] = {}
        self._by_agent: dict[str, Policy] = {}
        self._doubled: dict[Path, str] = {}
        self._digests: dict[str, None] = {}
        self._fetched = False
        self._folder_problem = ""
        self.broken = 0
        """Files that could not be read, each time one changed into such."""

    @property
    def given(self) -> bool:
        """Whether there is a folder: without one nothing is said about an agent's policy."""
        return self._folder is not None

    @property
    def problems(self) -> Mapping[str, str]:
        """File to what is wrong with it now; empty if all is well."""
        found = {str(path): file.problem for path, file in self._files.items() if file.problem}
        found = {str(path): problem for path, problem in self._doubled.items()} | found
        if self._folder_problem:
            found[str(self._folder)] = self._folder_problem
        return found

    def for_agent(self, agent_id: str) -> Policy | None:
        """The policy of an agent, as its file has it now, or had it before it broke."""
        return self._by_agent.get(agent_id)

    def knows(self, digest: str) -> bool:
        """Whether a policy with this digest stands in the folder, or stood there."""
        return digest in self._digests

    def refresh(self) -> bool:
        """Look at the folder, read what changed, and say whether anything did. Costs a `stat` a file; never raises."""
        if self._folder is None:
            return False
        if not self._fetched:
            self._fetched = True
            self._fetch_earlier()
        try:
            paths = _policy_files(self._folder)
        except OSError as error:
            self._say_once_of_folder(f"cannot be read: {error.strerror or error}")
            return False
        self._folder_problem = ""
        if len(paths) > _FILES:
            self._say_once_of_folder(f"holds {len(paths)} policy files; the first {_FILES} are read")
            paths = paths[:_FILES]
        changed = self._gone(paths)
        for path in paths:
            changed |= self._look_at(path, paths)
        if changed:
            self._sort_out()
        return changed

    def _gone(self, paths: list[Path]) -> bool:
        gone = self._files.keys() - set(paths)
        for path in gone:
            del self._files[path]
        return bool(gone)

    def _look_at(self, path: Path, others: list[Path]) -> bool:
        known = self._files.get(path)
        if known is not None and _sign((path, *known.watched)) == known.sign:
            return False
        policy, problem = known.policy if known is not None else None, ""
        before = _sign((path,))
        try:
            policy = load_policy(path)
        except (PolicyError, OSError, ValueError, RecursionError) as error:
            problem = str(error).partition("\n")[0][:500] or type(error).__name__
            self.broken += 1
            kept = "; its last good version stays" if policy is not None else ""
            _log.error("agentcop: the policy %s cannot be used%s: %s", path, kept, problem)
        watched = tuple(file for file in policy.files if file != path.resolve()) if policy is not None else ()
        if problem:
            watched += tuple(other for other in others if other != path)  # what it extends may be what is broken
        # Signed as it was before it was read: what changed meanwhile is read again.
        self._files[path] = _File(before + _sign(watched), policy, problem, watched)
        return True

    def _sort_out(self) -> None:
        """Which policy is whose; the digests of all."""
        by_agent: dict[str, tuple[Path, Policy]] = {}
        doubled: dict[Path, str] = {}
        before = set(self._digests)
        for path, file in sorted(self._files.items()):
            policy = file.policy
            if policy is None:
                continue
            for digest in _digests(policy):
                self._digests.pop(digest, None)
                self._digests[digest] = None
            first = by_agent.setdefault(policy.agent_id, (path, policy))[0] if policy.agent_id else path
            if first != path:
                doubled[path] = f"is for the agent {policy.agent_id!r}, as {first.name} is, which holds"
                if path not in self._doubled:
                    _log.error("agentcop: the policy %s %s", path, doubled[path])
        self._doubled = doubled
        self._by_agent = {agent: policy for agent, (_, policy) in by_agent.items()}
        while len(self._digests) > _DIGESTS:
            del self._digests[next(iter(self._digests))]
        if set(self._digests) != before:
            self._keep_earlier()

    def _fetch_earlier(self) -> None:
        if self._earlier is None:
            return
        try:
            found = json.loads(self._earlier.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            _log.exception("agentcop: %s cannot be read: policies from before are not known", self._earlier)
            return
        if isinstance(found, list):
            self._digests.update(dict.fromkeys(each for each in found[-_DIGESTS:] if isinstance(each, str)))

    def _keep_earlier(self) -> None:
        if self._earlier is None:
            return
        new = self._earlier.with_name(self._earlier.name + ".new")
        try:
            make_private(self._earlier.parent)
            new.write_text(json.dumps(list(self._digests)), encoding="utf-8")
            new.replace(self._earlier)
        except OSError:
            _log.exception("agentcop: %s cannot be written: policies from before are forgotten at a restart", new)

    def _say_once_of_folder(self, problem: str) -> None:
        if problem != self._folder_problem:
            _log.error("agentcop: the policies folder %s %s", self._folder, problem)
        self._folder_problem = problem


def _policy_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())


def _digests(policy: Policy) -> list[str]:
    """As an agent's spans carry it: also where it was started with a stricter `sandbox_mode=` than the file's."""
    written = policy.document.sandbox.mode if policy.document.sandbox is not None else "none"
    stricter = _STRICTNESS[_STRICTNESS.index(written) + 1 :]
    return [policy.digest, *(policy.with_sandbox_mode(mode).digest for mode in stricter)]


def _sign(paths: tuple[Path, ...]) -> _Sign:
    found = []
    for path in paths:
        try:
            seen = path.stat()
        except OSError:
            found.append((str(path), 0, 0, 0))
        else:
            found.append((str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino))
    return tuple(found)
