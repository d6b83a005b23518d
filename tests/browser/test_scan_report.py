from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agentcop_scanner.formats import render
from findings import file_of, finding, hostile_view, report_of, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from agentcop_scanner.formats.view import View

pytestmark = pytest.mark.browser

SEEN = "[...document.querySelectorAll('details.finding')].filter((one) => one.checkVisibility()).length"


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a report; whatever it complains of, or asks the network for, fails the test."""

    def opened_page(view: View, fragment: str = "", **context: Any) -> Page:
        file = tmp_path / "report.html"
        file.write_text("".join(render(view, "html")), encoding="utf-8")
        page = chromium.new_context(**context).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(file.as_uri() + fragment)
        return page

    asked: list[str] = []
    said: list[str] = []
    yield opened_page
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {(tmp_path / "report.html").as_uri()}


def some() -> View:
    first = file_of(finding(line=3), finding("AC101", line=12, severity="CRITICAL"))
    other = finding("AC134", line=9, severity="LOW", message="certificates are not checked", path="z.py")
    return view_of(report_of(first, file_of(other, path="z.py")))


def test_a_hostile_report_runs_nothing_and_asks_nothing(opened: Callable[..., Page]) -> None:
    page = opened(hostile_view())

    assert page.locator("img").count() == 0
    assert page.evaluate(SEEN) == 1


def test_without_scripts_all_is_readable_and_no_filter_shows(opened: Callable[..., Page]) -> None:
    page = opened(some(), java_script_enabled=False)

    assert page.locator("details.finding").count() == 3
    assert page.locator("details.finding").first.is_visible()
    assert not page.locator("#filters").is_visible()
    page.locator("details.sum summary").first.click()
    assert page.get_by_text("trust score, rounded").first.is_visible()


def test_a_filter_goes_into_the_address_and_comes_back_from_it(opened: Callable[..., Page]) -> None:
    page = opened(some())
    page.get_by_label("LOW").uncheck()
    page.get_by_label("rule").select_option("AC101")
    address = page.url

    assert page.evaluate(SEEN) == 1
    assert not page.locator("#file-2").is_visible()
    assert page.locator("#file-1").is_visible()
    assert page.locator("#filters output").inner_text() == "1 of 3 shown"
    assert address.endswith("#severity=CRITICAL%2CHIGH%2CMEDIUM&rule=AC101")

    again = opened(some(), address.partition("report.html")[2])
    assert again.evaluate(SEEN) == 1
    assert not again.get_by_label("LOW").is_checked()


def test_a_filter_by_text_looks_into_every_finding(opened: Callable[..., Page]) -> None:
    page = opened(some(), "#text=Certificates")

    assert page.evaluate(SEEN) == 1


def test_a_link_to_a_rule_opens_it(opened: Callable[..., Page]) -> None:
    page = opened(some())
    page.get_by_role("link", name="About AC121").click()

    assert page.locator("#rule-AC121[open]").is_visible()
    assert page.evaluate(SEEN) == 3


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_phone_and_desktop_in_light_and_dark(opened: Callable[..., Page], width: int, scheme: str) -> None:
    page = opened(some(), viewport={"width": width, "height": 800}, color_scheme=scheme)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")


def test_a_long_path_and_a_long_line_do_not_widen_a_phone(opened: Callable[..., Page]) -> None:
    path = "agents/" + "deep_folder/" * 20 + "x" * 120 + ".py"
    one = finding(path=path, snippet="y" * 600, message="m" * 300, function="f" * 200)
    page = opened(view_of(report_of(file_of(one, path=path))), viewport={"width": 360, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_it_prints_every_finding(opened: Callable[..., Page]) -> None:
    closed = replace(some().report, files=some().report.files * 15)
    page = opened(view_of(closed))
    assert page.locator("details.finding[open]").count() == 0

    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.finding[open]").count() == 45
    assert not page.locator("#filters").is_visible()


def test_ten_thousand_findings_open_and_filter(opened: Callable[..., Page]) -> None:
    files = [
        file_of(*(finding(line=line, path=f"f{n}.py") for line in range(1, 101)), path=f"f{n}.py") for n in range(100)
    ]
    page = opened(view_of(report_of(*files)), "#severity=LOW")

    page.wait_for_function("document.querySelector('#filters output').textContent === '0 of 10,000 shown'")
    page.get_by_label("HIGH").check()
    page.wait_for_function("document.querySelector('#filters output').textContent === '10,000 of 10,000 shown'")


def test_the_keyboard_reaches_every_control(opened: Callable[..., Page]) -> None:
    page = opened(some())
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.localName"))
    assert {"input", "select", "a", "summary", "pre"} <= set(seen)
