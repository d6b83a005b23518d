"""The registry of adapters, without any framework."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agentcop.adapters import (
    REGISTRY,
    ROOTS,
    adapter_for,
    installable,
    is_framework,
    langchain,
    mcp_client,
    openai_agents,
)
from agentcop.adapters.langchain import LangChainAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop.adapters._interface import FrameworkAdapter


@pytest.mark.parametrize("adapter", [langchain, mcp_client, openai_agents])
def test_every_module_that_an_adapter_patches_is_awaited(adapter: Any) -> None:
    awaited = {name for name, place in REGISTRY.items() if place.startswith(f"{adapter.__name__}:")}
    assert {module for module, _ in adapter.PLACES} == awaited


@pytest.mark.parametrize("module", REGISTRY)
def test_an_awaited_module_has_an_adapter_that_installs_nothing_where_the_framework_is_not_imported(
    module: str,
) -> None:
    adapter: FrameworkAdapter | None = installable(module)
    assert adapter is not None
    adapter.selftest()
    targets = [*adapter.targets(None), *adapter.entry_targets(None), *adapter.model_targets(), *adapter.copies()]
    assert targets == []


def test_other_modules_and_objects_have_none() -> None:
    assert installable("json") is None
    assert adapter_for({}) is None


def test_an_objects_adapter_is_found_by_any_class_it_derives_from() -> None:
    base = type("BaseTool", (), {"__module__": "langchain_core.tools.base"})
    assert isinstance(adapter_for(type("Mine", (base,), {"__module__": "application"})()), LangChainAdapter)
    assert "langgraph" in ROOTS


@pytest.mark.parametrize(("holds", "it_is"), [("tool.py", False), ("function_schema.py", True)])
def test_a_package_of_somebody_elses_name_is_told_by_what_is_in_it(
    holds: str, it_is: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("agents")
    package.__path__ = [str(tmp_path)]
    (tmp_path / holds).write_text("")
    monkeypatch.setitem(sys.modules, "agents", package)
    assert (is_framework("agents.tool"), is_framework("langchain_core")) == (it_is, True)
    mine = type("Mine", (), {"__module__": "agents.tool"})()
    assert (adapter_for(mine) is not None) is it_is


def test_the_registry_loads_no_adapter_and_no_framework() -> None:
    words = "any(word in name for word in ('langchain', 'openai', 'mcp'))"
    program = f"import sys, agentcop.adapters; print([name for name in sys.modules if {words}])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
