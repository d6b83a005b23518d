"""`agentcop policy`: check a policy file, run the tests in it, and show why a call gets what it gets."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from agentcop.cli._output import Tone, colours, escape, escape_json, paint, say
from agentcop_core.errors import AgentCopError, PolicyError
from agentcop_core.session import Session
from agentcop_policies import load_policy
from agentcop_policies.casebook import make_call, run_cases
from agentcop_policies.toolbox import check_tools, read_tools

if TYPE_CHECKING:
    from agentcop_core.verdict import Decision
    from agentcop_policies.casebook import CaseResult
    from agentcop_policies.judging.explain import Explanation, Step
    from agentcop_policies.toolbox import Tool

Format = Literal["text", "json"]

_TONES: dict[Decision, Tone] = {"allow": "good", "require_approval": "ask", "block": "bad"}

_FILE = click.Path(exists=True, dir_okay=False, readable=True)
_FORMAT = click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", help="Output.")


@click.group()
def policy() -> None:
    """Check, test and explain policy files."""


@policy.command(short_help="Say everything that is wrong.")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--require-env", is_flag=True, help="A secret that is not set here is an error, not a warning.")
@click.option("--tools", metavar="FILE|MODULE:NAME", help="The agent's tools: JSON, or a list of callables to import.")
@_FORMAT
def validate(files: tuple[str, ...], *, require_env: bool, tools: str | None, style: Format) -> None:
    """Say everything that is wrong with each of FILES. Exits 1 if anything is.

    Problems go to stdout, one a line; warnings to stderr.
    """
    known = None if tools is None else _tools(tools)
    reports = [_report(file, known, require_env=require_env) for file in files]
    if style == "json":
        _print_json(reports)
    else:
        for report in reports:
            _print_report(report)
    sys.exit(0 if all(report["valid"] for report in reports) else 1)


@policy.command(short_help="Run the tests in the files.")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@_FORMAT
def test(files: tuple[str, ...], style: Format) -> None:
    """Run the `tests:` of FILES: each asserts a verdict, and the rule that gives it. Calls no tool.

    Exits 1 if a test fails or a file is invalid, 2 if there is no test at all.
    """
    results: list[tuple[str, CaseResult]] = []
    invalid: list[str] = []
    for file in files:
        try:
            results += [(file, result) for result in run_cases(load_policy(file))]
        except PolicyError as error:
            invalid += error.problems
    if style == "json":
        _print_json({"tests": [_plain(*item) for item in results], "problems": invalid})
    else:
        for line in invalid:
            click.echo(escape(line))
        for _, result in results:
            word = (
                paint("pass", "good", on=colours(sys.stdout))
                if result.passed
                else paint("FAIL", "bad", on=colours(sys.stdout))
            )
            click.echo(f"{word} {escape(f'{result.at} {result}')}")
    failed = sum(not result.passed for _, result in results)
    if results:
        say(f"{len(results) - failed} of {len(results)} tests passed")
    if invalid or failed:
        sys.exit(1)
    if not results:
        say("there is no test in these files: write them under tests:")
        sys.exit(2)


@policy.command(short_help="Show which line decides a call.")
@click.argument("tool")
@click.option("--args", "arguments", default="{}", metavar="JSON", help="The call's arguments, as a JSON object.")
@click.option("--policy", "file", type=_FILE, envvar="AGENTCOP_POLICY", help="The file; else $AGENTCOP_POLICY.")
@click.option("--user", default="", help="Whom the agent acts for: `principal` in conditions.")
@_FORMAT
def explain(tool: str, *, arguments: str, file: str | None, user: str, style: Format) -> None:
    """Show how the verdict on one call of TOOL is reached, and which line decides. Calls nothing."""
    if file is None:
        message = "no policy: give --policy FILE or set AGENTCOP_POLICY"
        raise click.UsageError(message)
    try:
        values = json.loads(arguments)
    except ValueError as error:
        message = f"--args is not JSON: {error}"
        raise click.UsageError(message) from error
    if not isinstance(values, dict):
        message = '--args is a JSON object, as \'{"path": "data/a.txt"}\''
        raise click.UsageError(message)
    loaded = load_policy(file)
    call = make_call(tool, values, agent_id=loaded.agent_id, now=time.time())
    explanation = loaded.explain(call, Session("policy-explain", user=user))
    if style == "json":
        _print_json(_explained(explanation))
        return
    for line in _walk(explanation):
        click.echo(escape(line))
    verdict = explanation.verdict
    words = paint(verdict.decision, _TONES[verdict.decision], on=colours(sys.stdout))
    place = f" at {verdict.at}" if verdict.at else ""
    click.echo(f"{words}: {escape(f'{verdict.rule}{place}: {verdict.reason}')}")
    if verdict.mode == "observe":
        say("mode: observe: the call is logged with this verdict, and runs")


def _print_json(value: object) -> None:
    for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"):
        click.echo(escape_json(line))


def _tools(spec: str) -> tuple[Tool, ...]:
    """The tools in a JSON file, or under `module:name` on this process's path and working directory."""
    try:
        if Path(spec).is_file():
            return read_tools(json.loads(Path(spec).read_text(encoding="utf-8")))
        module, colon, name = spec.partition(":")
        if not colon:
            message = f"{spec}: no such file; a module is written MODULE:NAME"
            raise click.UsageError(message)
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 -- the path as Python itself puts it there
        return read_tools(getattr(import_module(module), name))
    except (AgentCopError, ImportError, AttributeError, ValueError) as error:
        message = f"--tools {spec}: {error}"
        raise click.UsageError(message) from error


def _report(file: str, tools: tuple[Tool, ...] | None, *, require_env: bool) -> dict[str, object]:
    try:
        loaded = load_policy(file, environ=os.environ, require_env=require_env)
    except PolicyError as error:
        return {"file": file, "valid": False, "problems": list(error.problems), "warnings": []}
    problems = [] if tools is None else list(check_tools(loaded, tools))
    return {
        "file": file,
        "valid": not problems,
        "agent_id": loaded.agent_id,
        "version": loaded.version,
        "digest": loaded.digest,
        "problems": problems,
        "warnings": list(loaded.warnings),
    }


def _print_report(report: dict[str, object]) -> None:
    problems, warnings = report["problems"], report["warnings"]
    for line in warnings if isinstance(warnings, list) else ():
        say(f"warning: {escape(line)}")
    for line in problems if isinstance(problems, list) else ():
        click.echo(escape(line))
    if report["valid"]:
        version = f" {report['version']}" if report["version"] else ""
        click.echo(
            escape(f"{report['file']}: valid: {report['agent_id']}{version}, digest {str(report['digest'])[:12]}")
        )


def _plain(file: str, result: CaseResult) -> dict[str, object]:
    return {
        "file": file,
        "test": result.index,
        "at": result.at,
        "tool": result.case.call.tool,
        "passed": result.passed,
        "expected": {"decision": result.case.expect, "rule": result.case.because},
        "got": {"decision": result.decision, "rule": result.rule, "reason": result.reason},
    }


def _explained(explanation: Explanation) -> dict[str, object]:
    verdict = explanation.verdict
    return {
        "decision": verdict.decision,
        "rule": verdict.rule,
        "at": verdict.at,
        "reason": verdict.reason,
        "mode": verdict.mode,
        "steps": [
            {
                "rule": step.rule,
                "at": step.at,
                "tool": step.pattern,
                "when": step.when,
                "outcome": step.outcome,
                "why": step.why,
                "decides": step.decides,
            }
            for step in explanation.steps
        ],
    }


def _walk(explanation: Explanation) -> list[str]:
    """The steps as lines; rules about other tools are counted, a list at a time."""
    lines: list[str] = []
    others: dict[str, int] = {}
    for step in explanation.steps:
        if step.outcome == "not this tool":
            key = step.rule.partition("[")[0]
            others[key] = others.get(key, 0) + 1
            continue
        lines += _counted(others)
        lines.append(_line(step))
    return lines + _counted(others)


def _counted(others: dict[str, int]) -> list[str]:
    lines = [f"  {key}: {count} about other tools" for key, count in others.items()]
    others.clear()
    return lines


def _line(step: Step) -> str:
    subject = f' "{step.pattern}"' if step.pattern else ""
    when = f" when {step.when}" if step.when else ""
    why = f" ({step.why})" if step.why else ""
    place = f" [{step.at}]" if step.at else ""
    return f"{'>' if step.decides else ' '} {step.rule}{subject}{when}: {step.outcome}{why}{place}"
