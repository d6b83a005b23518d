from __future__ import annotations

import pytest

from agentcop_alerts.links import fill, links_of
from alerts import alert, item


def test_the_pages_stand_in_fixed_order_and_what_cannot_be_filled_in_is_left_out() -> None:
    one = item(
        trace_link="http://jaeger/{trace_id}",
        page_link="${PAGES}/runs/{trace_id}",
        dashboard_link="${UNSET}/d/x",
        runbook_link="https://wiki/{kind}",
    )

    found = [(link.label, link.url) for link in links_of(one, {"PAGES": "http://cop"})]
    assert found == [
        ("Open trace", "http://jaeger/0af7651916cd43dd8448eb211c80319c"),
        ("Open run", "http://cop/runs/0af7651916cd43dd8448eb211c80319c"),
        ("Runbook", "https://wiki/block"),
    ]


@pytest.mark.parametrize("name", ["../x?y#z", "a b", '"><script>', "{trace_id}", "é\ud800", "x\r\nBcc: a"])
def test_what_an_agent_can_choose_stays_in_its_place(name: str) -> None:
    url = fill("https://grafana/d/x?var-agent={agent_id}&tool={tool}", alert(agent_id=name, tool=name), {})

    assert url.startswith("https://grafana/d/x?var-agent=")
    assert url.isascii()
    assert url.count("&") == 1
    assert not set(url) & set(" \"<>'#{}\r\n")


def test_a_name_that_is_no_placeholder_stays_as_it_is() -> None:
    assert fill("https://x/{other}/{trace_id}", alert(trace_id="ab"), {}) == "https://x/{other}/ab"
