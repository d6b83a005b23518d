"""Which files that are not Python are read, and as what: by name and folder, as the tools that read them do."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from agentcop_scanner.source.document import DocumentKind

Language = Literal["json", "yaml", "toml", "prose"]

_MCP: Final = frozenset({
    "mcp.json", ".mcp.json", "claude_desktop_config.json", "mcp_config.json", "mcp_settings.json", "mcp.yaml",
    "mcp.yml", "mcp.toml", "cline_mcp_settings.json", "mcp-config.json", "mcp-servers.json", "mcp_servers.json",
})
_INSTRUCTIONS: Final = frozenset({
    "agents.md", "agents.override.md", "claude.md", "claude.local.md", "gemini.md", "copilot-instructions.md",
    ".cursorrules", ".windsurfrules", ".clinerules", ".goosehints", ".roorules", "conventions.md", "codex.md",
    "qwen.md", "crush.md", "warp.md",
})
_RULE_FOLDERS: Final = (
    ".cursor/rules", ".windsurf/rules", ".clinerules", ".roo/rules", ".continue/rules", ".github/instructions",
    ".github/prompts", ".github/chatmodes", ".github/agents", ".claude/commands", ".claude/agents", ".claude/rules",
    ".amazonq/rules", ".kiro/steering", ".trae/rules", ".junie", ".gemini/commands", ".opencode/command",
    ".codex/prompts",
)
_AGENT_FOLDERS: Final = frozenset({".claude", ".codex", ".gemini", ".qwen", ".opencode", ".amazonq", ".kiro", ".crush"})
_AGENT_FILES: Final = frozenset({".claude.json", ".aider.conf.yml", "opencode.json", "opencode.jsonc", "crush.json"})
_EDITOR_FOLDERS: Final = frozenset({".vscode", ".cursor", ".windsurf", ".zed", ".idea", ".devcontainer", ".continue"})
_HOOKS: Final = frozenset({"hooks.json", "tasks.json"})
_LANGUAGES: Final[dict[str, Language]] = {
    ".json": "json",
    ".jsonc": "json",
    ".code-workspace": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
}
_LOCKS: Final = frozenset({
    "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "composer.lock", "poetry.lock", "uv.lock",
    "pdm.lock", "cargo.lock", "deno.lock", "tsconfig.json", "conda-lock.yml",
})
"""Written by machines, or of no interest to an agent: no rule has anything to say about them."""


def data_language(path: str) -> Language:
    """What the text is written in."""
    return _LANGUAGES.get(PurePosixPath(path.replace("\\", "/").lower()).suffix, "prose")


def classify(path: str) -> DocumentKind | None:
    """What a file is to the rules; None: it is not read. `path` may be relative; only its last parts matter."""
    parts = PurePosixPath(path.replace("\\", "/").lower()).parts
    name = parts[-1] if parts else ""
    folders = parts[:-1]
    if name in _LOCKS:
        return None
    known = _by_name(name, folders)
    if known is not None:
        return known
    return "other" if data_language(path) != "prose" else None


def _by_name(name: str, folders: tuple[str, ...]) -> DocumentKind | None:
    if name == "skill.md":
        return "skill"
    if name in _INSTRUCTIONS:
        return "instructions"
    if name in _MCP or name.endswith(".mcp.json"):
        return "mcp"
    if name.startswith(("dockerfile", "containerfile")) or name.endswith((".dockerfile", ".containerfile")):
        return "compose"
    if name.startswith(("docker-compose", "compose.", "compose-")) and data_language(name) == "yaml":
        return "compose"
    if _under_rules(folders) and name.endswith((".md", ".mdc", ".txt", ".toml")):
        return "instructions"
    return _settings(name, folders)


def _settings(name: str, folders: tuple[str, ...]) -> DocumentKind | None:
    if name in _AGENT_FILES:
        return "agent"
    if data_language(name) == "prose":
        return None
    if name in _HOOKS and (_EDITOR_FOLDERS | _AGENT_FOLDERS | {"hooks"}) & set(folders):
        return "hooks"
    if _AGENT_FOLDERS & set(folders[-2:]):
        return "agent"
    if _EDITOR_FOLDERS & set(folders[-2:]) or name in {"devcontainer.json", ".devcontainer.json"}:
        return "editor"
    return "editor" if name.endswith(".code-workspace") else None


def _under_rules(folders: tuple[str, ...]) -> bool:
    """Whether the folder is one that an agent reads instructions from, or below one; also one skill's own folder."""
    joined = "/" + "/".join(folders) + "/"
    return any(f"/{folder}/" in joined for folder in _RULE_FOLDERS) or "/skills/" in joined
