"""A verdict is about its own moment: what somebody changes between verdict and use is not seen, as the docs say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentcop import AgentCop, GatePolicy, PolicyBlocked

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "policy.md"


def test_a_link_that_is_turned_after_the_verdict_leads_the_tool_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, secret = tmp_path / "data", tmp_path / "secret.txt"
    data.mkdir()
    (data / "fine.txt").write_text("fine")
    secret.write_text("secret")
    report = data / "report.txt"
    report.symlink_to(data / "fine.txt")
    monkeypatch.chdir(tmp_path)

    def read(path: str) -> str:
        # Somebody else, between the verdict and the tool's open: the gate has no part in what happens here.
        os.replace(_link(tmp_path, secret), report)  # noqa: PTH105 -- one system call
        return Path(path).read_text()

    rule = {"tool": "read", "when": 'path.within(args.path, "./data")'}
    guarded = AgentCop(agent_id="a", policy=GatePolicy(allow=[rule])).tool(read)
    assert guarded(str(report)) == "secret", "judged where the link led then"
    with pytest.raises(PolicyBlocked):
        guarded(str(report))


def _link(folder: Path, target: Path) -> Path:
    link = folder / "link"
    link.symlink_to(target)
    return link


def test_the_page_on_policies_says_so() -> None:
    assert "moment of the verdict" in PAGE.read_text(encoding="utf-8")
