"""Every code block of README.md does what it says: it is run, written to a file, compared with output, or looked up.

The blocks are read in order, as a newcomer would type them, in one empty folder: a `python` or `bash` block is run and
must exit 0; a block after `<!-- file: NAME -->` is written there; one after `<!-- output -->` is compared with the
stdout of the run before it, where `...` stands for anything. Commands that need a network or minutes (`LOOKED_UP`) are
not run; what they name must exist. Any other block fails.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOOKED_UP = ("scripts/demo", "scripts/test", "pip install", "git clone", "cd ", "docker run", "agentcop detector")
REQUIREMENT = re.compile(r"(?:.*/)?(?P<name>[\w-]+?)(?:\[(?P<extras>[\w,]+)\])?(?: @ git\+https://.*|-\d.*\.whl|)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `note` is the text of the HTML comment on the line before it, or empty."""

    line: int
    note: str
    language: str
    text: str

    @property
    def is_looked_up(self) -> bool:
        """Whether each command of a bash block is of the kind that is not run here."""
        return self.language == "bash" and all(line.startswith(LOOKED_UP) for line in _commands(self.text))


def _commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [line.split(" #")[0].strip() for line in joined.splitlines() if line and not line.startswith("#")]


def blocks_of(text: str) -> list[Block]:
    """All fenced blocks; a fence that is indented or not closed is an error, not a block that nobody runs."""
    note, fenced = r"(?:^<!-- (?P<note>[^\n]*?) -->\n+)?", r"^```(?P<language>\w*)\n(?P<text>.*?)^```$"
    pattern = re.compile(note + fenced, re.MULTILINE | re.DOTALL)
    found = [
        Block(
            line=text.count("\n", 0, match.start("language")) + 1,
            note=match["note"] or "",
            language=match["language"],
            text=match["text"],
        )
        for match in pattern.finditer(text)
    ]
    assert len(re.findall(r"(?m)^\s*(?:```|~~~)", text)) == 2 * len(found), "a fence that is no block at the margin"
    return found


BLOCKS = blocks_of(README)


@dataclass(slots=True)
class Newcomer:
    """Someone at a shell in an empty folder, with the project installed; `stdout` is of the last command."""

    folder: Path
    stdout: str | None = None

    def run(self, block: Block) -> None:
        """Run the block; a failure shows what it printed."""
        command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
        environment = {
            **os.environ,
            "AGENTCOP_HOME": str(self.folder / ".state"),
            "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
        }
        done = subprocess.run(
            [*command, block.text], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"README.md:{block.line} exits {done.returncode}:\n{done.stdout}{done.stderr}"
        self.stdout = done.stdout


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    return Newcomer(folder=tmp_path_factory.mktemp("newcomer"))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line-{block.line}-{block.language}")
def test_block_does_what_it_says(block: Block, newcomer: Newcomer) -> None:
    if block.note.startswith("file: "):
        path = newcomer.folder / block.note.removeprefix("file: ")
        assert path.resolve().is_relative_to(newcomer.folder.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    elif block.note == "output":
        assert newcomer.stdout is not None, "output of what?"
        if not doctest.OutputChecker().check_output(block.text, newcomer.stdout, doctest.ELLIPSIS):
            assert newcomer.stdout == block.text
    elif block.is_looked_up:
        for command in _commands(block.text):
            _look_up(command)
    else:
        assert block.note == ""
        assert block.language in {"python", "bash"}, f"README.md:{block.line} is neither run, written nor compared"
        newcomer.run(block)


def _look_up(command: str) -> str:
    """The kind of thing that the command names and that exists: a script, a distribution, an image; or empty."""
    words = shlex.split(command)
    if words[0].startswith("scripts/"):
        assert os.access(ROOT / words[0], os.X_OK)
        groups = [word for word in words[1:] if words[0] == "scripts/test"]
        assert [group for group in groups if not os.access(ROOT / "scripts/groups" / group, os.X_OK)] == []
        return "script"
    if words[:2] == ["pip", "install"]:
        requirement = REQUIREMENT.match(words[-1])
        assert requirement, f"{command!r} installs something else"
        assert requirement["name"].replace("_", "-") == PYPROJECT["project"]["name"]
        assert set((requirement["extras"] or "").split(",")) - {""} <= set(
            PYPROJECT["project"]["optional-dependencies"]
        )
        return "distribution"
    if words[:2] == ["agentcop", "detector"]:  # it would not end; tests/detector starts it
        says = subprocess.run(
            [sys.executable, "-m", *words[:2], "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert [word for word in words if word.startswith("--") and word not in says] == []
        return "service"
    if words[0] == "docker":
        images = [word for word in words if "/" in word and ":" in word]
        shown = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples").rglob("*.py"))
        assert images
        assert [image for image in images if image not in shown] == []
        return "image"
    return ""


def test_the_readme_shows_both_commands_and_an_example() -> None:
    commands = [command for block in BLOCKS if block.language == "bash" for command in _commands(block.text)]
    assert {"scripts/demo", "scripts/test"} <= {command.split()[0] for command in commands}
    assert any(block.language == "python" or block.note.endswith(".py") for block in BLOCKS)


@pytest.mark.parametrize(
    "text",
    ["```yaml\na: 1\n```\n", "```\nplain\n```\n", "<!-- output -->\n```text\nnothing ran\n```\n"],
)
def test_a_block_that_is_not_tried_fails(text: str, newcomer: Newcomer) -> None:
    (block,) = blocks_of(text)
    with pytest.raises(AssertionError):
        test_block_does_what_it_says(block, Newcomer(folder=newcomer.folder))


@pytest.mark.parametrize(
    "command",
    [
        "scripts/missing",
        "scripts/test nothing",
        "pip install agentcop",
        "pip install 'agentcop-runtime[missing]'",
        "agentcop detector --missing",
    ],
)
def test_a_command_that_names_nothing_of_ours_fails(command: str) -> None:
    with pytest.raises(AssertionError):
        _look_up(command)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("scripts/test unit", "script"),
        ("agentcop detector --policies policies/", "service"),
        ("pip install agentcop-runtime", "distribution"),
        ("pip install 'agentcop-runtime[test] @ git+https://example.org/agentcop.git'", "distribution"),
        ("pip install dist/agentcop_runtime-0.1.0-py3-none-any.whl", "distribution"),
    ],
)
def test_a_command_that_names_what_is_there_passes(command: str, kind: str) -> None:
    assert _look_up(command) == kind


def test_an_indented_fence_is_not_overlooked() -> None:
    with pytest.raises(AssertionError, match="fence"):
        blocks_of("- a list\n\n  ```bash\n  false\n  ```\n")
