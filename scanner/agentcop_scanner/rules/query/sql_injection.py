"""Text from outside is put into a query.

## What it does
Follows arguments of tools and endpoints, replies of models, requests and parameters of public functions into the
text of SQL and Cypher.

## Why is this bad?
A quote in the text ends the value, and what follows is part of the statement. It reads other people's rows, changes
or drops tables, and in some databases reads files and runs programs.

## Example
    @tool
    def orders(customer: str) -> list:
        return db.execute(f"SELECT * FROM orders WHERE customer = '{customer}'").fetchall()

## Use instead
    @tool
    def orders(customer: str) -> list:
        return db.execute("SELECT * FROM orders WHERE customer = ?", (customer,)).fetchall()

## References
- https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html
- https://cwe.mitre.org/data/definitions/89.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC141",
    slug="sql-injection",
    severity="HIGH",
    cwe=(89, 943),
    asi=(2,),
    doc=__doc__,
    danger="sql",
    sinks=(
        Sink(
            calls=(
                ".execute",
                ".executemany",
                ".executescript",
                ".exec_driver_sql",
                ".fetch",
                ".fetchrow",
                ".fetchval",
            ),
            args=(0, "sql", "query", "statement"),
            receivers=frozenset(
                {
                    "cursor",
                    "cur",
                    "conn",
                    "connection",
                    "session",
                    "db",
                    "database",
                    "engine",
                    "con",
                    "sql",
                    "sqlite",
                    "postgres",
                    "duckdb",
                    "pool",
                    "client",
                    "transaction",
                    "tx",
                }
            ),
            looks="sql",
        ),
        Sink(
            calls=(
                "pandas.read_sql",
                "pandas.read_sql_query",
                "sqlalchemy.text",
                "duckdb.query",
                "duckdb.sql",
                "duckdb.execute",
            )
        ),
        Sink(
            calls=(
                ".run",
                ".query",
                ".sql",
                ".run_query",
                ".read_query",
                ".write_query",
                ".execute_query",
                ".query_df",
                ".command",
            ),
            args=(0, "sql", "query"),
            receivers=frozenset(
                {
                    "cursor",
                    "conn",
                    "connection",
                    "session",
                    "db",
                    "database",
                    "engine",
                    "graph",
                    "driver",
                    "tx",
                    "neo4j",
                    "spark",
                    "duckdb",
                    "clickhouse",
                    "bigquery",
                    "self",
                }
            ),
            looks="sql",
        ),
    ),
    whole={**at("HIGH", "model"), **at("MEDIUM", "tool endpoint request")},
    joined={**at("HIGH", "tool endpoint model request upload content"), **at("MEDIUM", "public")},
    cleaners=(
        "psycopg2.sql.Identifier",
        "psycopg2.sql.Literal",
        "psycopg.sql.Identifier",
        "psycopg.sql.Literal",
        ".quote_identifier",
        ".quote_ident",
        ".quote_name",
        ".mogrify",
        ".escape_string",
        ".quote_literal",
    ),
    message="{source} is put into the query of {sink}",
    fix="Bind it as a parameter; take names of tables and columns from a list.",
)
