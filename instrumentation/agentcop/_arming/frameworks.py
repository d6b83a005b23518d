"""Agent frameworks that this build knows by name and has no adapter for."""

from __future__ import annotations

ROOTS = frozenset(
    {
        "ag2", "agent_framework", "agents", "agno", "autogen", "autogen_agentchat", "autogen_core", "claude_agent_sdk",
        "crewai", "dspy", "fastmcp", "google", "haystack", "langchain", "langchain_classic", "langchain_core",
        "langgraph", "llama_index", "mcp", "pydantic_ai", "semantic_kernel", "smolagents", "strands",
    }
)  # fmt: skip
"""Top names of frameworks whose tool calls pass where the generic adapter cannot see them all."""

UNGOVERNED = {
    "ag2": "ag2",
    "agent_framework": "agent-framework",
    "agno.agent": "agno",
    "autogen.agentchat": "ag2",
    "autogen_agentchat": "autogen-agentchat",
    "autogen_core": "autogen-core",
    "claude_agent_sdk": "claude-agent-sdk",
    "crewai": "crewai",
    "dspy": "dspy",
    "google.adk": "google-adk",
    "haystack": "haystack",
    "llama_index.core": "llama-index-core",
    "pydantic_ai": "pydantic-ai",
    "semantic_kernel": "semantic-kernel",
    "smolagents": "smolagents",
    "strands": "strands",
}
"""Module whose import means that the framework is in use, to what users call it.

Where the top name belongs to others too (`google`), a module below it.
"""
