"""Secrets: what is one, what is none, and that nothing quotes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.text.randomness import is_placeholder, looks_random
from agentcop_scanner.text.secret import is_secret_value, typed_secrets
from scan_cases import CASES, cases, findings

BODY = "aZ3kQ9xT7mB2vL5nR8wC4yH6jD1fG0sP"


@pytest.mark.parametrize(
    "text",
    [
        f"sk-proj-{BODY}-{BODY}",
        f"sk-ant-api03-{BODY}",
        f"ghp_{BODY}a7Qx",
        f"github_pat_{BODY}",
        f"xoxb-871234509812-{BODY}",
        "AKIA" + "Z7Q3X9K2M5N8B4V1",
        f"AIza{BODY}-_7",
        f"hf_{BODY}",
        f"gsk_{BODY}{BODY}",
        f"pcsk_{BODY}{BODY}",
        f"https://agent:{BODY}@db.example/x",
    ],
)
def test_keys_of_known_shape_are_found(text: str) -> None:
    (found,) = typed_secrets(f'x = "{text}"')
    assert found.typed


@pytest.mark.parametrize(
    "text",
    [
        "sk-...",
        "sk-your-openai-api-key-goes-here",
        "ghp_" + "x" * 36,
        "AKIAIOSFODNN7EXAMPLE",
        "sk-1234567890abcdef1234567890abcdef",
        "postgres://user:password@localhost/db",
        "postgres://${USER}:${PASSWORD}@db/x",
        "scikit sk-learn-contrib-imbalanced-learning",
        "-----BEGIN PRIVATE KEY-----",
        r"sk-[A-Za-z0-9]{20,}",
        "Bearer your-token-here",
    ],
)
def test_placeholders_and_patterns_are_none(text: str) -> None:
    assert not list(typed_secrets(text))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "Enter password"),
        ("password", "input[name='password']"),
        ("token", "https://auth.example/oauth2/v2.0/token"),
        ("api_key", "${API_KEY}"),
        ("secret", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbC123"),
        ("model_name", BODY),
        ("token_count", BODY),
    ],
)
def test_values_that_name_or_describe_a_secret_are_none(name: str, value: str) -> None:
    assert not is_secret_value(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [("password", "q7#Vw9!zLx2@Tn4$"), ("apiKey", BODY), ("DB_PASSWD", "Xk82mQzv71")]
)
def test_random_values_under_such_names_are_secrets(name: str, value: str) -> None:
    assert is_secret_value(name, value)


@given(st.text(max_size=400))
def test_no_text_raises(text: str) -> None:
    list(typed_secrets(text))
    is_secret_value("password", text)
    assert not (looks_random(text) and len(text) < 16)
    is_placeholder(text)


def test_no_finding_quotes_the_secret_it_is_about() -> None:
    checked = 0
    for case in (*cases(CASES / "development"), *cases(CASES / "heldout")):
        secrets = [case.text[one.start : one.end] for one in typed_secrets(case.text)]
        for found in findings(case.path, case.text):
            shown = f"{found.message} {found.snippet} {found.fix}"
            checked += 1
            assert not [secret for secret in secrets if secret[:60] in shown], (case.title, found.rule)
    assert checked > 100


def test_a_secret_known_by_its_name_alone_is_not_quoted_either() -> None:
    for text in (f'def f(api_key: str = "{BODY}"): ...', f'headers = {{"X-Api-Key": "{BODY}"}}'):
        (found,) = [one for one in findings("a.py", text + "\n") if one.rule == "AC171"]
        assert BODY not in f"{found.message} {found.snippet}"
