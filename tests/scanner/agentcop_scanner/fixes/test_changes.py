"""`--fix`: what it changes, what it leaves alone, and that the finding is gone afterwards."""

from __future__ import annotations

import ast
import stat
from pathlib import Path

import pytest

from agentcop_scanner.fixes.changes import FIXABLE, changes_for
from agentcop_scanner.options import ScanOptions
from agentcop_scanner.rules import all_rules
from agentcop_scanner.scan import scan

TOOL = "import requests\nfrom langchain_core.tools import tool\n\n\n@tool\ndef fetch():\n    {}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fixed(text: str | bytes, name: str = "a.py") -> str:
    """The text after `--fix`; the rules whose findings are mended are gone from a second scan."""
    raw = text.encode() if isinstance(text, str) else text
    Path(name).write_bytes(raw)
    changes = changes_for(scan([Path(name)], ScanOptions(jobs=1)))
    for change in changes:
        change.write()
        left = {one.finding.rule for file in scan([Path(name)], ScanOptions(jobs=1)).files for one in file.findings}
        assert not set(change.rules) & left
    return Path(name).read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'import requests\nrequests.get("https://x", verify=False, timeout=5)\n',
            'import requests\nrequests.get("https://x", verify=True, timeout=5)\n',
        ),
        (
            "import ssl\ncontext = ssl._create_unverified_context()\n",
            "import ssl\ncontext = ssl.create_default_context()\n",
        ),
        (
            TOOL.format('return requests.get("https://x").text'),
            TOOL.format('return requests.get("https://x", timeout=30).text'),
        ),
        (
            TOOL.format('return requests.get(\n        "https://x",  # the page\n    ).text'),
            TOOL.format('return requests.get(\n        "https://x", timeout=30  # the page\n    ).text'),
        ),
        ("import yaml\nx = yaml.load(open('f'), Loader=yaml.Loader)\n", "import yaml\nx = yaml.safe_load(open('f'))\n"),
        (
            "import yaml as y\nx = y.load(stream, Loader=y.UnsafeLoader)\n",
            "import yaml as y\nx = y.safe_load(stream)\n",
        ),
        ("import torch\nm = torch.load('m.pt')\n", "import torch\nm = torch.load('m.pt', weights_only=True)\n"),
        (
            "import torch\nm = torch.load('m.pt', weights_only=False)\n",
            "import torch\nm = torch.load('m.pt', weights_only=True)\n",
        ),
        (
            "from transformers import AutoModel\nm = AutoModel.from_pretrained('a/b', trust_remote_code=True)\n",
            "from transformers import AutoModel\nm = AutoModel.from_pretrained('a/b', trust_remote_code=False)\n",
        ),
        ("x = 'a\u200bb\u202ec'\n", "x = 'abc'\n"),
    ],
)
def test_what_is_mended_and_nothing_else(before: str, after: str) -> None:
    assert fixed(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "import torch\noptions = {}\nm = torch.load('m.pt', **options)\n",
        "from yaml import load, Loader\nx = load(open('f'), Loader=Loader)\n",
        "import pickle\nx = pickle.loads(data)\n",
        "import requests\nrequests.get('https://x', verify=False, timeout=5)  # agentcop: ignore[AC134] our own\n",
        "def (\n",
        "x = 1\n",
    ],
)
def test_where_there_is_doubt_the_file_stays_as_it_is(text: str) -> None:
    assert fixed(text) == text


def test_line_ends_encoding_marks_and_mode_stay() -> None:
    text = "# -*- coding: latin-1 -*-\r\nimport requests\r\nname = 'é'\r\nrequests.get('https://x', verify=False)"
    Path("a.py").write_bytes(b"")
    Path("a.py").chmod(0o750)

    Path("a.py").write_bytes(text.encode("latin-1"))
    for change in changes_for(scan([Path("a.py")], ScanOptions(jobs=1))):
        change.write()

    assert Path("a.py").read_bytes() == text.replace("False", "True").encode("latin-1")
    assert stat.S_IMODE(Path("a.py").stat().st_mode) == 0o750
    assert list(Path().iterdir()) == [Path("a.py")]


def test_columns_are_characters_and_bytes_where_each_is_meant() -> None:
    before = "import requests\nx = 'ééé€𝄞', requests.get('https://ü', verify=False, timeout=5), 'é'\n"

    assert fixed(before) == before.replace("False", "True")


def test_a_byte_order_mark_stays() -> None:
    before = "\ufeffimport requests\nrequests.get('https://x', verify=False, timeout=5)\n"

    assert fixed(before) == before.replace("False", "True")


def test_a_flag_and_joined_letters_are_no_hidden_text() -> None:
    text = "x = '\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f \U0001f469\u200d\U0001f4bb'\n"

    assert fixed(text) == text


def test_a_link_is_followed_and_stays_a_link() -> None:
    Path("real.py").write_text(
        "import requests\nrequests.get('https://x', verify=False, timeout=5)\n", encoding="utf-8"
    )
    Path("link.py").symlink_to("real.py")

    for change in changes_for(scan([Path("link.py")], ScanOptions(jobs=1))):
        change.write()

    assert Path("link.py").is_symlink()
    assert "verify=True" in Path("real.py").read_text(encoding="utf-8")


def test_a_diff_shows_the_change_and_no_secret() -> None:
    secret = "sk-proj-" + "Ab3" * 16
    Path("a.py").write_text(
        f"import requests\nkey = '{secret}'\nrequests.get('https://x', verify=False, timeout=5)\n", encoding="utf-8"
    )

    (change,) = changes_for(scan([Path("a.py")], ScanOptions(jobs=1)))

    assert (
        "-requests.get('https://x', verify=False, timeout=5)\n+requests.get('https://x', verify=True, timeout=5)\n"
        in (change.diff)
    )
    assert secret not in change.diff
    assert "verify=False" in Path("a.py").read_text(encoding="utf-8")


def test_what_somebody_means_to_suppress_is_not_mended_and_its_ignore_gets_the_rule() -> None:
    before = "import requests\nrequests.get('https://x', verify=False, timeout=5)  # agentcop: ignore\n"
    Path("a.py").write_text(before, encoding="utf-8")

    (change,) = changes_for(scan([Path("a.py")], ScanOptions(jobs=1)))

    assert change.after == before.replace("ignore\n", "ignore[AC134]\n")
    assert change.rules == ("AC301",)


def test_a_mended_file_is_the_same_program_but_for_the_mended_calls() -> None:
    before = TOOL.format('return requests.get("https://x", verify=False).text') + "\n\nclass A:\n    x: int = 1\n"

    mended = ast.parse(fixed(before))
    for node in ast.walk(mended):
        if isinstance(node, ast.Call):
            node.keywords = []
    plain = ast.parse(before)
    for node in ast.walk(plain):
        if isinstance(node, ast.Call):
            node.keywords = []
    assert ast.dump(mended) == ast.dump(plain)


def test_each_rule_that_says_it_can_be_mended_can_be() -> None:
    assert {rule.id for rule in all_rules() if rule.fixable} == FIXABLE & {rule.id for rule in all_rules()}
