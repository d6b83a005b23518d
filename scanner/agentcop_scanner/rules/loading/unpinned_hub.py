"""A prompt, chain or tool is loaded from a hub by a name that can change.

## What it does
Finds `hub.pull`, `load_prompt`, `load_tool`, `load_chain`, `from_hub`, `from_space` and the like where no revision
is given.

## Why is this bad?
Whoever controls the entry, or takes over its account, chooses the prompt or the code that runs at the next start.
Nothing in your repository changes.

## Example
    prompt = hub.pull("somebody/agent-prompt")
    tool = load_tool("somebody/tool", trust_remote_code=True)

## Use instead
    prompt = hub.pull("somebody/agent-prompt:50442af1")
    tool = load_tool("somebody/tool", revision="9f3c2b7", trust_remote_code=True)

## References
- https://cwe.mitre.org/data/definitions/494.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_CALLS = (
    "langchain.hub.pull",
    "langchainhub.pull",
    "langchain_hub.pull",
    "smolagents.load_tool",
    "smolagents.Tool.from_hub",
    "smolagents.Tool.from_space",
    "smolagents.ToolCollection.from_hub",
    "smolagents.CodeAgent.from_hub",
    "smolagents.MultiStepAgent.from_hub",
    "transformers.load_tool",
    "transformers.tools.load_tool",
    "langchain.chains.load_chain",
    "langchain.prompts.load_prompt",
    "langchain_core.prompts.load_prompt",
    "langchain.agents.load_huggingface_tool",
    "llama_index.core.llama_pack.download_llama_pack",
    "llama_index.core.download_loader",
)
_PINS = ("revision", "commit", "commit_hash", "version")
_REMOTE = ("lc://", "http://", "https://")


def _check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*_CALLS):
        if any(keyword.arg in _PINS for keyword in call.keywords):
            continue
        name = module.constant(call.args[0]) if call.args else None
        loads_files = module.dotted(call).endswith(("load_prompt", "load_chain"))
        if isinstance(name, str) and (":" in name.partition("://")[2] or (":" in name and "://" not in name)):
            continue
        if loads_files and not (isinstance(name, str) and name.startswith(_REMOTE)):
            continue
        yield module.finding(RULE, call, f"{module.dotted(call)} takes whatever the hub has under this name today.")


RULE = PatternRule(
    id="AC166",
    slug="unpinned-hub",
    severity="MEDIUM",
    cwe=(494,),
    asi=(4,),
    doc=__doc__,
    check=_check,
)
