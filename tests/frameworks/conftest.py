"""Each framework's tests need its own environment: `scripts/test frameworks` has them all."""

from __future__ import annotations

from importlib.util import find_spec

_NEEDS = {
    "langchain/test_approvals.py": ("langchain_openai", "langgraph", "langchain_classic"),
    "langchain/test_boxed.py": ("langchain_openai",),
    "langchain/test_boxed_callbacks.py": ("langchain_core",),
    "langchain/test_boxed_remade.py": ("langchain_core",),
    "langchain/test_boxed_agents.py": ("langchain_openai", "langchain", "ddgs"),
    "langchain/test_boxed_graphs.py": ("langchain_openai", "langgraph"),
    "langchain/test_examples.py": ("langchain_openai", "langgraph"),
    "langchain/test_tools.py": ("langchain_openai",),
    "langchain/test_models.py": ("langchain_openai",),
    "langchain/test_graphs.py": ("langchain_openai", "langgraph", "langchain_classic"),
    "langchain/test_executors.py": ("langchain_openai", "langchain"),
    "langchain/test_guide.py": ("langchain_openai", "ddgs"),
    "langchain/test_guide_in_a_box.py": ("langchain_openai", "langchain", "ddgs"),
    "langchain/test_guide_create_agent.py": ("langchain_openai", "ddgs", "langgraph", "langchain_classic"),
    "mcp/test_armed.py": ("mcp",),
    "mcp/test_carried.py": ("mcp",),
    "mcp/test_carried_langchain.py": ("mcp", "langchain_mcp_adapters", "langgraph"),
    "mcp/test_carried_openai_agents.py": ("mcp", "agents"),
    "mcp/test_clients.py": ("mcp", "fastmcp"),
    "mcp/test_doctor.py": ("mcp",),
    "mcp/test_hostile.py": ("mcp",),
    "mcp/test_requests.py": ("mcp",),
    "mcp/test_sessions.py": ("mcp",),
    "mcp/test_trio.py": ("mcp", "trio"),
    "openai_agents/test_approvals.py": ("agents",),
    "openai_agents/test_bodies.py": ("agents",),
    "openai_agents/test_boxed.py": ("agents",),
    "openai_agents/test_doctor.py": ("agents",),
    "openai_agents/test_hosted.py": ("agents",),
    "openai_agents/test_mcp.py": ("agents",),
    "openai_agents/test_models.py": ("agents",),
    "openai_agents/test_native_tools.py": ("agents",),
    "openai_agents/test_runs.py": ("agents",),
    "openai_agents/test_tools.py": ("agents",),
}

collect_ignore = [path for path, modules in _NEEDS.items() if not all(find_spec(module) for module in modules)]
