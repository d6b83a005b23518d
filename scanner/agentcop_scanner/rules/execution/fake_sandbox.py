"""Python is run behind a check that can be got round.

## What it does
Finds text that reaches `eval`, `exec` and the like after nothing but a block-list, a character filter or a search
for forbidden words or syntax, and calls that only take `__builtins__` away.

## Why is this bad?
Python offers endless ways to reach the same object: attributes of literals, exceptions, format strings, generators.
Lists of what is forbidden and emptied built-ins have been escaped each time somebody looked.

## Example
    if "import" in code or "__" in code:
        raise ValueError("forbidden")
    exec(code, {"__builtins__": {}})

## Use instead
    tree = ast.parse(code, mode="eval")
    result = evaluate(tree.body)  # your own: handles the few node types that it knows and refuses all others

## References
- https://wiki.python.org/moin/SandboxedPython
- https://cwe.mitre.org/data/definitions/184.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC104",
    slug="fake-sandbox",
    severity="HIGH",
    cwe=(184, 693),
    asi=(5,),
    doc=__doc__,
    danger="code",
    shares="AC102",
    weak="any",
    whole=at("HIGH", "tool endpoint request upload public model content unknown self"),
    joined=at("HIGH", "tool endpoint request upload public model content unknown self"),
    message="{source} is run as Python by {sink}; the check before it can be got round",
    fix="Allow what is known to be harmless instead of forbidding what is known to be bad, or use a real sandbox.",
)
