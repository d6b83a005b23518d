"""The registry of adapters, without any framework."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop.adapters import REGISTRY, ROOTS, adapter_for, installable
from agentcop.adapters.langchain import PLACES, LangChainAdapter

if TYPE_CHECKING:
    from agentcop.adapters._interface import FrameworkAdapter


def test_every_module_that_langchains_adapter_patches_is_awaited() -> None:
    assert {module for module, _ in PLACES} == {name for name, place in REGISTRY.items() if "langchain:" in place}


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


def test_the_registry_loads_no_adapter_and_no_framework() -> None:
    program = "import sys, agentcop.adapters; print([name for name in sys.modules if 'langchain' in name])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
