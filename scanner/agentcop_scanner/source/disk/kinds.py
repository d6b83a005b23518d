"""What kind of file a path names, by its name alone. Decides how a file is read, never what a finding is worth."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agentcop_scanner.source.document import DocumentKind

FileKind = Literal["python", "notebook", "document"]

_EXACT: dict[str, DocumentKind] = {
    "mcp.json": "mcp",
    ".mcp.json": "mcp",
    "mcp_config.json": "mcp",
    "mcp_settings.json": "mcp",
    "mcp-config.json": "mcp",
    "mcp_servers.json": "mcp",
    "mcp-servers.json": "mcp",
    "cline_mcp_settings.json": "mcp",
    "claude_desktop_config.json": "mcp",
    "fastmcp.json": "mcp",
    "agents.md": "instructions",
    "agent.md": "instructions",
    "claude.md": "instructions",
    "claude.local.md": "instructions",
    "gemini.md": "instructions",
    "copilot-instructions.md": "instructions",
    ".cursorrules": "instructions",
    ".windsurfrules": "instructions",
    ".clinerules": "instructions",
    ".goosehints": "instructions",
    "skill.md": "skill",
    "dockerfile": "compose",
    "containerfile": "compose",
    "hooks.json": "hooks",
    ".aider.conf.yml": "agent",
    "opencode.json": "agent",
    "opencode.jsonc": "agent",
    "crush.json": "agent",
    ".crush.json": "agent",
}
_PATTERNS: tuple[tuple[str, DocumentKind], ...] = (
    ("*/.claude/settings*.json", "agent"),
    ("*/.gemini/settings*.json", "agent"),
    ("*/.codex/config.toml", "agent"),
    ("*/.qwen/settings*.json", "agent"),
    ("*/.claude/commands/*.md", "instructions"),
    ("*/.claude/agents/*.md", "instructions"),
    ("*/.cursor/rules/*.mdc", "instructions"),
    ("*/.github/prompts/*.md", "instructions"),
    ("*/.github/instructions/*.md", "instructions"),
    ("*/.clinerules/*.md", "instructions"),
    ("*/.windsurf/rules/*.md", "instructions"),
    ("*/.cursor/hooks.json", "hooks"),
    ("*/.vscode/tasks.json", "hooks"),
    ("*/.vscode/*.json", "editor"),
    ("*/.cursor/*.json", "editor"),
    ("*/.zed/*.json", "editor"),
    ("*/.idea/*.json", "editor"),
    ("*.code-workspace", "editor"),
    ("*/*.mcp.json", "mcp"),
    ("*/dockerfile.*", "compose"),
    ("*/*.dockerfile", "compose"),
    ("*/docker-compose*.y*ml", "compose"),
    ("*/compose*.y*ml", "compose"),
    ("*/.devcontainer/devcontainer.json", "compose"),
    ("*/devcontainer.json", "compose"),
)
_DATA = (".json", ".jsonc", ".json5", ".yaml", ".yml", ".toml", ".mcp")


def file_kind(path: str) -> FileKind | None:
    """How a file is read; None: not at all, unless it was named itself."""
    lower = path.lower()
    if lower.endswith((".py", ".pyi", ".pyw")):
        return None if lower.endswith(".pyi") else "python"
    if lower.endswith(".ipynb"):
        return "notebook"
    return "document" if lower.endswith(_DATA) or document_kind(path) != "other" else None


def document_kind(path: str) -> DocumentKind:
    """The kind of a document by its path, with forward slashes."""
    lower = "/" + path.lower().lstrip("/")
    name = lower.rpartition("/")[2]
    if name in _EXACT:
        return _EXACT[name]
    return next((kind for pattern, kind in _PATTERNS if fnmatch.fnmatchcase(lower, pattern)), "other")
