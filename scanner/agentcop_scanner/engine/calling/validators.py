"""Functions that check or clean text, by their names: what they do where it cannot be seen, or could not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import name_words
from agentcop_scanner.engine.flow import guards
from agentcop_scanner.engine.values.value import ALL, WEAK, Facts, Marks, Value, combined, marked
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.engine.calling.callsite import CallSite
    from agentcop_scanner.engine.flow.frame import Frame

_CHECKS = words(
    "validate validates validated validator check checks verify ensure assert guard enforce require reject"
    " authorize authorise allowed allow permitted allowlist whitelist whitelisted within inside contained valid"
    " safe is_safe secure"
)
_CLEANERS = words(
    "sanitize sanitized sanitise sanitizer safe secure clean cleaned escape escaped quote quoted validate"
    " validated confine confined scrub canonical contained slugify identifier whitelisted"
)
_WRONG = words(
    "unsafe dangerous blocked forbidden private internal malicious suspicious traversal denied reserved loopback banned"
)
_NOT = words(
    "model_validate validate_python validate_json check_output check_call validate_call safe_substitute"
    " assert_never model_validate_json ensure_future ensure_ascii checkpoint check_same_thread guard_rails"
    " quote_plus get_clean ensure_one_provided allow_reuse checkout cleanup ensure_dir ensure_directory"
    " ensure_exists"
)
_LIBRARY_SAFE = words("yaml.safe_load yaml.safe_load_all yaml.safe_dump urllib.parse.quote urllib.parse.quote_plus")


def _is_check(name: str) -> bool:
    return name not in _NOT and bool(name_words(name) & _CHECKS)


def _is_cleaner(name: str) -> bool:
    return name not in _NOT and bool(name_words(name) & _CLEANERS)


def _facts(site: CallSite, marks: Marks) -> tuple[Facts, Facts]:
    """What it shows where it is true or does not raise, and where it is false."""
    given = combined(site.everything())
    name = site.name
    if name_words(name) & _WRONG:
        return {}, guards.about(given, marks)
    return guards.about(given, marks), {}


def of_unknown(_frame: Frame, site: CallSite) -> Value | None:
    """The result of a function that cannot be seen, if its name says that it checks or cleans; else None."""
    name = site.name
    if not name or site.dotted in _LIBRARY_SAFE or not any(value.taints for value in site.everything()):
        return None
    wrong = bool(name_words(name) & _WRONG)
    if not wrong and not _is_check(name) and not _is_cleaner(name):
        return None
    given = combined(site.everything())
    facts = _facts(site, ALL)
    made = marked(given, ALL) if _is_cleaner(name) else given
    return Value(made.taints, is_a="checked", facts=facts)


def of_known(_frame: Frame, site: CallSite, found: Value) -> Value:
    """The result of a function that was seen. If its name says that it checks, and how was not seen, that is weak."""
    name = site.name
    true, false = found.facts or ({}, {})
    if true or false or not (_is_check(name) or _is_cleaner(name) or name_words(name) & _WRONG):
        return found
    marks = WEAK
    weak_true, weak_false = _facts(site, marks)
    taints = marked(Value(found.taints), marks).taints if _is_cleaner(name) else found.taints
    return Value(
        taints,
        is_a=found.is_a or "checked",
        const=found.const,
        text=found.text,
        items=found.items,
        fields=found.fields,
        ref=found.ref,
        facts=(weak_true, weak_false or weak_true),
    )
