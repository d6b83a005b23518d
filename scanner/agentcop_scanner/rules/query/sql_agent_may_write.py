"""A model is given a whole database.

## What it does
Finds the ready-made agents and toolkits for SQL and graph databases that run what a model writes, where nothing
says that they only read: `SQLDatabaseToolkit`, `create_sql_agent`, `SQLDatabaseChain`, `GraphCypherQAChain` and
their like.

## Why is this bad?
A model that was told to answer questions can be told by a row of the database to drop it. With a role that may
write, the text of the query is the only thing between the two.

## Example
    agent = create_sql_agent(llm, db=SQLDatabase.from_uri(os.environ["DATABASE_URL"]))

## Use instead
    db = SQLDatabase.from_uri(os.environ["READ_ONLY_DATABASE_URL"], include_tables=["orders"])
    agent = create_sql_agent(llm, db=db)

## References
- https://cwe.mitre.org/data/definitions/250.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_AGENTS = words(
    "SQLDatabaseToolkit create_sql_agent SQLDatabaseChain SQLDatabaseSequentialChain create_sql_query_chain"
    " NLSQLTableQueryEngine GraphCypherQAChain Neo4jGraphCypherQAChain QuerySQLDataBaseTool QuerySQLDatabaseTool"
    " NL2SQLTool"
)
_HOMES = ("langchain", "llama_index", "crewai")
_READS = ("read_only", "readonly", "ro_", "_ro", "replica", "mode=ro", "query_only")


def _check(module: Module) -> Iterator[Finding]:
    if any(word in module.text.lower() for word in _READS):
        return
    for name, calls in module.called.items():
        agent = name.removesuffix(".from_llm").removesuffix(".from_orm")
        if last(agent) not in _AGENTS or not name.partition(".")[0].startswith(_HOMES):
            continue
        for call in calls:
            yield module.finding(
                RULE, call, f"{last(agent)} runs what a model writes; nothing says that it only reads."
            )


RULE = PatternRule(
    id="AC144",
    slug="sql-agent-may-write",
    severity="MEDIUM",
    cwe=(250,),
    asi=(3,),
    doc=__doc__,
    check=_check,
)
