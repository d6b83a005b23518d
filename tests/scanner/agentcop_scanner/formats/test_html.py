from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from agentcop_scanner.finding import Place, Step
from agentcop_scanner.formats import render
from agentcop_scanner.formats.excerpt import Excerpts
from agentcop_scanner.formats.page.elements import h, html
from agentcop_scanner.report import Changes, Drop
from findings import DOC, HOSTILE, RULE, file_of, finding, hostile_view, report_of, view_of

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_scanner.formats.view import View

VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """The elements of a page, their attributes and the text in each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index][2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str | None], str]]:
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [
            (attrs, "".join(text))
            for name, attrs, text in self.elements
            if name == tag and wanted.items() <= attrs.items()
        ]


def page_of(view: View) -> Page:
    return Page("".join(render(view, "html")))


def mixed() -> View:
    files = [
        file_of(finding(line=3), finding("AC134", line=9, severity="LOW")),
        file_of(finding(path="b.py", severity="MEDIUM", confidence="medium"), path="b.py"),
    ]
    first, *others = files[0].findings
    known = replace(first, status="baselined", reason="2026-05-24")
    return view_of(report_of(replace(files[0], findings=(known, *others)), files[1]))


def test_its_counts_are_those_of_the_json() -> None:
    view = mixed()
    page, summary = page_of(view), json.loads("".join(render(view, "json")))["summary"]

    counts = {
        str(attrs["data-count"]): int(text.split()[0].replace(",", ""))
        for _, attrs, text_parts in page.elements
        if "data-count" in attrs
        for text in ["".join(text_parts)]
    }

    assert counts == {name: summary[name] for name in counts}
    assert {"findings", "CRITICAL", "HIGH", "MEDIUM", "LOW", "open", "baselined", "suppressed"} == set(counts)
    assert len(page.all("details", class_="finding")) == 0  # class_ is an attribute's name here
    shown = [attrs for _, attrs, _ in page.elements if attrs.get("class") == "finding"]
    assert len(shown) == summary["findings"]
    assert [attrs["data-status"] for attrs in shown].count("baselined") == summary["baselined"]


def test_hostile_code_is_text_and_nothing_else() -> None:
    text = "".join(render(hostile_view(), "html"))
    page = Page(text)

    assert page.all("img") == []
    assert len(page.all("script")) == 1
    assert len(page.all("style")) == 1
    assert "{{7*7}}" in text
    assert "49" not in re.sub(r"[0-9a-f]{16}|sha256-\S+", "", text).split("<body>")[1].split("<script>")[0]
    assert [name for _, attrs, _ in page.elements for name in attrs if name.startswith("on")] == []
    assert any("<img src=x" in text for _, text in page.all("pre"))


def test_it_asks_nothing_of_the_network() -> None:
    text = "".join(render(mixed(), "html"))
    page = Page(text)

    assert [attrs for _, attrs, _ in page.elements if {"src", "srcset", "action", "data"} & set(attrs)] == []
    assert {str(attrs["href"])[0] for attrs, _ in page.all("a")} == {"#"}
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [attrs["content"] for attrs, _ in page.all("meta") if attrs.get("http-equiv")]
    assert str(policy).startswith("default-src 'none';")
    assert [attrs for _, attrs, _ in page.elements if "style" in attrs] == []


def test_every_link_leads_to_something_on_the_page() -> None:
    page = page_of(mixed())
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]

    assert {str(attrs["href"])[1:] for attrs, _ in page.all("a")} <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_score_stands_there_as_a_sum_that_comes_out() -> None:
    page = page_of(mixed())

    sums = [text for attrs, text in page.all("details") if attrs.get("class") == "sum"]
    assert len(sums) == 2
    rows = re.findall(r"of (\d+\.\d\d)(-\d+\.\d\d)(\d+\.\d\d)", sums[0])
    assert rows
    for before, points, left in rows:
        assert float(before) + float(points) == pytest.approx(float(left), abs=0.011)


def test_code_is_shown_with_its_line_numbers_and_the_way_from_source_to_sink(tmp_path: Path) -> None:
    code = tmp_path / "tool.py"
    code.write_text("".join(f"line {n}\n" for n in range(1, 20)) + "api_key = 'sk-proj-" + "a1" * 20 + "'\n")
    one = finding(
        line=18,
        path=str(code),
        trace=(
            Step(path=str(code), place=Place(line=5), what="parameter name"),
            Step(path="gone.py", place=Place(line=1), what="open"),
        ),
    )
    page = page_of(view_of(report_of(file_of(one, path=str(code)))))

    numbers = [attrs["data-n"] for _, attrs, _ in page.elements if "data-n" in attrs]
    hits = [text for _, attrs, parts in page.elements if attrs.get("class") == "l hit" for text in ["".join(parts)]]
    assert numbers == ["16", "17", "18", "19", "20"]
    assert hits == ["line 18\n"]
    (way,) = [text for attrs, text in page.all("div") if attrs.get("class") == "way"]
    assert "parameter name line 5line 5" in way
    assert "sk-proj" not in "".join(render(view_of(report_of(file_of(one, path=str(code)))), "html"))


def test_what_changed_since_the_baseline_stands_there() -> None:
    changes = Changes(
        since="baseline b.json",
        new=42,
        known=51,
        oldest_days=187,
        gone=(("AC121", "a.py"),),
        drops=(Drop(path="a.py", before=86, after=39),),
    )
    page = page_of(replace(mixed(), report=replace(mixed().report, changes=changes)))

    ((_, text),) = page.all("section", id="changes")
    assert "Since baseline b.json" in text
    assert "42 new, 51 baselined, 1 gone. The oldest is 187 days old." in text
    assert "a.py863947" in text


def test_a_rule_is_explained_once_with_its_code_as_code() -> None:
    page = page_of(mixed())

    ((_, text),) = page.all("details", id="rule-AC121")
    assert "if not path.is_relative_to(base):\n    raise ValueError(name)" in text
    assert [code for _, code in page.all("pre") if code == "open(base / name)"]
    assert "```" not in text
    assert RULE.doc == DOC


def test_a_report_of_ten_thousand_findings_is_of_a_size_that_opens() -> None:
    files = [
        file_of(*(finding(line=line, path=f"f{n}.py") for line in range(1, 101)), path=f"f{n}.py") for n in range(100)
    ]

    text = "".join(render(view_of(report_of(*files)), "html"))

    assert text.count('class="finding"') == 10_000
    assert len(text) < 20_000_000
    assert '" open="open"' not in text


def test_text_and_attributes_are_escaped_where_they_are_written() -> None:
    assert html(h("p", "<b>", title='"><b>', data_x=1)) == '<p title="&quot;&gt;<b&gt;" data-x="1">&lt;b&gt;</p>'
    assert html(h("p", "a", h("br"), "b", None)) == "<p>a<br>b</p>"
    assert HOSTILE not in html(h("p", HOSTILE))


def test_excerpts_are_of_regular_files_that_are_there_and_short(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "short.py").write_text("one\n")
    (tmp_path / "long.py").write_text("x" * 5000 + "\n" + "\n" * 40)
    excerpts = Excerpts()

    for name in ("pipe", "absent.py", "short.py", "", "\0"):
        assert excerpts.around(str(tmp_path / name), Place(line=9)) == ()
    lines = excerpts.around(str(tmp_path / "long.py"), Place(line=1, end_line=40))
    assert len(lines) == 12
    assert lines[0].text.endswith("chars")
    assert len(lines[0].text) < 300


def test_a_key_over_several_lines_is_hidden_on_each() -> None:
    from agentcop_scanner.formats.excerpt import _masked

    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nABCDEF\n-----END RSA PRIVATE KEY-----"
    lines = _masked(f"a = 1\n{key}\nb = 2\n")

    assert lines == ["a = 1", *["[redacted:private-key]"] * 4, "b = 2", ""]


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_text_has_the_contrast_of_level_aa(scheme: int) -> None:
    text = "".join(render(mixed(), "html"))
    blocks = re.findall(r":root \{([^}]*--ground[^}]*)\}", text)
    assert len(blocks) == 3  # light, dark, print
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))

    pairs = [(ink, ground) for ink in ("ink", "muted", "link") for ground in ("ground", "raised")]
    pairs += [("ink", "hit"), *(("on-badge", badge) for badge in ("critical", "high", "medium", "low", "good"))]
    poor = [pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5]
    assert poor == []
