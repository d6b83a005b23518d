"""Only the first word of a command is checked.

## What it does
Finds commands for a shell of which the first word alone was compared with a list.

## Why is this bad?
A shell runs everything after `;`, `&&`, `|` and inside `$( )` as well, and harmless programs have options that run
others.

## Example
    if command.split()[0] not in {"ls", "cat"}:
        raise ValueError("not allowed")
    subprocess.run(command, shell=True)

## Use instead
    program, *arguments = shlex.split(command)
    if program not in {"ls", "cat"}:
        raise ValueError("not allowed")
    subprocess.run([program, "--", *arguments])

## References
- https://cwe.mitre.org/data/definitions/184.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC114",
    slug="first-word-allowed",
    severity="HIGH",
    cwe=(184,),
    asi=(5,),
    doc=__doc__,
    danger="shell",
    shares="AC111",
    weak="#token",
    whole=at("HIGH", "tool endpoint model request upload public content unknown"),
    joined=at("HIGH", "tool endpoint model request upload public content unknown"),
    message="{source} becomes a command of {sink}, of which only the first word was checked",
    fix="Split the command with shlex.split, check the program, and run the list without a shell.",
)
