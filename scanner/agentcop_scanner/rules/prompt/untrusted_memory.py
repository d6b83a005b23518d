"""Untrusted text is put into long-term memory.

## What it does
Follows requests, pages and replies of models into `add_memory`, `remember` and stores that later prompts are made
from.

## Why is this bad?
What is remembered is read again in later sessions, of other users too, as if it were known to be true. One poisoned
page works for months.

## Example
    memory.add_memory(requests.get(url, timeout=10).text)

## Use instead
    memory.add_memory(reviewed(text), source=url, trust="untrusted", session=session_id)

## References
- https://genai.owasp.org/llmrisk/llm042025-data-and-model-poisoning/
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC154",
    slug="untrusted-memory",
    severity="MEDIUM",
    cwe=(349,),
    asi=(6,),
    doc=__doc__,
    danger="memory",
    sinks=(
        Sink(calls=(".add_memory", ".save_memory", ".remember", ".store_memory", ".add_to_memory"), args=("*",)),
        Sink(
            calls=(".add", ".save", ".store", ".put"), args=("*",), receivers=frozenset({"memory", "memories", "mem0"})
        ),
    ),
    whole=at("MEDIUM", "content request"),
    joined=at("MEDIUM", "content request"),
    message="{source} is remembered by {sink}",
    fix="Store where it came from with it, keep it to its session, and let somebody look before it is trusted.",
)
