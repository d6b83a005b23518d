"""What kind of file a path names, by its name alone. Decides how a file is read, never what a finding is worth."""

from __future__ import annotations

import fnmatch
from pathlib import PurePosixPath
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
    "mcp.yaml": "mcp",
    "mcp.yml": "mcp",
    "mcp.toml": "mcp",
    "agents.md": "instructions",
    "agents.override.md": "instructions",
    "qwen.md": "instructions",
    "warp.md": "instructions",
    "crush.md": "instructions",
    ".roorules": "instructions",
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
    ("*/.claude.json", "agent"),
    ("*/.amazonq/cli-agents/*.json", "agent"),
    ("*/.kiro/settings/mcp.json", "mcp"),
    ("*/.claude/commands/*.md", "instructions"),
    ("*/.claude/agents/*.md", "instructions"),
    ("*/.claude/rules/*.md", "instructions"),
    ("*/.claude/output-styles/*.md", "instructions"),
    ("*/.cursor/rules/*.md*", "instructions"),
    ("*/.cursor/commands/*.md", "instructions"),
    ("*/.github/prompts/*.md", "instructions"),
    ("*/.github/instructions/*.md", "instructions"),
    ("*/.github/chatmodes/*.md", "instructions"),
    ("*/.github/agents/*.md", "instructions"),
    ("*/.clinerules/*.md", "instructions"),
    ("*/.roo/rules*/*.md", "instructions"),
    ("*/.windsurf/rules/*.md", "instructions"),
    ("*/.continue/rules/*.md", "instructions"),
    ("*/.kiro/steering/*.md", "instructions"),
    ("*/.amazonq/rules/*.md", "instructions"),
    ("*/.junie/*.md", "instructions"),
    ("*/.trae/rules/*.md", "instructions"),
    ("*/.gemini/commands/*.toml", "instructions"),
    ("*/.opencode/command/*.md", "instructions"),
    ("*/.opencode/agent/*.md", "instructions"),
    ("*/.codex/prompts/*.md", "instructions"),
    ("*/skills/*.md", "instructions"),
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
Language = Literal["json", "yaml", "toml", "prose"]

_LANGUAGES: dict[str, Language] = {
    ".json": "json",
    ".jsonc": "json",
    ".json5": "json",
    ".code-workspace": "json",
    ".mcp": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
}
_DATA = tuple(_LANGUAGES)
_LOCKS = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "conda-lock.yml",
    }
)
"""Written by machines for machines: megabytes of hashes in which no rule has anything to say."""


def file_kind(path: str) -> FileKind | None:
    """How a file is read; None: not at all, unless it was named itself."""
    lower = path.lower()
    if lower.endswith((".py", ".pyi", ".pyw")):
        return None if lower.endswith(".pyi") else "python"
    if lower.rpartition("/")[2] in _LOCKS:
        return None
    if lower.endswith(".ipynb"):
        return "notebook"
    return "document" if lower.endswith(_DATA) or document_kind(path) != "other" else None


def data_language(path: str) -> Language:
    """What the text of a document is written in, by its path."""
    return _LANGUAGES.get(PurePosixPath(path.lower()).suffix, "prose")


def document_kind(path: str) -> DocumentKind:
    """The kind of a document by its path, with forward slashes."""
    lower = "/" + path.lower().lstrip("/")
    name = lower.rpartition("/")[2]
    if name in _EXACT:
        return _EXACT[name]
    return next((kind for pattern, kind in _PATTERNS if fnmatch.fnmatchcase(lower, pattern)), "other")
