"""`agentcop rule`: what the scanner's rules look for, why it is bad, and what to write instead."""

from __future__ import annotations

import difflib
import json
import sys
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from agentcop.cli._output import colours, escape, escape_json, paint
from agentcop_core.errors import ScanError
from agentcop_scanner.rule import documentation
from agentcop_scanner.rules import all_rules
from agentcop_scanner.rules import rule as rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_scanner.rule import Rule

Format = Literal["text", "json"]


@click.command(short_help="Explain a rule of the scanner.")
@click.argument("name", required=False, metavar="[ID]")
@click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", help="Output.")
def rule(name: str | None, *, style: Format) -> None:
    """Explain the rule ID (as AC121, or by its name); without ID, list all rules."""
    rules = all_rules()
    if name is None:
        if style == "json":
            _print_json([_summary(one) for one in rules])
            return
        for one in rules:
            click.echo(escape(f"{one.id}  {one.severity:<8}  {one.slug:<32}  {documentation(one).title}"))
        return
    one = rule_of(name) or _unknown(name, rules)
    doc = documentation(one)
    if style == "json":
        _print_json({**_summary(one), "sections": dict(doc.sections)})
        return
    on = colours(sys.stdout)
    tags = [*(f"CWE-{number}" for number in one.cwe), *(f"ASI{number:02d}" for number in one.asi)]
    click.echo(paint(escape(f"{one.id} {one.slug}"), "good", on=on))
    click.echo(escape(doc.title))
    fix = "; agentcop scan --fix mends it" if one.fixable else ""
    click.echo(escape(f"{one.severity}  {' '.join(tags)}  since {one.stable_since}{fix}"))
    for heading, text in doc.sections.items():
        click.echo(f"\n{paint(heading, 'ask', on=on)}\n")
        for line in text.split("\n"):
            click.echo(f"  {escape(line)}" if line else "")


def _unknown(name: str, rules: Sequence[Rule]) -> NoReturn:
    known = [word for one in rules for word in (one.id, one.slug)]
    near = difflib.get_close_matches(name.upper(), known, 1) or difflib.get_close_matches(name.lower(), known, 1)
    hint = f"; did you mean {near[0]}?" if near else ": agentcop rule lists them"
    raise ScanError(f"there is no rule {name}{hint}")


def _summary(one: Rule) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.slug,
        "severity": one.severity,
        "title": documentation(one).title,
        "kind": one.kind,
        "cwe": list(one.cwe),
        "asi": list(one.asi),
        "stable_since": one.stable_since,
        "fixable": one.fixable,
    }


def _print_json(value: object) -> None:
    for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"):
        click.echo(escape_json(line))
