"""Text from outside is put where a query names a table or column.

## What it does
Follows text into the places of SQL that no parameter can fill: after FROM, INTO, TABLE, JOIN, ORDER BY.

## Why is this bad?
A name is not quoted like a value, so the text can end the clause and begin another, or name a table that was never
meant.

## Example
    db.execute(f"SELECT * FROM {table} LIMIT 10")

## Use instead
    if table not in TABLES:
        raise ValueError("no such table")
    db.execute(f"SELECT * FROM {table} LIMIT 10")

## References
- https://cwe.mitre.org/data/definitions/89.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC142",
    slug="identifier-in-sql",
    severity="MEDIUM",
    cwe=(89,),
    asi=(2,),
    doc=__doc__,
    danger="sql",
    shares="AC141",
    weak="#identifier",
    whole={},
    joined=at("MEDIUM", "tool endpoint model request upload content public"),
    message="{source} names a table or column in the query of {sink}",
    fix="Take the name from a list of the tables and columns there are.",
)
