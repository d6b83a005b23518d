"""What a model wrote is run as Python.

## What it does
Follows the reply of a model (`llm.invoke`, `chain.predict`, `client.chat.completions.create` and the like) to
`eval`, `exec` and every other sink of AC102.

## Why is this bad?
A model writes what its input makes it write. Text in a document, a page or a tool's result can therefore choose the
code that runs with the rights of the agent.

## Example
    answer = llm.invoke(f"Write Python that computes {question}")
    exec(answer.content)

## Use instead
    answer = llm.invoke(f"Give the formula for {question}")
    result = sandbox.run(answer.content)  # a process of its own, without network, files and secrets

## References
- https://nvd.nist.gov/vuln/detail/CVE-2023-29374
- https://cwe.mitre.org/data/definitions/94.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC101",
    slug="model-output-executed",
    severity="CRITICAL",
    cwe=(94, 95),
    asi=(5,),
    doc=__doc__,
    danger="code",
    shares="AC102",
    whole=at("CRITICAL", "model"),
    joined=at("CRITICAL", "model"),
    message="{source} is run as Python by {sink}",
    fix="Run the model's code in a sandbox of its own, or ask for data and compute with it yourself.",
)
