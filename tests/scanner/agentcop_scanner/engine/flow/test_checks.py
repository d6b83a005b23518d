"""What a check shows holds on the paths that passed it, and on no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scan_trees import findings_in, written

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import os
import re
import subprocess
from pathlib import Path
from langchain.tools import tool

ALLOWED = {"web", "db"}
ROOT = Path("/data").resolve()

@tool
def act(name: str, other: str, force: bool, mode: str) -> str:
"""


def severities(folder: Path, body: str) -> list[str]:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    written(folder, {"tools.py": HEAD + lines})
    return [one.severity for one in findings_in(folder, "AC111", "AC121", "AC123", "AC114")]


SILENT = {
    "exit when it is not in a list": """
if name not in ALLOWED:
    raise ValueError(name)
os.system("restart " + name)
""",
    "only inside the branch": """
if name in ALLOWED:
    os.system("restart " + name)
""",
    "either of two words": """
if name == "web" or name == "db":
    os.system("restart " + name)
""",
    "both parts of an and": """
if force and name in ALLOWED:
    os.system("restart " + name)
""",
    "not of a not": """
if not (name not in ALLOWED):
    os.system("restart " + name)
""",
    "an expression with a default": """
name = name if name in ALLOWED else "web"
os.system("restart " + name)
""",
    "a number": """
os.system("kill " + str(int(name)))
""",
    "a number, by a fault": """
try:
    int(name)
except ValueError:
    return "no number"
os.system("kill " + name)
""",
    "letters only": """
if not name.isalnum():
    return "bad"
os.system("restart " + name)
""",
    "a pattern that lets nothing through": """
if not re.fullmatch(r"[a-z0-9_-]{1,20}", name):
    return "bad"
os.system("restart " + name)
""",
    "every element of a list": """
names = name.split(",")
for one in names:
    if one not in ALLOWED:
        raise ValueError(one)
    os.system("restart " + one)
""",
    "a check in a loop that raises": """
for part in (name, other):
    if part not in ALLOWED:
        raise ValueError(part)
os.system(f"copy {name} {other}")
""",
    "match on constants": """
match name:
    case "web" | "db":
        os.system("restart " + name)
""",
    "while it holds": """
while name in ALLOWED:
    os.system("restart " + name)
    break
""",
    "an early return on each way": """
if name == "web":
    target = "nginx"
elif name == "db":
    target = "postgres"
else:
    return "unknown"
os.system("restart " + target)
""",
    "a resolved path in a with": """
path = (ROOT / name).resolve()
if ROOT in path.parents:
    with path.open() as file:
        return file.read()
""",
    "nothing at all": """
if not name:
    os.system("restart " + name)
""",
}
LOUD = {
    "no check": """
os.system("restart " + name)
""",
    "a check of something else": """
if other not in ALLOWED:
    raise ValueError(other)
os.system("restart " + name)
""",
    "a check that only warns": """
if name not in ALLOWED:
    print("unusual", name)
os.system("restart " + name)
""",
    "a check on one of two ways": """
if force:
    pass
elif name not in ALLOWED:
    raise ValueError(name)
os.system("restart " + name)
""",
    "one part of an or": """
if force or name in ALLOWED:
    os.system("restart " + name)
""",
    "a check whose fault is swallowed": """
try:
    if name not in ALLOWED:
        raise ValueError(name)
except ValueError:
    pass
os.system("restart " + name)
""",
    "a new value after the check": """
if name not in ALLOWED:
    raise ValueError(name)
name = other
os.system("restart " + name)
""",
    "the branch that failed": """
if name in ALLOWED:
    return "known"
os.system("restart " + name)
""",
    "a check of its length, its type, and that it is there": """
if not name or len(name) > 100 or not isinstance(name, str) or name is None:
    raise ValueError(name)
os.system("restart " + name)
""",
    "a suffix": """
if Path(name).suffix not in {".txt"}:
    raise ValueError(name)
open("/data/" + name)
""",
    "an attribute of it": """
if mode.kind == "simple":
    os.system("restart " + mode.text)
""",
    "a folder that was chosen, and a name that was checked": """
folder = Path(other).resolve()
path = (folder / name).resolve()
if not path.is_relative_to(folder):
    raise ValueError(name)
return path.read_text()
""",
    "a name that the loop gave": """
command = "ls"
for part in [name, other]:
    command += " " + part
os.system(command)
""",
    "a value that was broken out with": """
chosen = "ls"
while True:
    if force:
        chosen = name
        break
os.system("run " + chosen)
""",
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_what_passed_a_check_is_silent(tmp_path: Path, body: str) -> None:
    assert severities(tmp_path, body) == []


@pytest.mark.parametrize("body", LOUD.values(), ids=LOUD)
def test_what_passed_none_is_found(tmp_path: Path, body: str) -> None:
    (severity,) = severities(tmp_path, body)

    assert severity in {"CRITICAL", "HIGH"}


def test_words_that_are_forbidden_make_a_finding_less_not_none(tmp_path: Path) -> None:
    body = """
if ";" in name or "|" in name:
    raise ValueError(name)
os.system("restart " + name)
"""
    assert severities(tmp_path, body) == ["LOW"]


def test_a_caller_that_has_to_ask_for_what_is_dangerous_makes_a_finding_less(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "index.py": """
                import pickle

                def load(path: str, allow_dangerous_deserialization: bool = False):
                    if not allow_dangerous_deserialization:
                        raise ValueError("say that you trust the file")
                    with open(path, "rb") as file:
                        return pickle.load(file)
            """
        },
    )

    assert [one.severity for one in findings_in(tmp_path, "AC161")] == ["LOW"]


def test_the_name_of_a_folder_changes_nothing(tmp_path: Path) -> None:
    tool = HEAD + '    os.system("restart " + name)\n'
    folders = ("src", "tests", "examples", "vendor", "fixtures", "docs", "test_data")
    written(tmp_path, {f"{folder}/tools.py": tool for folder in folders})

    assert [one.severity for one in findings_in(tmp_path, "AC111")] == ["CRITICAL"] * len(folders)
