"""The policies of the examples: valid, and right by their own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop.cli import main
from example_runs import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

POLICIES = sorted(EXAMPLES.glob("*/policy.yaml")) + sorted(EXAMPLES.glob("*/policies/*.yaml"))


def test_every_example_has_a_policy() -> None:
    assert {path.relative_to(EXAMPLES).parts[0] for path in POLICIES} == {
        path.name for path in EXAMPLES.iterdir() if path.is_dir()
    }


@pytest.mark.parametrize("command", ["validate", "test"])
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_policy_of_an_example(
    path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK", raising=False)
    monkeypatch.setattr("sys.argv", ["agentcop", "policy", command, str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code or 0) == 0, capsys.readouterr()
    assert "no tests" not in capsys.readouterr().out
