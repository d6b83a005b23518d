"""A Python interpreter is given to a model as a tool.

## What it does
Finds the ready-made tools and agents that run what a model writes in the agent's own process: `PythonREPLTool`,
`PythonAstREPLTool`, `create_pandas_dataframe_agent`, `ShellTool` and their like.

## Why is this bad?
They have no sandbox: the code has the files, the keys and the network of the process. Whatever the model reads can
write that code.

## Example
    tools = [PythonREPLTool()]
    agent = create_react_agent(model, tools)

## Use instead
    tools = [run_in_container]  # a process of its own, without network and secrets, behind an approval
    agent = create_react_agent(model, tools)

## References
- https://nvd.nist.gov/vuln/detail/CVE-2023-39631
- https://cwe.mitre.org/data/definitions/94.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.rules.execution._isolation import sandboxed
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_TOOLS = words(
    "PythonREPLTool PythonAstREPLTool ShellTool BashProcess TerminalTool PythonREPL PythonInterpreterTool"
    " CodeInterpreterTool PandasQueryEngine PALChain create_pandas_dataframe_agent create_csv_agent create_python_agent"
    " create_spark_dataframe_agent create_xorbits_agent create_cudf_agent from_math_prompt LocalCommandLineCodeExecutor"
    " PandasAI"
)
_HOMES = ("langchain", "llama_index", "smolagents", "crewai", "autogen", "pandasai", "agno", "phi", "semantic_kernel")


def _check(module: Module) -> Iterator[Finding]:
    for name, calls in module.called.items():
        package = name.partition(".")[0]
        if last(name) not in _TOOLS or not package.startswith(_HOMES):
            continue
        for call in calls:
            if sandboxed(module, call):
                continue
            yield module.finding(
                RULE, call, f"{last(name)} runs what a model writes in this process.", confidence="high"
            )


RULE = PatternRule(
    id="AC103",
    slug="repl-tool",
    severity="CRITICAL",
    cwe=(94,),
    asi=(5,),
    doc=__doc__,
    check=_check,
)
