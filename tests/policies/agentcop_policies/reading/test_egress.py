"""`sandbox.secrets` and `sandbox.network.allow` name places and headers that can be, and hold no secret."""

from __future__ import annotations

import pytest

from agentcop_policies.document.sections import Secret
from policytext import policy, problems

GATE = "agent_id: x\ngate: {allow: [a]}\n"


def _written(host: str = "a.example:443", header: str = "Authorization", value: str = "Bearer ${TOKEN}") -> str:
    return f'{{host: "{host}", header: "{header}", value: "{value}"}}'


def _lines(*secrets: str, network: str = "public") -> tuple[str, ...]:
    return problems(f"{GATE}sandbox: {{network: {network}, secrets: [{', '.join(secrets)}]}}\n")


def test_secrets_are_kept_as_they_are_written() -> None:
    other = _written("http://b.example:8080", "X-Key", "${KEY}")
    loaded = policy(f"{GATE}sandbox: {{secrets: [{_written()}, {other}]}}\n")

    assert loaded.document.sandbox is not None
    assert loaded.document.sandbox.secrets == (
        Secret(host="a.example:443", header="Authorization", value="Bearer ${TOKEN}"),
        Secret(host="http://b.example:8080", header="X-Key", value="${KEY}"),
    )
    assert policy(loaded.dump()).document == loaded.document
    assert policy(loaded.dump()).digest == loaded.digest


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (_written(host="a.example"), "expected host:port"),
        (_written(host="https://a.example:443"), "expected host:port"),
        (_written(host="*.a.example:443"), "expected host:port"),
        (_written(host="0x7f.1:443"), "expected host:port"),
        (_written(host="http://a.example:443"), "port 443 speaks https"),
        (_written(host="${HOST}:443"), "nowhere else"),
        (_written(header="${HEADER}"), "nowhere else"),
        (_written(header="Bad Name"), "is no header that can be added"),
        (_written(header="Host"), "is no header that can be added"),
        (_written(header="content-length"), "is no header that can be added"),
        ('{host: "a.example:443", header: A}', '"value" is missing'),
        ('{host: "a.example:443", header: A, value: "${A}", path: /}', 'unknown key "path"'),
    ],
)
def test_what_cannot_be_a_place_or_a_header_is_an_error(secret: str, problem: str) -> None:
    lines = _lines(secret)

    assert any(problem in line for line in lines), lines


@pytest.mark.parametrize("value", ["Bearer canary", "${TOKEN:-canary}", "${TOKEN} ${OTHER:-canary}", "canary${TOKEN"])
def test_a_secret_in_the_policy_itself_is_an_error_that_does_not_show_it(value: str) -> None:
    lines = _lines(_written(value=value))

    assert any("sandbox.secrets" in line or "${NAME}" in line for line in lines), lines
    assert not any("canary" in line for line in lines), lines


@pytest.mark.parametrize(
    ("network", "reached"),
    [
        ("public", True),
        ("none", False),
        ('{allow: ["a.example:443"]}', True),
        ('{allow: ["A.Example.:443"]}', True),
        ('{allow: ["a.example:80", "b.example:443"]}', False),
    ],
)
def test_a_secret_for_a_place_that_nothing_reaches_is_an_error(network: str, *, reached: bool) -> None:
    lines = problems_or_none(f"{GATE}sandbox: {{network: {network}, secrets: [{_written()}]}}\n")

    assert any("lets nothing reach a.example:443" in line for line in lines) != reached


def test_one_header_of_one_place_is_given_once_and_one_port_speaks_one_protocol() -> None:
    assert any("given twice" in line for line in _lines(_written(), _written("A.EXAMPLE.:443", "authorization")))
    both = _lines(_written("a.example:8080"), _written("http://a.example:8080", "X"))
    assert any("both with http:// and without" in line for line in both)


@pytest.mark.parametrize(
    "place", ["a.example", "a.example:0", "a.example:65536", "10.1:80", "[::1%lo]:80", "a_b c:1", "x:"]
)
def test_a_place_of_the_list_that_is_none_is_an_error(place: str) -> None:
    lines = problems(f'{GATE}sandbox: {{network: {{allow: ["{place}"]}}}}\n')

    assert any("3:29 expected host:port" in line for line in lines), lines


def problems_or_none(text: str) -> tuple[str, ...]:
    from agentcop_core.errors import PolicyError

    try:
        policy(text)
    except PolicyError as fault:
        return tuple(str(fault).splitlines())
    return ()
