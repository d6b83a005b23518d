"""The language model of every framework: a server that speaks OpenAI's protocol and asks for a job's turns."""

from __future__ import annotations

import functools
import itertools
import os
from typing import TYPE_CHECKING, Any

from tests.fault_matrix.kept import KEPT

from openai_server import Reply, openai_server, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fault_matrix.attempt import Call

    from openai_server import Served

_numbers = itertools.count()
_ASKED_AT_MOST = 1_000_000
CLOSE = {"Connection": "close"}
"""Headers for OpenAI's clients: a connection that was kept would belong to the event loop of an earlier run."""


class _Script:
    """The turns of each model: an agent's own model has a name of its own."""

    def __init__(self) -> None:
        self.turns: dict[str, Sequence[Sequence[Call]]] = {}

    def reply(self, request: dict[str, Any]) -> Reply:
        """The turn that comes after those which this conversation has had."""
        turns = self.turns[request["model"]]
        had = sum(message["role"] == "assistant" for message in request["messages"])
        if had >= len(turns):
            return say("done")
        return Reply(calls=tuple((call.tool, dict(call.arguments)) for call in turns[had]))


@functools.cache
def _server(process: int) -> tuple[Served, _Script]:
    """One server for the whole process; a forked child has a script, and so a server, of its own."""
    script = _Script()
    return KEPT.enter_context(openai_server([script.reply] * _ASKED_AT_MOST)), script


def scripted(turns: Sequence[Sequence[Call]]) -> tuple[str, str]:
    """The base URL and the name of a model that asks for these turns in every conversation."""
    url, script = _server(os.getpid())
    url.requests.clear()
    name = f"scripted-{next(_numbers)}"
    script.turns[name] = turns
    return url, name
