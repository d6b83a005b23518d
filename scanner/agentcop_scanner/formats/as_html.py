"""HTML: one file that asks nothing of the network, reads without scripts, and prints."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.page.elements import h, html
from agentcop_scanner.formats.page.files import ordered, overview, section
from agentcop_scanner.formats.page.rules import rules
from agentcop_scanner.formats.page.summary import changes, remarks, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.page.elements import Node
    from agentcop_scanner.formats.view import View


def render(view: View) -> Iterator[str]:
    """A page, in pieces. Only its own style and script may work in it: their hashes are its content security policy."""
    style, script = _asset("report.css"), _asset("report.js")
    yield '<!doctype html>\n<html lang="en">\n'
    yield html(_head(view, style, script))
    yield "\n<body>\n"
    for node in _body(view):
        yield html(node) + "\n"
    yield html(h("script"))[: -len("</script>")] + script + "</script>\n</body>\n</html>\n"


def _head(view: View, style: str, script: str) -> Node:
    policy = {
        "default-src": "'none'",
        "style-src": _digest(style),
        "script-src": _digest(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    score = "not scored" if view.report.score is None else f"trust score {view.report.score}"
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h(
            "meta",
            http_equiv="Content-Security-Policy",
            content="; ".join(f"{what} {who}" for what, who in policy.items()),
        ),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("meta", name="generator", content=f"agentcop {view.version}"),
        h("title", f"agentcop scan: {score}"),
    )
    sheet = h("style")
    sheet.text = style
    head.append(sheet)
    return head


def _body(view: View) -> Iterator[Node]:
    files = ordered(view)
    yield summary(view)
    yield from changes(view)
    yield _filters(view)
    yield overview(view, files)
    for number, file in files:
        yield from section(view, number, file)
    yield from rules(view)
    yield from remarks(view)


def _filters(view: View) -> Node:
    """Shown by the script, which they need; their state is in the address after `#`."""
    used = sorted({one.finding.rule for one in view.findings})
    groups = {"severity": SEVERITIES, "status": ("open", "baselined", "suppressed")}
    boxes = [(group, name) for group, names in groups.items() for name in names]
    return h(
        "form",
        (
            h("label", h("input", type="checkbox", name=group, value=name, checked="checked"), f" {name}")
            for group, name in boxes
        ),
        h(
            "label",
            "rule ",
            h("select", h("option", "all", value=""), (h("option", name, value=name) for name in used), name="rule"),
        ),
        h("label", "text ", h("input", type="search", name="text", autocomplete="off")),
        h("output", aria_live="polite"),
        id="filters",
        hidden="hidden",
    )


def _asset(name: str) -> str:
    return resources.files("agentcop_scanner.formats.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
