"""Text is written to a file that is then run.

## What it does
Follows text into a temporary file that is given to an interpreter: `python`, `node`, `bash` and the like.

## Why is this bad?
A process of its own is no sandbox: it has the user, the files, the network and the environment of the agent.

## Example
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
        file.write(code)
    subprocess.run([sys.executable, file.name])

## Use instead
    container.run("python", stdin=code, network="none", read_only=True, user="nobody")

## References
- https://cwe.mitre.org/data/definitions/94.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC105",
    slug="code-written-then-run",
    severity="CRITICAL",
    cwe=(94,),
    asi=(5,),
    doc=__doc__,
    danger="code",
    whole={**at("CRITICAL", "tool endpoint model request"), **at("HIGH", "public content unknown")},
    joined={**at("CRITICAL", "tool endpoint model request"), **at("HIGH", "public content unknown")},
    message="{source} is written to a file that {sink} runs",
    fix="Run it in a container or virtual machine without network and secrets.",
)
