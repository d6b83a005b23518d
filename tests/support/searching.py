"""A tool that a cop allows, one that it does not, which say in `RAN` that they ran, and an agent that holds both."""

from __future__ import annotations

from typing import Any

from agentcop import AgentCop, GatePolicy

RAN: list[str] = []


def search(query: str) -> str:
    RAN.append(f"search {query}")
    return f"found {query}"


def wipe(path: str) -> str:
    RAN.append(f"wipe {path}")
    return "gone"


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**(gate or {"allow": ["search"]})))


class Agent:
    """An agent that holds its tools in a dict, and swallows what they raise."""

    def __init__(self) -> None:
        self.tools = {"search": search, "wipe": wipe}

    def run(self, *calls: tuple[str, str]) -> list[str]:
        answers = []
        for name, argument in calls:
            try:
                answers.append(self.tools[name](argument))
            except Exception as error:
                answers.append(type(error).__name__)
        return answers
