"""One file a kind of agent; the same skeleton for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_matrix.adapters.create_agent import CREATE_AGENT
from tests.fault_matrix.adapters.executor import EXECUTOR_03, EXECUTOR_CLASSIC
from tests.fault_matrix.adapters.mcp_client import MCP
from tests.fault_matrix.adapters.openai_agents import OPENAI_AGENTS
from tests.fault_matrix.adapters.plain import PLAIN

if TYPE_CHECKING:
    from tests.fault_matrix.harness import Harness

HARNESSES: tuple[Harness, ...] = (PLAIN, CREATE_AGENT, EXECUTOR_CLASSIC, EXECUTOR_03, OPENAI_AGENTS, MCP)
"""In the order of the table's columns."""
