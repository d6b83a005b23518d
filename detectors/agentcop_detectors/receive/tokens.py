"""Who may send, and for which agents: tokens, known only by their hashes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import yaml

from agentcop_core.errors import AgentCopError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ANYBODY: Final = ""
"""The source of what needs no token."""
SPOOL: Final = "spool:"
"""What the source of frames out of the spool begins with: who could write into the state folder needs no token."""
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_LIMIT: Final = 1024 * 1024
_SHOWN: Final = 16


class TokensError(AgentCopError):
    """The file of tokens cannot be used; says where and why, without a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of one file. Empty: nobody is asked for one."""

    agents: Mapping[str, tuple[str, ...]]
    """SHA-256 of a token, in hex, to the ids of the agents that it may speak for; globs are allowed."""

    @property
    def required(self) -> bool:
        """Whether a request without a token is refused."""
        return bool(self.agents)

    def source(self, authorization: str) -> str | None:
        """The name of who sends, from an `Authorization` header: the first 16 digits of the hash; None: refuse."""
        if not self.agents:
            return ANYBODY
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        # A look-up by the hash takes the same time whatever of the token is right.
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
        return digest[:_SHOWN] if digest in self.agents else None

    def speaks_for(self, source: str, agent_id: str) -> bool:
        """Whether what `source` sent may be about `agent_id`."""
        if not self.agents or source.startswith(SPOOL):
            return True
        patterns = next((ids for digest, ids in self.agents.items() if digest.startswith(source)), ()) if source else ()
        return any(fnmatchcase(agent_id, pattern) for pattern in patterns)


def read_tokens(path: Path) -> Tokens:
    """The tokens of a YAML file `HASH: [AGENT, …]`. Raises TokensError, OSError."""
    with path.open("rb") as file:
        text = file.read(_LIMIT + 1)
    if len(text) > _LIMIT:
        raise TokensError(f"{path}: more than {_LIMIT} bytes")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise TokensError(f"{path}:{mark.line + 1 if mark else 1}: not YAML") from None
    if not isinstance(found, dict) or not found:
        raise TokensError(f"{path}: holds no token; leave --tokens out to ask for none")
    agents: dict[str, tuple[str, ...]] = {}
    for number, (digest, ids) in enumerate(found.items(), 1):
        if not isinstance(digest, str) or not _HASH.match(digest):
            raise TokensError(f"{path}: key {number} is not the SHA-256 of a token in 64 hex digits")
        if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each for each in ids):
            raise TokensError(f"{path}: the value of {digest[:_SHOWN]}… must be a list of agent ids")
        agents[digest] = tuple(ids)
    if len({digest[:_SHOWN] for digest in agents}) < len(agents):
        raise TokensError(f"{path}: two hashes begin with the same {_SHOWN} digits")
    return Tokens(agents=agents)
