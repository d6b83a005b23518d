"""JUnit XML: a file is a suite, an open finding a failure, a file without a score an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # only written here, never parsed

from agentcop_core.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import FileResult, Reported


def render(view: View) -> Iterator[str]:
    """One XML document. A baselined or suppressed finding is a skipped test with its reason."""
    suites = [_suite(view, file) for file in view.report.files]
    totals = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in _COUNTS}
    attributes = "".join(f' {name}="{count}"' for name, count in totals.items())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="agentcop scan"{attributes}>\n'
    for suite in suites:
        yield ET.tostring(suite, encoding="unicode") + "\n"
    yield "</testsuites>\n"


_COUNTS = ("tests", "failures", "errors", "skipped")


def _suite(view: View, file: FileResult) -> ET.Element:
    shown = view.shown(file)
    suite = ET.Element("testsuite", name=escape(file.path), timestamp=view.made.strftime("%Y-%m-%dT%H:%M:%S"))
    if file.score is None:
        case = ET.SubElement(suite, "testcase", classname=escape(file.path), name="scanned")
        ET.SubElement(case, "error", message=escape(file.problem), type=str(file.unscored))
    elif not shown:
        ET.SubElement(suite, "testcase", classname=escape(file.path), name=f"trust score {file.score}")
    for one in shown:
        suite.append(_case(view, one))
    counts = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    for name, count in counts.items():
        suite.set(name, str(count))
    return suite


def _case(view: View, one: Reported) -> ET.Element:
    finding, place = one.finding, one.finding.place
    rule = view.rules.get(finding.rule)
    case = ET.Element(
        "testcase",
        classname=escape(finding.path),
        name=f"{finding.rule}{f' {rule.slug}' if rule else ''} line {place.line}",
        file=escape(finding.path),
        line=str(place.line),
    )
    if one.status != "open":
        ET.SubElement(case, "skipped", message=escape(f"{one.status}: {one.reason}"))
        return case
    failure = ET.SubElement(case, "failure", message=escape(finding.message), type=finding.severity)
    steps = [f"{step.path}:{step.place.line} {step.what}" for step in finding.trace]
    lines = [f"{finding.path}:{place.line}:{place.col}", *finding.snippet.splitlines(), *steps, finding.fix]
    failure.text = "\n".join(escape(line) for line in lines if line)
    return case
