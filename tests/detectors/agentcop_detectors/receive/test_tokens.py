"""A token is known by its hash alone, and speaks for the agents of its line."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from agentcop_detectors.receive.tokens import ANYBODY, Tokens, TokensError, read_tokens

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "made-up-token"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
TOKENS = Tokens(agents={DIGEST: ("billing-*", "search"), "ab" * 32: ("other",)})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", " BEARER"])
def test_a_known_token_gives_its_source(scheme: str) -> None:
    assert TOKENS.source(f"{scheme} {TOKEN}") == DIGEST[:16]


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {DIGEST}"]
)
def test_everything_else_is_nobody(sent: str) -> None:
    assert TOKENS.source(sent) is None


@pytest.mark.parametrize(
    ("agent", "speaks"), [("billing-eu", True), ("search", True), ("other", False), ("", False), ("searching", False)]
)
def test_it_speaks_for_the_agents_of_its_line(agent: str, speaks: bool) -> None:
    assert TOKENS.speaks_for(DIGEST[:16], agent) is speaks


def test_without_tokens_anybody_speaks_for_all() -> None:
    nobody_asked = Tokens(agents={})
    assert nobody_asked.source("") == ANYBODY
    assert nobody_asked.speaks_for(ANYBODY, "whoever")


def test_what_was_taken_before_tokens_were_asked_for_speaks_for_nobody() -> None:
    assert not TOKENS.speaks_for(ANYBODY, "search")


def test_the_spool_of_this_machine_speaks_for_all() -> None:
    assert TOKENS.speaks_for("spool:0001-1-ab-local:12", "whoever")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no token"),
        ("[]", "holds no token"),
        ("a: [", "1: not YAML"),
        (f"{TOKEN}: [a]", "key 1 is not the SHA-256"),
        (f"{DIGEST}: a", "must be a list of agent ids"),
        (f"{DIGEST}: []", "must be a list of agent ids"),
        (f"{DIGEST}: ['']", "must be a list of agent ids"),
        (f"{DIGEST}: [a]\n{DIGEST[:16] + '0' * 48}: [b]", "two hashes begin with the same"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_a_token(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TokensError) as refused:
        read_tokens(path)
    assert why in str(refused.value)
    assert TOKEN not in str(refused.value)
