"""Which commands fetch a package or image without a fixed version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.settings.packages import unpinned


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("npx -y @a/b", "@a/b"),
        ("npx -y @a/b@latest", "@a/b@latest"),
        ("npx --yes -p a@~1.2 a", "a@~1.2"),
        ("npm exec -- a", "a"),
        ("cmd /c npx -y a", "a"),
        ("env A=B npx a", "a"),
        ("uvx a", "a"),
        ("uvx --python 3.12 a>=1", "a>=1"),
        ("uv tool run a@latest", "a@latest"),
        ("uvx --from git+https://x.example/a@main a", "git+https://x.example/a@main"),
        ("pipx run a", "a"),
        ("docker run -i --rm -e T a/b", "a/b"),
        ("docker run --name x r.example:5000/a/b", "r.example:5000/a/b"),
        ("/usr/bin/docker run a:latest", "a:latest"),
    ],
)
def test_moving_versions_are_named(command: str, name: str) -> None:
    assert unpinned(command.split()) == name


@pytest.mark.parametrize(
    "command",
    [
        "",
        "npx -y a@1.2.3",
        "npx -y @a/b@2025.8.21",
        "npx ./a",
        "npx tsx a.ts",
        "uvx a==1.0",
        "uvx a@1.0.1",
        "uvx --from git+https://x.example/a@v1.2.0 a",
        "docker run a@sha256:abc",
        "docker run -v /x:/y a:1.2",
        "docker compose run a",
        "node server.js",
        "python -m a",
    ],
)
def test_fixed_versions_and_own_programs_are_left_alone(command: str) -> None:
    assert unpinned(command.split()) == ""


WORDS = st.sampled_from(
    [
        "npx",
        "cmd",
        "/c",
        "-y",
        "uvx",
        "--from",
        "docker",
        "run",
        "-e",
        "a@",
        "@",
        "==",
        "pipx",
        "sh",
        "-c",
        "a b",
        "git+",
    ]
)


@given(st.lists(WORDS | st.text(max_size=6), max_size=12))
def test_any_command_is_read(words: list[str]) -> None:
    assert isinstance(unpinned(words), str)
