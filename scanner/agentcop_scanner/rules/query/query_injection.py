"""Text from outside is put into XPath, LDAP, JQL or the filter of a search.

## What it does
Follows text into the queries of languages other than SQL: XPath, LDAP filters, JQL, the query strings of search
engines, MongoDB's `$where`.

## Why is this bad?
A quote or bracket in the text changes what is asked: it finds what was not meant to be found, or runs script in the
database.

## Example
    driver.find_elements(By.XPATH, f"//*[contains(text(), '{text}')]")

## Use instead
    driver.find_elements(By.XPATH, f"//*[contains(text(), {xpath_literal(text)})]")

## References
- https://cwe.mitre.org/data/definitions/643.html
- https://cwe.mitre.org/data/definitions/943.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC143",
    slug="query-injection",
    severity="MEDIUM",
    cwe=(943, 643),
    asi=(2,),
    doc=__doc__,
    danger="query",
    sinks=(
        Sink(
            calls=(".xpath", ".find_element", ".find_elements", ".find_element_by_xpath", ".evaluate_xpath"),
            args=(0, 1),
        ),
        Sink(calls=("lxml.etree.XPath",)),
        Sink(calls=(".search_s", ".search_ext_s"), args=(2, "filterstr")),
        Sink(calls=(".search_issues", ".jql", ".enhanced_search_issues"), args=(0, "jql", "jql_str")),
        Sink(calls=(".eval_js", ".map_reduce"), args=(0,)),
    ),
    whole=at("LOW", "model tool"),
    joined={**at("MEDIUM", "tool endpoint model request upload content"), **at("LOW", "public")},
    cleaners=("ldap.filter.escape_filter_chars", "ldap3.utils.conv.escape_filter_chars", "re.escape"),
    message="{source} is put into the query of {sink}",
    fix="Escape it for that language, or bind it as a variable.",
)
