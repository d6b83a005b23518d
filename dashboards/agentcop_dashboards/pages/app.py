"""The pages as an application: read-only, without scripts, and nothing of them asks another host for anything."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from agentcop_dashboards.pages.view import STEPS, alert_view, line, run_view, step_views
from agentcop_detectors.store.reader import PAGE, StoredRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from agentcop_dashboards.pages.linked import Links
    from agentcop_detectors.segments.spans import SpanStore
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.reader import Reader

_log = logging.getLogger("agentcop")

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TRACE: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SPAN: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_BEFORE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)-([0-9a-f]{32})", re.ASCII)
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def app(reader: Reader, spans: SpanStore, links: Links, *, hosts: Sequence[str] = LOOPBACK) -> Starlette:
    """The pages. `spans`: an instance for this alone. `links`: where else a run can be looked at.

    `hosts`: names under which they are served; a request under another is refused, since a foreign page could have
    had its name point here. Nobody is asked who they are: serve them where only the right people reach them.
    """
    pages = _Pages(reader, spans, links)
    allowed = frozenset(host.lower() for host in hosts)

    def guarded(show: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            host = _host(request)
            if host not in allowed:
                made: Response = PlainTextResponse("these pages are served under other names\n", 421)
            else:
                made = pages.safely(show, request)
            made.headers.update(HEADERS)
            return made

        return answer

    return Starlette(
        routes=[
            Route("/", guarded(pages.start)),
            Route("/alerts", guarded(pages.alerts)),
            Route("/runs", guarded(pages.runs)),
            Route("/runs/{trace_id}", guarded(pages.run)),
            Route("/pages.css", guarded(pages.style)),
            Route("/{rest:path}", guarded(pages.nothing)),
        ]
    )


class _Pages:
    def __init__(self, reader: Reader, spans: SpanStore, links: Links) -> None:
        self._reader = reader
        self._spans = spans
        self._links = links
        self._one_reads = threading.Lock()
        self._said: set[str] = set()
        self._templates = Environment(
            loader=PackageLoader("agentcop_dashboards.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["shown"] = line
        self._css = (files("agentcop_dashboards.pages") / "pages.css").read_text(encoding="utf-8")

    def safely(self, show: Callable[[Request], Response], request: Request) -> Response:
        """The page, or one that says why there is none."""
        try:
            return show(request)
        except (SQLAlchemyError, OSError) as error:
            if (kind := type(error).__name__) not in self._said:
                self._said.add(kind)
                _log.exception("agentcop: a page could not be made")
            said = "The detector's records cannot be read at the moment; its log says why."
            return self._page(request, "missing.html", 503, title="Not available", said=said)

    def start(self, request: Request) -> Response:
        return RedirectResponse(f"{_root(request)}/alerts", 303)

    def style(self, request: Request) -> Response:
        del request
        return Response(self._css, media_type="text/css; charset=utf-8")

    def nothing(self, request: Request) -> Response:
        return self._page(request, "missing.html", 404, title="No such page", said="There is no page here.")

    def alerts(self, request: Request) -> Response:
        asked = request.query_params
        before = asked.get("before", "")
        severity, agent = asked.get("severity", ""), asked.get("agent", "")[:300]
        severity = severity if severity in _SEVERITIES else ""
        only_open = asked.get("open") == "1"
        rows = self._reader.alerts(
            limit=PAGE + 1,
            before=int(before) if _NUMBER.fullmatch(before) else None,
            agent_id=agent,
            severity=severity,
            only_open=only_open,
        )
        kept = {"agent": agent, "severity": severity, "open": "1" if only_open else ""}
        choices = [
            ("all", not (severity or only_open), _query(kept | {"severity": "", "open": ""})),
            ("not acknowledged", only_open, _query(kept | {"open": "" if only_open else "1"})),
            *((each, each == severity, _query(kept | {"severity": each})) for each in _SEVERITIES),
        ]
        return self._page(
            request,
            "alerts.html",
            title="Alerts",
            alerts=[alert_view(row) for row in rows[:PAGE]],
            choices=choices,
            agent=agent,
            everyone=_query(kept | {"agent": ""}),
            more=_query(kept | {"before": str(rows[PAGE - 1].id)}) if len(rows) > PAGE else "",
            filtered=bool(agent or severity or only_open or before),
        )

    def runs(self, request: Request) -> Response:
        agent = request.query_params.get("agent", "")[:300]
        found = _BEFORE.fullmatch(request.query_params.get("before", ""))
        before = (float(found[1]), found[2]) if found else None
        rows = self._reader.runs(limit=PAGE + 1, before=before, agent_id=agent)
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        return self._page(
            request,
            "runs.html",
            title="Runs",
            runs=[run_view(row) for row in rows[:PAGE]],
            agent=agent,
            more=_query({"agent": agent, "before": f"{last.seen:.9f}-{last.trace_id}"}) if last else "",
        )

    def run(self, request: Request) -> Response:
        trace_id = request.path_params["trace_id"].lower()
        if not _TRACE.fullmatch(trace_id):
            return self._page(request, "missing.html", 404, title="No such run", said="This is no trace id.")
        row = self._reader.run(trace_id)
        with self._one_reads:
            steps = self._spans.trace(bytes.fromhex(trace_id))
        alerts = [alert_view(each) for each in self._reader.alerts(trace_id=trace_id)]
        if row is None and not steps:
            said = "No run has this trace id, or it is older than the detector keeps runs."
            return self._page(request, "missing.html", 404, title="No such run", said=said)
        if row is None:
            row = _unwritten(trace_id, steps)
        first = _first(request, steps)
        by_step: dict[str, list[Any]] = {}
        shown_here = {step.span_id.hex() for step in steps[first : first + STEPS]}
        for alert in alerts:
            by_step.setdefault(alert.span_id if alert.span_id in shown_here else "", []).append(alert)
        begun = min((step.start for step in steps), default=row.started)
        return self._page(
            request,
            "run.html",
            title="Run",
            run=run_view(replace(row, steps=max(row.steps, len(steps)))),
            links=self._links.of(row),
            alerts=by_step.get("", ()),
            steps=step_views(steps, first, begun, by_step),
            first=first,
            total=len(steps),
            earlier=_query({"from": str(max(0, first - STEPS))}) if first else "",
            later=_query({"from": str(first + STEPS)}) if first + STEPS < len(steps) else "",
        )

    def _page(self, request: Request, template: str, status: int = 200, **given: object) -> Response:
        text = self._templates.get_template(template).render(root=_root(request), **given)
        return HTMLResponse(text.encode("utf-8", "replace"), status)


def _unwritten(trace_id: str, steps: Sequence[Step]) -> StoredRun:
    """A run of which there are spans and no row: it has just begun, or its row was deleted."""
    named = next((step for step in steps if step.agent_id), steps[0])
    return StoredRun(
        trace_id=trace_id,
        agent_id=named.agent_id or named.service,
        session_id=named.session_id,
        environment=named.environment,
        service=named.service,
        started=min(step.start for step in steps),
        ended=max(step.end for step in steps),
        seen=0.0,
        steps=len(steps),
        tool_calls=sum(step.kind == "tool" for step in steps),
        blocked=sum(step.verdict == "block" for step in steps),
        held=0,
        unenforced=0,
        tokens=0,
        closed="",
    )


def _first(request: Request, steps: Sequence[Step]) -> int:
    """The step with which the page begins: `?from=N`, or the page that holds `?at=SPAN`."""
    at, begin = request.query_params.get("at", ""), request.query_params.get("from", "")
    if _SPAN.fullmatch(at):
        index = next((index for index, step in enumerate(steps) if step.span_id.hex() == at), 0)
        return index // STEPS * STEPS
    return min(int(begin), max(0, len(steps) - 1)) if _NUMBER.fullmatch(begin) else 0


def _query(given: dict[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in given.items() if value})


def _root(request: Request) -> str:
    """The path under which the application is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _host(request: Request) -> str:
    host = request.headers.get("host", "").lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
