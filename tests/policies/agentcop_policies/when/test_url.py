"""`url.host_in` against the URLs that two clients read as two hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.url import host_in, pattern_problem

UNCLEAR = "unclear"
HOSTS = ["example.com", "*.example.org", "münchen.de", "10.0.0.1", "[2001:db8::1]"]


def judge(url: str, hosts: list[str] | None = None) -> bool | str:
    try:
        return host_in(url, HOSTS if hosts is None else hosts)
    except CannotJudgeError:
        return UNCLEAR


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", True),
        ("https://example.com/", True),
        ("HTTPS://EXAMPLE.COM/Path?q=1#x", True),
        ("http://example.com:8080/", True),
        ("wss://example.com/socket", True),
        ("https://example.com./", True),
        ("https://a.example.org/", True),
        ("https://a.b.example.org/", True),
        ("https://münchen.de/", True),
        ("https://MÜNCHEN.de/", True),
        ("https://xn--mnchen-3ya.de/", True),
        ("http://10.0.0.1/", True),
        ("http://[2001:db8::1]/", True),
        ("http://[2001:0DB8:0:0::0001]:80/", True),
        ("http://[::ffff:10.0.0.1]/", True),
        ("https://example.com/a@b", True),
        ("https://example.com?next=1", True),
        ("https://example.org/", False),
        ("https://xexample.org/", False),
        ("https://www.example.com/", False),
        ("https://example.com.evil.net/", False),
        ("https://evil.net/example.com", False),
        ("https://evil.net/?u=https://example.com", False),
        ("https://example-com.evil.net/", False),
        ("http://10.0.0.10/", False),
        ("https://\u0435xample.com/", False),
        ("https://example.com@evil.net/", UNCLEAR),
        ("https://example.com:pass@evil.net/", UNCLEAR),
        ("https://evil.net@example.com/", UNCLEAR),
        ("https://example.com%40evil.net/", UNCLEAR),
        ("https://example.com\\@evil.net/", UNCLEAR),
        ("https://evil.net\\.example.org/", UNCLEAR),
        ("https:\\\\example.com/", UNCLEAR),
        ("https://example.com?@evil.net/", UNCLEAR),
        ("https://example.com#@evil.net/", UNCLEAR),
        (" https://example.com/", UNCLEAR),
        ("https://example.com/ ", UNCLEAR),
        ("https://exa\tmple.com/", UNCLEAR),
        ("https://example.com\n.evil.net/", UNCLEAR),
        ("https://example.com\r\nHost: evil.net", UNCLEAR),
        ("https://example.com\0.evil.net/", UNCLEAR),
        ("https://example.com\u200b.evil.net/", UNCLEAR),
        ("https://example%2ecom/", UNCLEAR),
        ("https://ex%61mple.com/", UNCLEAR),
        ("https://evil.net\uff0fexample.com/", UNCLEAR),
        ("https://evil.net\u2100example.com/", UNCLEAR),
        ("https://evil.net\uff03.example.org/", UNCLEAR),
        ("https://fa\u00df.de/", UNCLEAR),
        ("https://\U0001f600.example.org/", UNCLEAR),
        ("https://example..com/", UNCLEAR),
        ("https://example.com../", UNCLEAR),
        ("https://.example.org/", UNCLEAR),
        ("https:///example.com/", UNCLEAR),
        ("https://", UNCLEAR),
        ("https:example.com", UNCLEAR),
        ("https:/example.com", UNCLEAR),
        ("//example.com/", UNCLEAR),
        ("example.com", UNCLEAR),
        ("", UNCLEAR),
        ("ftp://example.com/", UNCLEAR),
        ("file://example.com/etc/passwd", UNCLEAR),
        ("javascript://example.com/%0aalert(1)", UNCLEAR),
        ("data:text/html,https://example.com/", UNCLEAR),
        ("blob:https://example.com/1", UNCLEAR),
        ("http://010.0.0.1/", UNCLEAR),
        ("http://0x0a.0.0.1/", UNCLEAR),
        ("http://167772161/", UNCLEAR),
        ("http://10.1/", UNCLEAR),
        ("http://0xa000001/", UNCLEAR),
        ("http://10.0.0.1.0x1/", UNCLEAR),
        ("http://\uff11\uff10.0.0.1/", UNCLEAR),
        ("http://\u2460\u24ea.0.0.1/", UNCLEAR),
        ("http://[::ffff:10.0.0.1/", UNCLEAR),
        ("http://[fe80::1%25eth0]/", UNCLEAR),
        ("http://[64:ff9b::a00:1]/", UNCLEAR),
        ("http://[2002:a00:1::]/", UNCLEAR),
        ("http://[::10.0.0.1]/", UNCLEAR),
        ("http://example.com:99999/", UNCLEAR),
        ("http://example.com:80:80/", UNCLEAR),
        ("http://example.com:/", UNCLEAR),
        ("http://example.com:8o/", UNCLEAR),
        ("https://exa_mple!.com/", UNCLEAR),
        ("https://" + "a" * 64 + ".com/", UNCLEAR),
        ("https://example.com/" + "a" * 9000, UNCLEAR),
        ("https://" + "\u0660" * 8000 + ".com/", UNCLEAR),
    ],
)
def test_a_url_leads_to_a_host_only_where_every_client_says_so(url: str, expected: bool | str) -> None:
    assert judge(url) == expected


def test_a_star_means_subdomains_and_not_the_domain_itself() -> None:
    assert judge("https://example.org/", ["*.example.org"]) is False
    assert judge("https://example.org/", ["*.example.org", "example.org"]) is True


def test_addresses_are_compared_by_value_in_a_block_rule_too() -> None:
    metadata = ["169.254.169.254"]

    assert judge("http://169.254.169.254/latest", metadata) is True
    assert judge("http://[::ffff:a9fe:a9fe]/latest", metadata) is True
    for disguised in ("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"):
        assert judge(f"http://{disguised}/latest", metadata) == UNCLEAR


def test_loopback_addresses_can_be_listed() -> None:
    assert judge("http://[::1]:8000/", ["[::1]"]) is True
    assert judge("http://localhost:8000/", ["localhost"]) is True


@given(st.text(max_size=40))
def test_a_url_of_any_text_has_an_answer_or_none_and_never_crashes(text: str) -> None:
    assert judge("https://" + text) in (True, False, UNCLEAR)


@given(st.text("abz09.-@:/?#\\[]% \t*é", max_size=20))
def test_nothing_before_the_host_makes_another_host_ours(prefix: str) -> None:
    if judge("https://" + prefix + "evil.net/", ["example.com"]) is True:
        assert prefix.lower().rstrip("/").startswith("example.com") or prefix.lower().startswith("example.com")
        assert prefix[len("example.com") : len("example.com") + 1] in ("/", "?", "#", ":", ".")


@pytest.mark.parametrize(
    "pattern",
    [
        *("https://example.com", "example.com/", "*", "*.", "*example.com", "a.*.com", "**.com", "exa mple.com", ""),
        *("10.1", "example.com:443", "user@example.com", "[::1", "fa\u00df.de"),
    ],
)
def test_a_host_that_means_nothing_certain_is_a_problem_at_load(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize("pattern", [*HOSTS, "localhost", "EXAMPLE.com", "example.com.", "_dmarc.example.com"])
def test_a_plain_host_is_no_problem(pattern: str) -> None:
    assert pattern_problem(pattern) == ""
