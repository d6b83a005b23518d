"""Canaries: fake secrets of every kind, in every place one can stand, and ordinary words beside them."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.canonical import freeze
from agentcop_core.redact import Redactor
from agentcop_core.redact.secrets import SHAPES
from agentcop_core.redact.sensitive import sensitivity

R = Redactor()

PEM = "\n".join(("-----BEGIN RSA PRIVATE KEY-----", "MIIEow" + "Ab0/" * 30, "q" * 40, "-----END RSA PRIVATE KEY-----"))
# Put together here, so that nobody's scanner takes this file for a leak.
CANARIES: dict[str, str] = {
    "aws-key": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws-key temporary": "ASIA" + "IOSFODNN7EXAMPLE",
    "github-token": "ghp_" + "a1B2" * 9,
    "github-token oauth": "gho_" + "a1B2" * 9,
    "github-token app": "ghs_" + "a1B2" * 9,
    "github-token fine": "github_pat_" + "11AB_" + "x9" * 20,
    "gitlab-token": "glpat-" + "a-B_" * 5,
    "gitlab-token runner": "glrt-" + "a-B_" * 5,
    "slack-token": "xoxb-" + "123456789012-abcdefABCDEF",
    "slack-token app": "xapp-" + "1-A0123-456-abcdef",
    "api-key": "sk-" + "a1B2" * 10,
    "api-key ant": "sk-ant-" + "api03-" + "a1_B-" * 10,
    "api-key proj": "sk-proj-" + "a1_B-" * 10,
    "google-key": "AIza" + "SyA-1_b" * 5,
    "google-token": "ya29." + "a0AfH6" * 5,
    "google-secret": "GOCSPX-" + "a0AfH6" * 4,
    "npm-token": "npm_" + "a1B2" * 9,
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" * 5,
    "huggingface-token": "hf_" + "aBcD" * 9,
    "sendgrid-key": "SG." + "a1-_" * 5 + "." + "b2-_" * 10,
    "twilio-key": "SK" + "0a1b" * 8,
    "stripe-key": "whsec_" + "a1B2" * 8,
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".dBjftJeZ4CVP-mB92K27uhb",
    "private-key": PEM,
    "private-key pkcs8": PEM.replace("RSA ", ""),
}
# Only a part is secret: what must go, and the whole it stands in.
PARTLY: dict[str, tuple[str, str]] = {
    "slack-webhook": ("T000/B000/XXXXsecretXXXX", "https://hooks.slack.com/services/{}"),
    "discord-webhook": ("123456789/abcdefghijklmnopqrstuvwx", "https://discord.com/api/webhooks/{}"),
    "stripe-key live": ("4eC39HqLyjWDarjtT1zdp7dc", "sk_" + "live_{}"),
    "stripe-key restricted": ("4eC39HqLyjWDarjtT1zdp7dc", "rk_" + "live_{}"),
    "telegram-token": ("h1_-x" * 6 + "abc", "https://api.telegram.org/bot123456789:AA{}/sendMessage"),
    "bearer-token": ("mF_9.B5f-4.1JqM", "Bearer {}"),
    "url-password": ("hunter2!", "postgres://admin:{}@db.internal:5432/app"),
    "url-password no user": ("hunter2!", "redis://:{}@cache"),
    "query token": ("c2VjcmV0c2ln", "https://x.test/f?a=1&token={}&b=2"),
    "query sig": ("c2VjcmV0c2ln", "https://x.blob.core.windows.net/c?sv=1&sig={}"),
    "query key": ("c2VjcmV0c2ln", "https://maps.test/api?key={}"),
    "azure": ("c2VjcmV0+/Zg==", "DefaultEndpointsProtocol=https;AccountName=n;AccountKey={};EndpointSuffix=core"),
    "assignment": ("hunter2", "password={}"),
    "assignment in prose": ("hunter2", "log in, the password is {} and stays"),
    "assignment spaced": ("hunter2", "API key: {}"),
    "environment": ("wJalrXUtnFEMI/K7MDENG", "export AWS_SECRET_ACCESS_KEY={}"),
    "environment quoted": ("two words", 'DB_PASSWORD="{}" ./run'),
    "yaml": ("hunter2", "user: root\npassword: {}\nport: 1"),
    "python": ("hunter2", "connect(user='a', password='{}')"),
    "subscript": ("hunter2", "os.environ['API_TOKEN'] = '{}'"),
    "flag": ("hunter2", "tool --password {} --verbose"),
    "flag quoted": ("two words", "tool --api-key '{}' -v"),
    "flag with equals": ("hunter2", "tool --token={} -v"),
    "header": ("abc123def", "curl -H 'X-Api-Key: {}' https://x.test"),
    "authorization": ("dXNlcjpwYXNz", "curl -H 'Authorization: Basic {}' https://x.test"),
    "authorization line": ("dXNlcjpwYXNz", "GET / HTTP/1.1\r\nAuthorization: Basic {}\r\nHost: x"),
    "cookie": ("sid=abc; csrf=def", "Cookie: {}"),
    "curl user": ("hunter2", "curl -s -u admin:{} https://x.test"),
    "curl user long": ("hunter2", "curl --user 'admin:{}' https://x.test"),
    "mysql": ("hunter2", "mysql -h db -uroot -p{} app"),
    "mysql quoted": ("hunter 2", "mysqldump -p'{}' app"),
    "sshpass": ("hunter2", "sshpass -p {} ssh root@x"),
    "json in text": ('hun\\"ter2', '{{"user": "a", "password": "{}", "n": 1}}'),
    "json in json in text": ("hunter2", '{{"body": "{{\\"password\\": \\"{}\\"}}"}}'),
    "json spelled": ("hunter2", '{{"p\\u0061ssw\\u006frd": "{}"}}'),
    "json object": ("hunter2", '{{"credentials": {{"user": "a", "x": ["{}"]}}, "n": 1}}'),
    "pem in json in text": ("q" * 40, '{{"key": "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n"}}'),
    "pem cut short": ("q" * 40, "-----BEGIN EC PRIVATE KEY-----\n{}\nqqq"),
    "slashes escaped": ("hunter2!", "https:\\/\\/admin:{}@x.test"),
}
SECRETS = [*((kind, secret, "{}") for kind, secret in CANARIES.items()), *((k, s, t) for k, (s, t) in PARTLY.items())]
POSITIONS: dict[str, Any] = {
    "value": lambda text: {"x": text},
    "nested": lambda text: {"a": {"b": [{"c": text}]}},
    "list": lambda text: {"x": ["before", text, "after"]},
    "key": lambda text: {text: 1},
    "sentence": lambda text: {"x": f"please use {text} for this, not another"},
    "line": lambda text: {"x": f"first\n{text}\nlast"},
    "beside words": lambda text: {"author": "ann", "max_tokens": 200, "x": f"({text})"},
}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(("kind", "secret", "text"), SECRETS, ids=[kind for kind, _, _ in SECRETS])
def test_a_secret_is_gone_from_every_outlet_wherever_it_stands(
    kind: str, secret: str, text: str, position: str
) -> None:
    whole = text.format(secret)
    frozen = freeze(POSITIONS[position](whole))
    hidden = R.redact_json(frozen.canonical, frozen.plain)

    assert b"[redacted:" in hidden
    assert orjson.loads(hidden) == R.redact(frozen.plain)
    for part in secret.split("\n"):
        assert part not in json.dumps(orjson.loads(hidden), ensure_ascii=False)
        assert part not in R.redact_text(whole)


@pytest.mark.parametrize(("kind", "secret"), CANARIES.items(), ids=CANARIES)
def test_the_marker_names_the_kind(kind: str, secret: str) -> None:
    assert R.redact_text(f"use {secret} now") == f"use [redacted:{kind.partition(' ')[0]}] now"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgres://admin:hunter2@db/app", "postgres://admin:[redacted:url-password]@db/app"),
        ("tool --password hunter2 --verbose", "tool --password [redacted:secret] --verbose"),
        ("https://x.test/f?a=1&token=abc&b=2", "https://x.test/f?a=1&token=[redacted:secret]&b=2"),
        ('{"user": "a", "password": "x", "n": 1}', '{"user": "a", "password": "[redacted:secret]", "n": 1}'),
        ("user: root\npassword: x\nport: 1", "user: root\npassword: [redacted:secret]\nport: 1"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, hidden: str) -> None:
    assert R.redact_text(text) == hidden


ORDINARY = [
    "Quarterly report for the board",
    "the author's authority was authenticated",
    "max_tokens=200, tokens: 200, token_count: 5, total_tokens=7",
    "see https://example.com/a/b?page=2&q=task-management-for-teams",
    "a risk-assessment-of-the-whole-department in task-list-number-one",
    "the keyword is in the monkey's keyboard: key=value, primary key: id",
    "git commit -m 'pass the salt' && pip install requests",
    "user@example.com, git@github.com:org/repo.git, http://host:80/path@v2",
    "secretary: Ann; passport: yes; compass: north; tokenizer: bpe; shopping: milk",
    "3 passed, pass: 3, auth: 200",
    "password: null",
    "AKIA is a prefix, ghp_ too, sk-learn and eyJ",
    "0a1b" * 8,
    "password_policy: strict, secret_name: prod, private_key_path: /k",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_comes_back_as_the_same_object(text: str) -> None:
    assert R.redact_text(text) is text or R.redact_text(text) == text


def test_counts_and_names_about_secrets_stay_visible() -> None:
    plain = {
        "tokens": 200,
        "max_tokens": 1,
        "maxTokens": 1,
        "token_count": 5,
        "author": "ann",
        "password_policy": "long",
        "tokenizer": "bpe",
        "primary_key": "id",
        "pass": 3,
        "secret": None,
        "password": False,
        "token": "",
        "keys": ["a"],
        "passport": "x",
        "pinned": "y",
    }

    assert R.redact(plain) == plain


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "db_password", "dbPassword", "DB_PASSWORD", "userpassword", "PASSWORD1", "passphrase"),
        *("secret", "client_secret", "clientSecret", "ClientSecret", "secrets", "token", "access_token", "authToken"),
        *("authtoken", "api_key", "apiKey", "api-key", "apikey", "X-Api-Key", "APIKey", "aws_secret_access_key"),
        *("access_key_id", "private_key", "privateKey", "session_key", "sessionKey", "ssh_key", "signing.key"),
        *("authorization", "Authorization", "proxy-authorization", "cookie", "Set-Cookie", "cookies", "credentials"),
        *("credential", "creds", "auth", "basic_auth", "smtp_pass", "pass", "pin", "card_pin", "cvv", "cvv2", "otp"),
        *("access_tokens", "jwt", "$$password", '$key:"password"'),
    ],
)
def test_everything_under_a_sensitive_name_goes_whatever_it_is(name: str) -> None:
    for value in ("canary", ["canary"], {"inner": {"deep": "canary"}}, ["x", {"y": 4711}]):
        plain = {"x": [{name: value, "kept": "kept"}]}
        canonical = orjson.dumps(plain)

        assert R.redact(plain) == {"x": [{name: "[redacted:secret]", "kept": "kept"}]}
        assert b"canary" not in R.redact_json(canonical, plain)


@pytest.mark.parametrize("name", ["password", "pin", "cvv", "otp", "token"])
def test_a_number_under_a_name_that_only_holds_secrets_goes_too(name: str) -> None:
    plain = {name: 4711}

    assert b"4711" not in R.redact_json(orjson.dumps(plain), plain)


def test_names_given_as_values_are_understood() -> None:
    plain = {
        "env": [{"name": "DB_PASSWORD", "value": "canary"}, {"name": "PORT", "value": "80"}],
        "headers": [["X-Api-Key", "canary"], ["Accept", "text/html"]],
        "argv": ["tool", "--password", "canary", "--port", "80"],
        "curl": ["curl", "-u", "ann:canary", "https://x.test"],
    }
    hidden = R.redact_json(orjson.dumps(plain), plain)

    assert b"canary" not in hidden
    assert hidden.count(b"[redacted:") == 4
    assert b"text/html" in hidden
    assert b'"80"' in hidden


def test_secrets_as_keys_leave_as_many_entries_as_there_were() -> None:
    one, two = CANARIES["aws-key"], "AKIA" + "A" * 16
    plain = {one: 1, two: 2, "[redacted:aws-key]#1": 3, "c": 4}
    hidden = R.redact(plain)

    assert isinstance(hidden, dict)
    assert sorted(hidden.values()) == [1, 2, 3, 4]
    assert not {one, two} & hidden.keys()
    assert R.redact(hidden) == hidden


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(secret for secret in CANARIES.values() if "\n" not in secret),
            *(text.format(secret) for secret, text in PARTLY.values()),
            *(
                "password",
                "token",
                "=",
                ": ",
                " is ",
                '"',
                "'",
                "\\",
                '\\"',
                "{",
                "}",
                "[",
                "]",
                "[redacted:",
                "\n",
                " ",
            ),
            *(
                "?",
                "&",
                "://",
                "@",
                ":",
                "-----BEGIN PRIVATE KEY-----",
                "-u",
                "curl",
                "key",
                "API ",
                "--",
                "a",
                "7",
                ",",
            ),
            "[redacted:secret]",
            "\\u0061",
            "\\/",
        ]
    )
    | st.text(max_size=3),
    max_size=10,
).map("".join)
SHAPED = st.recursive(
    FRAGMENTS
    | st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["password", "pass", "name", "value", "a"]) | FRAGMENTS, inner, max_size=4)
    ),
    max_leaves=10,
)


@given(FRAGMENTS)
def test_redacting_text_twice_is_redacting_it_once(text: str) -> None:
    once = R.redact_text(text)

    assert R.redact_text(once) == once


@given(SHAPED)
def test_redacting_values_twice_is_redacting_them_once_and_keeps_their_shape(plain: object) -> None:
    once = R.redact(plain)

    assert R.redact(once) == once
    assert_same_shape(plain, once)


def assert_same_shape(before: object, after: object) -> None:
    """The same JSON types and lengths, except where a marker took the place of all there was."""
    if isinstance(after, str) and re.fullmatch(r"\[redacted:[a-z-]+\]", after):
        return
    assert type(after) is type(before)
    if isinstance(before, dict) and isinstance(after, dict):
        assert len(after) == len(before)
        for old, new in zip(before.values(), after.values(), strict=True):
            assert_same_shape(old, new)
    elif isinstance(before, list) and isinstance(after, list):
        assert len(after) == len(before)
        for old, new in zip(before, after, strict=True):
            assert_same_shape(old, new)
    elif not isinstance(before, str):
        assert after == before


@given(SHAPED)
def test_the_scan_of_the_bytes_misses_nothing_that_the_values_show(plain: object) -> None:
    canonical = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    hidden = R.redact_json(canonical, plain)

    assert orjson.loads(hidden) == R.redact(plain)
    if R.redact(plain) == plain:
        assert hidden is canonical


def test_the_original_is_not_touched() -> None:
    plain = {"password": "canary", "list": ["password=canary"]}
    R.redact(plain)

    assert plain == {"password": "canary", "list": ["password=canary"]}


def test_nothing_found_gives_back_the_very_same_bytes() -> None:
    frozen = freeze({"to": "ann@example.com", "subject": "Report", "n": 3})

    assert R.redact_json(frozen.canonical, frozen.plain) is frozen.canonical


def test_what_is_not_json_or_too_deep_goes_and_nothing_is_raised() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    hidden = R.redact({"x": object(), "deep": deep, "b": b"raw"})

    assert hidden["x"] == hidden["b"] == "[redacted:not-json]"  # type: ignore[index]
    assert "[redacted:too-deep]" in orjson.dumps(hidden).decode()


ADVERSARIAL = [
    "eyJ" * 350_000,
    "eyJaaaaaaaaaa." * 70_000,
    "a" * 1_000_000 + ".eyJ",
    "-----BEGIN PRIVATE KEY-----" * 40_000,
    "-----BEGIN " * 90_000,
    "password" * 120_000,
    "password=" * 110_000,
    'password="' * 100_000,
    "password='\"`" * 80_000,
    'password=\\"' * 90_000,
    "password={[" * 90_000,
    "password " * 110_000,
    "--password " * 90_000,
    "token is " * 110_000,
    "-" * 1_000_000 + "token",
    "://" * 330_000,
    "://a:" * 200_000,
    "://:" + "a:" * 500_000,
    "https://" + "a" * 1_000_000 + ":b@",
    "curl " * 200_000,
    "curl a " * 140_000,
    "mysql -x " * 110_000,
    "mysql" + "_" * 1_000_000,
    "Bearer " * 140_000,
    "bearer " + "a" * 1_000_000,
    "sk-" * 330_000,
    "sk-a-" * 200_000,
    "SG." * 330_000,
    "SG." + "a" * 1_000_000,
    ":AA" * 330_000,
    "github_pat_" * 90_000,
    "\\u0070" * 160_000,
    "key " * 250_000,
    "A" * 1_000_000 + "_token=",
    '"' * 500_000 + "password" + "\\" * 500_000,
]


@pytest.mark.parametrize("text", ADVERSARIAL, ids=[text[:12] for text in ADVERSARIAL])
def test_a_megabyte_made_to_stall_the_patterns_gets_through(text: str) -> None:
    """By completing: a pattern that backtracks would need 10^12 steps for these."""
    assert isinstance(R.redact_text(text), str)


def test_as_many_secret_keys_as_fit_get_through() -> None:
    plain = {f"AKIA{number:016d}": 1 for number in range(40_000)}

    assert len(R.redact(plain)) == 40_000  # type: ignore[arg-type]


def test_every_pattern_begins_where_its_needle_is_and_repeats_within_bounds() -> None:
    for shape in SHAPES:
        unbounded = re.findall(
            r"(?<!\\)[*+](?!\+)|,\}(?!\+)", re.sub(r"\[[^\]]*\]|\(\?[^)]{0,3}|[*+}]\+", "", shape.pattern.pattern)
        )
        assert unbounded == [], shape.pattern.pattern


@pytest.mark.parametrize("name", ["max_tokens", "author", "key", "keyboard", "tokens", "", "x" * 10_000])
def test_ordinary_names_are_ordinary(name: str) -> None:
    assert sensitivity(name) == "no"
