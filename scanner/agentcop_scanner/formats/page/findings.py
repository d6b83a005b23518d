"""One finding of the page: what and where, the code, the way of the data, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.formats.page.elements import h

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding, Step
    from agentcop_scanner.formats.excerpt import Line
    from agentcop_scanner.formats.page.elements import Child, Node
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Reported

_REACH = {
    "tool": "reached from a tool or endpoint",
    "unknown": "reach unknown",
    "test": "only from tests or the main block",
}


def finding(view: View, reported: Reported, *, opened: bool) -> Node:
    """It folds; its summary alone says what, where and how bad."""
    one = reported.finding
    rule = view.rules.get(one.rule)
    return h(
        "details",
        h(
            "summary",
            h("span", one.severity, class_=f"badge {one.severity.lower()}"),
            " ",
            h("b", f"{one.rule}{f' {rule.slug}' if rule else ''}"),
            h("span", f" line {one.place.line}", class_="muted"),
            h("span", reported.status, class_="state") if reported.status != "open" else None,
            h("span", one.message, class_="message"),
        ),
        _state(reported),
        _code(view.excerpts.of(one)),
        _way(view, one),
        _mend(one, known=rule is not None),
        h(
            "p",
            f"{one.path}:{one.place.line}:{one.place.col}",
            f" in {one.function}" if one.function else "",
            f" · {one.confidence} confidence · {_REACH[one.reach]} · fingerprint {reported.fingerprint}",
            class_="muted",
        ),
        class_="finding",
        data_severity=one.severity,
        data_status=reported.status,
        data_rule=one.rule,
        open="open" if opened else None,
    )


def _state(reported: Reported) -> Node | None:
    if reported.status == "open":
        return None
    until = f", until {reported.until}" if reported.until else ""
    word = "Baselined since " if reported.status == "baselined" else "Suppressed: "
    return h("p", word, reported.reason, until)


def _code(lines: tuple[Line, ...]) -> Node | None:
    if not lines:
        return None
    return h(
        "pre",
        map(_code_line, lines),
        tabindex=0,
        aria_label="code",
    )


def _code_line(line: Line) -> Node:
    return h("span", f"{line.text}\n", class_="l hit" if line.hit else "l", data_n=line.number)


def _way(view: View, one: Finding) -> Node | None:
    if not one.trace:
        return None
    return h(
        "div", h("h3", "From source to sink"), h("ol", (_step(view, one, step) for step in one.trace)), class_="way"
    )


def _step(view: View, one: Finding, step: Step) -> Node:
    where = f"line {step.place.line}" if step.path == one.path else f"{step.path}:{step.place.line}"
    code: Child = None
    if text := view.excerpts.line(step.path, step.place.line).strip():
        code = h("code", text)
    return h("li", h("span", step.what), " ", h("span", where, class_="muted"), code)


def _mend(one: Finding, *, known: bool) -> Node | None:
    advice: list[Child] = [one.fix, " "] if one.fix else []
    if known:
        advice.append(h("a", f"About {one.rule}: why it is bad, and what to use instead", href=f"#rule-{one.rule}"))
    return h("p", h("strong", "How to fix: "), advice) if advice else None
