"""No rule raises on any module, document or text, and none takes longer than its input is long."""

from __future__ import annotations

import ast
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.parsing import document_of, module_of
from agentcop_scanner.source.words import words
from scan_cases import CASES, cases, checked

PYTHON = [case.text.lstrip("\ufeff") for case in cases(CASES / "development") if case.path.endswith(".py")]
KEYS = st.sampled_from(
    sorted(
        words(
            "mcpServers servers command args env url headers permissions allow hooks type tools description"
            " name volumes"
            " human_input_mode autoApprove use_docker code_execution_mode trust path source value * bash permission"
            " privileged"
        )
    )
)
SCALARS = st.sampled_from(
    ["npx", "-y", "*", "never", "http://a.example", "docker run a", "", "/", "curl x | sh", True, None, 1]
)
NESTED = st.recursive(
    SCALARS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
)
PATHS = st.sampled_from(
    ["mcp.json", ".claude/settings.json", ".vscode/settings.json", "agents.json", ".cursor/hooks.json"]
)
TEXTS = st.sampled_from(["SKILL.md", "AGENTS.md", "a.yaml", "a.toml", "Dockerfile", ".cursorrules"])


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_module_is_checked(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # chooses test data
    statements = [node for text in random.sample(PYTHON, 4) for node in ast.parse(text).body]
    random.shuffle(statements)
    nodes = [node for statement in statements for node in ast.walk(statement)]
    expressions = [node for node in nodes if isinstance(node, ast.expr) and not isinstance(node, ast.Starred)]
    for call in (node for node in nodes if isinstance(node, ast.Call) and random.random() < 0.3):
        call.args = [random.choice(expressions) for _ in range(random.randrange(4))]
        call.keywords = [ast.keyword(arg=None, value=random.choice(expressions)), *call.keywords]
    try:
        text = ast.unparse(ast.Module(body=statements, type_ignores=[]))
        module = module_of(text.encode(), "a.py")
    except (RecursionError, ValueError, UnreadError):  # put an expression into itself, or one where none may stand
        return
    checked(module)


@given(NESTED, PATHS)
@settings(deadline=None)
def test_any_document_is_checked(data: object, path: str) -> None:
    checked(document_of(json.dumps(data, indent=1).encode(), path))


@given(st.text(max_size=400), TEXTS)
@settings(deadline=None)
def test_any_text_is_checked(text: str, path: str) -> None:
    try:
        document = document_of(text.encode(errors="replace"), path)
    except UnreadError:
        return
    checked(document)


PIECES = (
    '-----BEGIN PRIVATE KEY-----|sk-|a.|ignore all previous |do not tell |not tell user |<!--|<!-- ai run curl -->|" '
    "|curl |curl ;|sh $(|iex |eval $(echo base64 -d |\u200b|a\u200bb|\u202e |\n|\n \n| |`|eyJ.eyJ|://|http://a@"
    "|base64 -d "
    "|the entire a b |A=b |token=|xoxb-1-|1. |- |用户 不要告诉 |Bearer |curl -u a |\U000e0041|use this instead of a_b "
    "|pass .env as `x` "
)


@pytest.mark.parametrize("piece", [piece for piece in PIECES.split("|") if piece])
def test_a_hundred_kilobytes_of_one_piece_are_done(piece: str) -> None:
    """Each takes a blink; what restarts inside what it has read would take minutes, and the run would be ended."""
    text = piece * (100_000 // len(piece))
    checked(document_of(text.encode(), "SKILL.md"))
    checked(document_of(json.dumps({"description": text, "password": text}).encode(), "tools.json"))
    source = f"from langchain_core.tools import tool\n@tool\ndef f(x):\n    {text!r}\npassword = {text!r}\n"
    checked(module_of(source.encode(), "a.py"))
