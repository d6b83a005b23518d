"""A tool runs whatever command it is given.

## What it does
Finds tools, and methods of tool classes, whose own argument is the whole command.

## Why is this bad?
Such a tool gives the model, and whoever can write into its input, everything that the user of the process may do. A
policy on its name cannot tell `ls` from `curl | sh`.

## Example
    @tool
    def shell(command: str) -> str:
        return subprocess.run(command, shell=True, capture_output=True, text=True).stdout

## Use instead
    @tool
    def list_folder(name: Literal["reports", "inbox"]) -> list[str]:
        return os.listdir(ROOT / name)

## References
- https://cwe.mitre.org/data/definitions/250.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC115",
    slug="unrestricted-shell-tool",
    severity="CRITICAL",
    cwe=(250, 78),
    asi=(2,),
    doc=__doc__,
    danger="shell",
    shares="AC111",
    whole=at("CRITICAL", "tool"),
    joined={},
    message="{source} is a whole command, which {sink} runs",
    fix="Offer tools for the few things that are needed, or run the command in a sandbox behind an approval.",
)
